package arbitration

import (
	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// proposeStep stores a step for the Regulator to confirm. A later proposal
// takes the place of one that waits; the confirmation names which it means.
func (c *Contract) proposeStep(tx ledger.Tx, caller authority.Caller, id string, data []byte) ([]byte, error) {
	step, err := meeting.ParseStep(data)
	if err != nil {
		return nil, err
	}
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	if err := c.checkStep(tx, m, step); err != nil {
		return nil, err
	}
	record := stepRecord{
		Version:     1,
		By:          caller.MSP,
		Digest:      meeting.StepDigest(data),
		Step:        data,
		Transaction: tx.ID(),
	}
	if _, err := put(tx, stepKey(id), record); err != nil {
		return nil, err
	}
	return canonical.Marshal(map[string]any{"v": 1, "mtg": id, "to": step.To, "digest": record.Digest})
}

// confirmStep takes the step that waits, if it is the one named and still
// legal, and moves the meeting.
func (c *Contract) confirmStep(tx ledger.Tx, caller authority.Caller, id, digest string) ([]byte, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	value, err := tx.Get(stepKey(id))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, refusal.New(refusal.StepNotProposed, "%s", id)
	}
	pending, err := decode[stepRecord](value)
	if err != nil {
		return nil, err
	}
	if pending.By == caller.MSP {
		return nil, refusal.New(refusal.NotAuthorised, "%s may not confirm what it proposed", caller.MSP)
	}
	if pending.Digest != digest {
		return nil, refusal.New(refusal.StepMismatch, "waiting is %s", pending.Digest)
	}
	step, err := meeting.ParseStep(pending.Step)
	if err != nil {
		return nil, err
	}
	if err := c.checkStep(tx, m, step); err != nil {
		return nil, err
	}
	if step.To == meeting.Closed {
		if err := c.writeResult(tx, m, step); err != nil {
			return nil, err
		}
	}
	if err := tx.Delete(stepKey(id)); err != nil {
		return nil, err
	}
	return announce(tx, m.Meeting, step.To)
}

// checkStep refuses a step that the meeting's state or the announced times
// don't allow (MEETING_STATE, STEP_EARLY), and a certification that is not due.
func (c *Contract) checkStep(tx ledger.Tx, m *loaded, step *meeting.Step) error {
	if err := m.Check(m.state, step); err != nil {
		return err
	}
	if step.To != meeting.Certified {
		return nil
	}
	return checkCertifiable(tx, m.ID)
}
