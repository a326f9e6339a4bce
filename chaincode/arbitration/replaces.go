package arbitration

import (
	"encoding/json"
	"fmt"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// checkReplaces refuses (MEETING_REPLACES) a meeting that is not in the place
// of the one that it names: a postponed meeting must be void, and a second
// vote must put motions alone that the first one did not pass. One meeting is
// in the place of another at most, from its announcement on.
func checkReplaces(tx ledger.Tx, m *meeting.Meeting) error {
	if m.Replaces == nil {
		return nil
	}
	before, err := load(tx, m.Replaces.Meeting)
	if code, _ := refusal.CodeOf(err); code == refusal.MeetingNotFound {
		return refusal.New(refusal.MeetingReplaces, "no meeting %s is on the channel", m.Replaces.Meeting)
	}
	if err != nil {
		return err
	}
	if before.Hash != m.Replaces.Hash {
		return refusal.New(refusal.MeetingReplaces, "the mh of %s is %s", before.ID, before.Hash)
	}
	successor, err := tx.Get(successorKey(before.ID))
	if err != nil {
		return err
	}
	if successor != nil {
		return refusal.New(refusal.MeetingReplaces, "%s has a successor: %s", before.ID, successor)
	}
	if m.Replaces.Why == meeting.Postponed {
		if before.state != meeting.Void {
			return refusal.New(refusal.MeetingReplaces, "%s is %s, not void", before.ID, before.state)
		}
		return nil
	}
	if !slices.Contains([]meeting.State{meeting.Closed, meeting.Objections, meeting.Certified}, before.state) {
		return refusal.New(refusal.MeetingReplaces, "%s is %s and has no result that stands", before.ID, before.state)
	}
	return checkFailed(tx, m, before.ID)
}

// putSuccessor writes down that a meeting announced is in the place of the one
// that it names. Of two confirmed at once the peers find one invalid: both read
// this key.
func putSuccessor(tx ledger.Tx, m *meeting.Meeting) error {
	if m.Replaces == nil {
		return nil
	}
	value, err := canonical.Marshal(map[string]any{"v": 1, "mtg": m.ID, "tx": tx.ID()})
	if err != nil {
		return err
	}
	return tx.Put(successorKey(m.Replaces.Meeting), value)
}

// checkFailed demands that each motion failed at the meeting before.
func checkFailed(tx ledger.Tx, m *meeting.Meeting, before string) error {
	value, err := tx.Get(resultKey(before))
	if err != nil {
		return err
	}
	var result struct {
		Motions map[string]struct {
			Passed *bool `json:"passed"`
		} `json:"motions"`
	}
	if err := json.Unmarshal(value, &result); err != nil {
		return fmt.Errorf("stored result: %w", err)
	}
	for _, motion := range m.Motions {
		passed := result.Motions[motion.ID].Passed // nil for no such motion, and for an election
		if passed == nil || *passed {
			return refusal.New(refusal.MeetingReplaces, "%s did not fail at %s", motion.ID, before)
		}
	}
	return nil
}
