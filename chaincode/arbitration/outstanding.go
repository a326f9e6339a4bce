package arbitration

import (
	"concordat/chaincode/ledger"
	"concordat/chaincode/refusal"
)

// maxObjections is how many objections a lender may file at a meeting.
const maxObjections = 16

// Kinds of the records that say what stands between a meeting and its
// certification. Each is a key of its own, so that two lenders' objections, or
// two awards, never conflict; and certification looks for the first of each
// kind alone, so that however many there are it has an answer.
const (
	undecidedKind = "undecided" // an objection without an award
	recountKind   = "recount"   // an award that asks for an audit later than the one it names
	revoteKind    = "revote"    // an award that asks for another meeting
)

func objectorKey(id, sub string) string        { return ledger.Key("objector", id, sub) }
func undecidedKey(id, objection string) string { return ledger.Key(undecidedKind, id, objection) }
func revoteKey(id, objection string) string    { return ledger.Key(revoteKind, id, objection) }

// recountKey has the audit that stood when the award was made before the
// objection: those that a later audit hasn't met are a range of their own.
func recountKey(id, anchor, objection string) string {
	return ledger.Key(recountKind, id, anchor, objection)
}

// objectorRecord counts what a lender filed at a meeting.
type objectorRecord struct {
	Version     int    `json:"v"`
	Filed       int    `json:"filed"`
	Transaction string `json:"tx"` // that filed the last
}

// outstandingRecord is what an index entry holds: who made it.
type outstandingRecord struct {
	Version     int    `json:"v"`
	Transaction string `json:"tx"`
}

// countObjection refuses (OBJECTION_LIMIT) a lender's seventeenth objection.
// Two of one lender in one block conflict; those of different lenders don't.
func countObjection(tx ledger.Tx, id, sub string) error {
	key := objectorKey(id, sub)
	value, err := tx.Get(key)
	if err != nil {
		return err
	}
	filed := 0
	if value != nil {
		held, err := decode[objectorRecord](value)
		if err != nil {
			return err
		}
		filed = held.Filed
	}
	if filed >= maxObjections {
		return refusal.New(refusal.ObjectionLimit, "%d are filed", filed)
	}
	_, err = put(tx, key, objectorRecord{Version: 1, Filed: filed + 1, Transaction: tx.ID()})
	return err
}

func markUndecided(tx ledger.Tx, id, objection string) error {
	return markOutstanding(tx, undecidedKey(id, objection))
}

// markDecided takes an objection off what is undecided, and puts the remedy,
// if the award has one that holds up the certification, on what is
// outstanding. Without an audit any that is anchored later is a recount.
func markDecided(tx ledger.Tx, award *awardRecord) error {
	if err := tx.Delete(undecidedKey(award.Meeting, award.Objection)); err != nil {
		return err
	}
	switch {
	case award.Remedy == remedyRevote:
		return markOutstanding(tx, revoteKey(award.Meeting, award.Objection))
	case award.Remedy == remedyRecount && award.Anchor != "":
		return markOutstanding(tx, recountKey(award.Meeting, award.Anchor, award.Objection))
	}
	return nil
}

func markOutstanding(tx ledger.Tx, key string) error {
	_, err := put(tx, key, outstandingRecord{Version: 1, Transaction: tx.ID()})
	return err
}

// checkDisputes refuses while an objection is undecided (OBJECTION_OPEN), and
// while a remedy is outstanding (AWARD_UNMET): a recount is an audit that was
// anchored after the award, a new vote is another meeting. The queries over
// ranges that had to be empty make a certification invalid that an objection
// or an award overtakes.
func checkDisputes(tx ledger.Tx, id, anchor string) error {
	for _, outstanding := range []struct {
		kind       string
		attributes []string
		code       refusal.Code
	}{
		{undecidedKind, []string{id}, refusal.ObjectionOpen},
		{revoteKind, []string{id}, refusal.AwardUnmet},
		{recountKind, []string{id, anchor}, refusal.AwardUnmet},
	} {
		_, err := tx.Scan(outstanding.kind, outstanding.attributes, func(value []byte) error {
			first, err := decode[outstandingRecord](value)
			if err != nil {
				return err
			}
			return refusal.New(outstanding.code, "%s by %s", outstanding.kind, first.Transaction)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
