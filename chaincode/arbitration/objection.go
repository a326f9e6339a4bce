package arbitration

import (
	"encoding/json"
	"slices"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

const (
	objectionKind = "objection"
	undecidedKind = "undecided"
	// maxObjections is how many a lender may file at a meeting: several for each
	// ground, and not so many that nobody can decide them.
	maxObjections = 16
)

func objectionKey(id, objection string) string { return ledger.Key(objectionKind, id, objection) }
func undecidedKey(id, objection string) string { return ledger.Key(undecidedKind, id, objection) }
func objectorKey(id, sub string) string        { return ledger.Key("objector", id, sub) }

// objectorRecord counts the objections of a lender at a meeting.
type objectorRecord struct {
	Version int `json:"v"`
	Filed   int `json:"n"`
}

// outstandingRecord is what stands between a meeting and its certification: an
// objection for as long as no award is there, or the remedy of an award. What
// is outstanding is found by it, however many were decided before.
type outstandingRecord struct {
	Version   int    `json:"v"`
	Objection string `json:"obj"`
}

// disputed are the states in which a meeting is known and not over.
var disputed = []meeting.State{
	meeting.Announced, meeting.Open, meeting.Closing, meeting.Closed, meeting.Objections,
}

// objectionRecord is an objection on the channel.
type objectionRecord struct {
	Version     int    `json:"v"`
	Objection   string `json:"objection"` // as it was signed
	Door        string `json:"door"`
	AckTime     string `json:"ack_time"` // when the door had it, by its own word
	Revision    uint64 `json:"enr"`      // of the lender's enrolment that was relied on
	Transaction string `json:"tx"`
}

// fileObjection records what a lender signed with its enrolled key, whether
// the roll has it or not: being left out is a ground. The very objection again
// is a success that changes nothing.
func fileObjection(tx ledger.Tx, door, text, ackTime string) ([]byte, error) {
	signed, err := ballot.ParseObjection(text)
	if err != nil {
		return nil, err
	}
	acknowledged, err := canonical.FromTime(ackTime)
	if err != nil {
		return nil, refusal.Because(refusal.AckTime, err)
	}
	m, err := load(tx, signed.Meeting)
	if err != nil {
		return nil, err
	}
	if signed.MeetingHash != m.Hash {
		return nil, refusal.New(refusal.ObjectionMeeting, "its mh is %s", m.Hash)
	}
	held, err := tx.Get(objectionKey(m.ID, signed.ID))
	if err != nil {
		return nil, err
	}
	if held != nil {
		return held, checkSameObjection(held, signed)
	}
	if !slices.Contains(disputed, m.state) {
		return nil, refusal.New(refusal.MeetingState, "%s is %s", m.ID, m.state)
	}
	if acknowledged > m.Meeting.Objections {
		return nil, refusal.New(refusal.ObjectionLate, "acknowledged at %s", ackTime)
	}
	enrolments, err := askEnrolments(tx, []string{signed.Sub})
	if err != nil {
		return nil, err
	}
	enrolment := enrolments[0]
	if enrolment == nil {
		return nil, refusal.New(refusal.EnrolmentNotFound, "")
	}
	if err := checkPrincipal(m.Meeting, enrolment, signed.Thumbprint); err != nil {
		return nil, err
	}
	if err := signed.Verify(enrolment.Point); err != nil {
		return nil, err
	}
	if err := countObjection(tx, m.ID, signed.Sub); err != nil {
		return nil, err
	}
	if _, err := put(tx, undecidedKey(m.ID, signed.ID), outstandingRecord{Version: 1, Objection: signed.ID}); err != nil {
		return nil, err
	}
	if err := announceDispute(tx, m.ID, signed.ID, "filed"); err != nil {
		return nil, err
	}
	return put(tx, objectionKey(m.ID, signed.ID), objectionRecord{
		Version: 1, Objection: text, Door: door, AckTime: ackTime, Revision: enrolment.Revision, Transaction: tx.ID(),
	})
}

// countObjection counts one more of a lender's, up to maxObjections
// (OBJECTION_LIMIT). Two of one lender in a block conflict, those of others never.
func countObjection(tx ledger.Tx, id, sub string) error {
	count := objectorRecord{Version: 1}
	held, err := tx.Get(objectorKey(id, sub))
	if err != nil {
		return err
	}
	if held != nil {
		before, err := decode[objectorRecord](held)
		if err != nil {
			return err
		}
		count.Filed = before.Filed
	}
	if count.Filed >= maxObjections {
		return refusal.New(refusal.ObjectionLimit, "%d are filed", count.Filed)
	}
	count.Filed++
	_, err = put(tx, objectorKey(id, sub), count)
	return err
}

// checkSameObjection refuses (OBJECTION_EXISTS) another objection under the id.
// The signing input is compared: a signature has a twin.
func checkSameObjection(held []byte, signed *ballot.SignedObjection) error {
	before, err := readObjection(held)
	if err != nil {
		return err
	}
	if before.Digest() != signed.Digest() {
		return refusal.New(refusal.ObjectionExists, "%s", signed.ID)
	}
	return nil
}

func readObjection(value []byte) (*ballot.SignedObjection, error) {
	record, err := decode[objectionRecord](value)
	if err != nil {
		return nil, err
	}
	return ballot.ParseObjection(record.Objection)
}

// announceDispute tells listeners what became of an objection.
func announceDispute(tx ledger.Tx, id, objection, what string) error {
	event, err := canonical.Marshal(map[string]any{"v": 1, "mtg": id, "obj": objection, "what": what})
	if err != nil {
		return err
	}
	return tx.Emit("objection", event)
}

// disputeView is what GetObjection answers.
type disputeView struct {
	Version   int             `json:"v"`
	Objection json.RawMessage `json:"objection"`
	Answer    json.RawMessage `json:"answer"`
	Award     json.RawMessage `json:"award"`
}

func viewOf(objection, answer, award []byte) disputeView {
	view := disputeView{Version: 1, Objection: objection, Answer: answer, Award: award}
	for _, part := range []*json.RawMessage{&view.Answer, &view.Award} {
		if *part == nil {
			*part = json.RawMessage("null")
		}
	}
	return view
}

func getObjection(tx ledger.Tx, id, objection string) ([]byte, error) {
	if _, err := load(tx, id); err != nil {
		return nil, err
	}
	if !canonical.IsRandomID(objection) {
		return nil, refusal.New(refusal.ArgumentFormat, "an objection's id is 16 bytes in base64url")
	}
	values, err := tx.GetMany([]string{
		objectionKey(id, objection), answerKey(id, objection), awardKey(id, objection),
	})
	if err != nil {
		return nil, err
	}
	if values[0] == nil {
		return nil, refusal.New(refusal.ObjectionNotFound, "%s", objection)
	}
	return canonical.Marshal(viewOf(values[0], values[1], values[2]))
}

func (c *Contract) listObjections(tx ledger.Tx, id string) ([]byte, error) {
	if _, err := load(tx, id); err != nil {
		return nil, err
	}
	var filed, keys []string
	found, err := tx.Scan(objectionKind, []string{id}, func(value []byte) error {
		signed, err := readObjection(value)
		if err != nil {
			return err
		}
		filed = append(filed, string(value))
		keys = append(keys, answerKey(id, signed.ID), awardKey(id, signed.ID))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if found >= c.rangeLimit {
		return nil, refusal.New(refusal.RangeLimit, "%d objections", found)
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return nil, err
	}
	views := make([]disputeView, len(filed))
	for i, objection := range filed {
		views[i] = viewOf([]byte(objection), values[2*i], values[2*i+1])
	}
	return canonical.Marshal(views)
}
