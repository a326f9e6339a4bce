package arbitration

import (
	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// proposeMeeting stores a record and the cap of its roll as a draft. A
// meeting's id is used once: a draft that is wrong is voided.
func proposeMeeting(tx ledger.Tx, caller authority.Caller, record, capBytes []byte) ([]byte, error) {
	m, err := meeting.Parse(record)
	if err != nil {
		return nil, err
	}
	if !authority.Owns(m.Institution, tx.Channel()) {
		return nil, refusal.New(refusal.MeetingFormat, "%s has no meetings on %s", m.Institution, tx.Channel())
	}
	if err := authority.CheckSame(caller, m.Institution); err != nil {
		return nil, err
	}
	nodes, err := meeting.ParseCap(capBytes)
	if err != nil {
		return nil, err
	}
	if err := m.Roll.CheckCap(nodes); err != nil {
		return nil, err
	}
	if err := checkReplaces(tx, m); err != nil {
		return nil, err
	}
	held, err := tx.Get(stateKey(m.ID))
	if err != nil {
		return nil, err
	}
	if held != nil {
		return nil, refusal.New(refusal.MeetingExists, "%s", m.ID)
	}
	if err := tx.Put(meetingKey(m.ID), record); err != nil {
		return nil, err
	}
	if err := tx.Put(capKey(m.ID), capBytes); err != nil {
		return nil, err
	}
	return announce(tx, m, meeting.Draft)
}

// confirmMeeting announces a draft: from here on the roll is frozen. What it
// replaces may have changed since it was proposed, so that is checked again.
func confirmMeeting(tx ledger.Tx, caller authority.Caller, id, mh string) ([]byte, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	if caller.MSP == m.Institution {
		return nil, refusal.New(refusal.NotAuthorised, "%s may not confirm what it proposed", caller.MSP)
	}
	if m.state != meeting.Draft {
		return nil, refusal.New(refusal.MeetingState, "%s is %s", id, m.state)
	}
	if m.Hash != mh {
		return nil, refusal.New(refusal.StepMismatch, "the draft's mh is %s", m.Hash)
	}
	if err := checkReplaces(tx, m.Meeting); err != nil {
		return nil, err
	}
	if err := putSuccessor(tx, m.Meeting); err != nil {
		return nil, err
	}
	return announce(tx, m.Meeting, meeting.Announced)
}

// announce sets a state and answers with it.
func announce(tx ledger.Tx, m *meeting.Meeting, state meeting.State) ([]byte, error) {
	if err := setState(tx, m.ID, state); err != nil {
		return nil, err
	}
	return canonical.Marshal(map[string]any{"v": 1, "mtg": m.ID, "mh": m.Hash, "state": state})
}
