package arbitration

import (
	"errors"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/refusal"
)

const (
	remedyKind    = "remedy"
	dismissed     = "dismissed"
	remedyNone    = "none"
	remedyRecount = "recount"
	remedyRevote  = "revote"
)

// The words of answers and awards; docs/encodings.md says what they mean.
var (
	positions = []string{"accepts", "contests"}
	awards    = []string{"upheld", "partial", dismissed}
	remedies  = []string{remedyNone, "amend", remedyRecount, remedyRevote}
)

func answerKey(id, objection string) string { return ledger.Key("answer", id, objection) }
func awardKey(id, objection string) string  { return ledger.Key("award", id, objection) }

// remedyKey is where an award's remedy stands until it is met. A recount is met
// by any audit but the one that is anchored at the award, so its key has that
// one's transaction; a new vote is never met at this meeting.
func remedyKey(award *awardRecord) string {
	until := award.Remedy
	if until == remedyRecount {
		until = award.Anchor
	}
	return ledger.Key(remedyKind, award.Meeting, until, award.Objection)
}

// answerRecord is the institution's answer to an objection.
type answerRecord struct {
	Version     int    `json:"v"`
	Meeting     string `json:"mtg"`
	Objection   string `json:"obj"`
	Position    string `json:"position"`
	Evidence    string `json:"evidence"` // a salted commitment
	At          string `json:"at"`       // the officer's time
	Transaction string `json:"tx"`
}

// awardRecord is the arbitration commission's award on an objection.
type awardRecord struct {
	Version     int    `json:"v"`
	Meeting     string `json:"mtg"`
	Objection   string `json:"obj"`
	Award       string `json:"award"`
	Remedy      string `json:"remedy"`
	Evidence    string `json:"evidence"` // a salted commitment
	At          string `json:"at"`       // the officer's time
	Anchor      string `json:"anchor"`   // transaction of the audit that stood anchored then, "" for none
	Transaction string `json:"tx"`
}

// answerObjection records the one answer to an objection. The same again is a
// success that changes nothing; another is OBJECTION_ANSWERED, and one after
// the award OBJECTION_DECIDED.
func answerObjection(tx ledger.Tx, document []byte) ([]byte, error) {
	record, err := parseAnswer(document)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	values, m, err := loadDispute(tx, record.Meeting, record.Objection)
	if err != nil {
		return nil, err
	}
	if values[1] != nil {
		held, err := decode[answerRecord](values[1])
		if err != nil {
			return nil, err
		}
		record.Transaction = held.Transaction
		if *held != *record {
			return nil, refusal.New(refusal.ObjectionAnswered, "%s", record.Objection)
		}
		return values[1], nil
	}
	if values[2] != nil {
		return nil, refusal.New(refusal.ObjectionDecided, "%s", record.Objection)
	}
	if err := m.checkDisputed(); err != nil {
		return nil, err
	}
	record.Transaction = tx.ID()
	if err := announceDispute(tx, m.ID, record.Objection, "answered"); err != nil {
		return nil, err
	}
	return put(tx, answerKey(m.ID, record.Objection), record)
}

// decideObjection records the one award on an objection, answered or not. The
// same again is a success that changes nothing; another is OBJECTION_DECIDED.
func decideObjection(tx ledger.Tx, document []byte) ([]byte, error) {
	record, err := parseAward(document)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	values, m, err := loadDispute(tx, record.Meeting, record.Objection)
	if err != nil {
		return nil, err
	}
	if values[2] != nil {
		held, err := decode[awardRecord](values[2])
		if err != nil {
			return nil, err
		}
		record.Anchor, record.Transaction = held.Anchor, held.Transaction
		if *held != *record {
			return nil, refusal.New(refusal.ObjectionDecided, "%s", record.Objection)
		}
		return values[2], nil
	}
	if err := m.checkDisputed(); err != nil {
		return nil, err
	}
	audit, err := tx.Get(auditKey(m.ID))
	if err != nil {
		return nil, err
	}
	if audit != nil {
		last, err := decode[auditRecord](audit)
		if err != nil {
			return nil, err
		}
		record.Anchor = last.Transaction
	}
	record.Transaction = tx.ID()
	if err := tx.Delete(undecidedKey(m.ID, record.Objection)); err != nil {
		return nil, err
	}
	// Without an audit yet, whichever is anchored first is the recount.
	if record.Remedy == remedyRevote || record.Remedy == remedyRecount && record.Anchor != "" {
		if _, err := put(tx, remedyKey(record), outstandingRecord{Version: 1, Objection: record.Objection}); err != nil {
			return nil, err
		}
	}
	if err := announceDispute(tx, m.ID, record.Objection, "decided"); err != nil {
		return nil, err
	}
	return put(tx, awardKey(m.ID, record.Objection), record)
}

