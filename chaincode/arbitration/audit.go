package arbitration

import (
	"errors"
	"slices"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// What an audit can come to.
const (
	consistent   = "consistent"
	inconsistent = "inconsistent"
)

// auditRecord is an audit of the independent verification, and the tree head
// over the ballots that it accepted.
type auditRecord struct {
	Version     int    `json:"v"`
	Meeting     string `json:"mtg"`
	Size        int64  `json:"size"`   // ballots in the log
	Root        string `json:"root"`   // base64url
	Report      string `json:"report"` // SHA-256 of the report file, hexadecimal
	Result      string `json:"result"` // SHA-256 of the result as the auditor computes it, "" before there is one
	Verdict     string `json:"verdict"`
	Head        string `json:"head"` // the signed tree head, a compact JWS
	Transaction string `json:"tx"`
}

// audited are the states in which there are ballots, or have been, and the
// meeting is not over.
var audited = []meeting.State{meeting.Open, meeting.Closing, meeting.Closed, meeting.Objections}

// anchorAudit records an audit: interim ones while the meeting goes on, the
// last of which certification looks at. A later one replaces the one before;
// all stay in the blocks. The log only grows, so a smaller tree is AUDIT_SIZE.
func anchorAudit(tx ledger.Tx, document []byte) ([]byte, error) {
	record, head, err := parseAudit(document)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	m, err := load(tx, record.Meeting)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(audited, m.state) {
		return nil, refusal.New(refusal.MeetingState, "%s is %s", m.ID, m.state)
	}
	// Whether the head's signature holds is for whoever has the Regulator's CA;
	// here the Regulator's auditor vouches for it by signing the transaction.
	if head.Meeting != m.ID || head.MeetingHash != m.Hash || head.Channel != tx.Channel() ||
		head.Size != record.Size || head.Root != record.Root {
		return nil, refusal.New(refusal.AuditMismatch, "the head is another's")
	}
	value, err := tx.Get(auditKey(m.ID))
	if err != nil {
		return nil, err
	}
	if value != nil {
		last, err := decode[auditRecord](value)
		if err != nil {
			return nil, err
		}
		if record.Size < last.Size {
			return nil, refusal.New(refusal.AuditSize, "%d after %d", record.Size, last.Size)
		}
	}
	record.Transaction = tx.ID()
	return put(tx, auditKey(m.ID), record)
}

func parseAudit(document []byte) (*auditRecord, *ballot.Head, error) {
	object, err := canonical.ParseObject(document)
	if err != nil {
		return nil, nil, err
	}
	if err := object.Only([]string{"v", "mtg", "size", "root", "report", "result", "verdict", "head"}); err != nil {
		return nil, nil, err
	}
	if err := object.Version(2); err != nil {
		return nil, nil, err
	}
	record := &auditRecord{Version: 2}
	if record.Size, err = object.Integer("size"); err != nil {
		return nil, nil, err
	}
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mtg", &record.Meeting},
		{"root", &record.Root},
		{"report", &record.Report},
		{"result", &record.Result},
		{"verdict", &record.Verdict},
		{"head", &record.Head},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return nil, nil, err
		}
	}
	if !canonical.IsDigest(record.Root) || !canonical.IsHex256(record.Report) {
		return nil, nil, errors.New("root is a digest in base64url, report a SHA-256 in hexadecimal")
	}
	if record.Result != "" && !canonical.IsHex256(record.Result) {
		return nil, nil, errors.New("result is a SHA-256 in hexadecimal, or empty")
	}
	if record.Verdict != consistent && record.Verdict != inconsistent {
		return nil, nil, errors.New("verdict is consistent or inconsistent")
	}
	head, err := ballot.ParseHead(record.Head)
	if err != nil {
		return nil, nil, err
	}
	return record, head, nil
}
