package arbitration

import (
	"errors"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// auditRecord is the final tree head of the independent verification.
type auditRecord struct {
	Version     int    `json:"v"`
	Meeting     string `json:"mtg"`
	Size        int64  `json:"size"`   // ballots in the log
	Root        string `json:"root"`   // base64url
	Report      string `json:"report"` // SHA-256 of the report file, hexadecimal
	Transaction string `json:"tx"`
}

// anchorAudit records the tree head of a meeting that is closed or in its
// period for objections. A later anchor replaces the one before; both stay in
// the blocks.
func anchorAudit(tx ledger.Tx, document []byte) ([]byte, error) {
	record, err := parseAudit(document)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	m, err := load(tx, record.Meeting)
	if err != nil {
		return nil, err
	}
	if m.state != meeting.Closed && m.state != meeting.Objections {
		return nil, refusal.New(refusal.MeetingState, "%s is %s", m.ID, m.state)
	}
	record.Transaction = tx.ID()
	return put(tx, auditKey(m.ID), record)
}

func parseAudit(document []byte) (*auditRecord, error) {
	object, err := canonical.ParseObject(document)
	if err != nil {
		return nil, err
	}
	if err := object.Only([]string{"v", "mtg", "size", "root", "report"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	record := &auditRecord{Version: 1}
	if record.Meeting, err = object.Text("mtg"); err != nil {
		return nil, err
	}
	if record.Size, err = object.Integer("size"); err != nil {
		return nil, err
	}
	if record.Root, err = object.Text("root"); err != nil {
		return nil, err
	}
	if record.Report, err = object.Text("report"); err != nil {
		return nil, err
	}
	if !canonical.IsDigest(record.Root) || !canonical.IsHex256(record.Report) {
		return nil, errors.New("root is a digest in base64url, report a SHA-256 in hexadecimal")
	}
	return record, nil
}