// checkDisputed refuses (MEETING_STATE) at a meeting that is over or not yet known.
func (m *loaded) checkDisputed() error {
	if !slices.Contains(disputed, m.state) {
		return refusal.New(refusal.MeetingState, "%s is %s", m.ID, m.state)
	}
	return nil
}

// loadDispute reads a meeting and the records of an objection, its answer and
// its award; it refuses MEETING_NOT_FOUND and OBJECTION_NOT_FOUND.
func loadDispute(tx ledger.Tx, id, objection string) ([][]byte, *loaded, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, nil, err
	}
	values, err := tx.GetMany([]string{
		objectionKey(id, objection), answerKey(id, objection), awardKey(id, objection),
	})
	if err != nil {
		return nil, nil, err
	}
	if values[0] == nil {
		return nil, nil, refusal.New(refusal.ObjectionNotFound, "%s", objection)
	}
	return values, m, nil
}

func parseAnswer(document []byte) (*answerRecord, error) {
	r := &answerRecord{Version: 1}
	err := parseTexts(document, map[string]*string{
		"mtg": &r.Meeting, "obj": &r.Objection, "position": &r.Position, "evidence": &r.Evidence, "at": &r.At,
	})
	if err != nil {
		return nil, err
	}
	if !slices.Contains(positions, r.Position) {
		return nil, errors.New("position is not one of the words for it")
	}
	return r, checkDocument(r.Objection, r.Evidence, r.At)
}

func parseAward(document []byte) (*awardRecord, error) {
	r := &awardRecord{Version: 1}
	err := parseTexts(document, map[string]*string{
		"mtg": &r.Meeting, "obj": &r.Objection, "award": &r.Award, "remedy": &r.Remedy, "evidence": &r.Evidence,
		"at": &r.At,
	})
	if err != nil {
		return nil, err
	}
	if !slices.Contains(awards, r.Award) || !slices.Contains(remedies, r.Remedy) {
		return nil, errors.New("award or remedy is not one of the words for it")
	}
	if r.Award == dismissed && r.Remedy != remedyNone {
		return nil, errors.New("what is dismissed has no remedy")
	}
	return r, checkDocument(r.Objection, r.Evidence, r.At)
}

// parseTexts reads an object of version 1 whose other members are exactly
// these texts.
func parseTexts(document []byte, targets map[string]*string) error {
	object, err := canonical.ParseObject(document)
	if err != nil {
		return err
	}
	names := []string{"v"}
	for name := range targets {
		names = append(names, name)
	}
	slices.Sort(names) // the same error at every endorser
	if err := object.Only(names); err != nil {
		return err
	}
	if err := object.Version(1); err != nil {
		return err
	}
	for _, name := range names {
		if name == "v" {
			continue
		}
		if *targets[name], err = object.Text(name); err != nil {
			return err
		}
	}
	return nil
}

func checkDocument(objection, evidence, at string) error {
	if !canonical.IsRandomID(objection) || !canonical.IsDigest(evidence) {
		return errors.New("obj is 16 bytes in base64url, evidence a commitment")
	}
	_, err := canonical.FromTime(at)
	return err
}
