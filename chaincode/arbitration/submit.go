package arbitration

import (
	"fmt"

	"concordat/chaincode/authority"
	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/directory"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/parallel"
	"concordat/chaincode/refusal"
	"concordat/chaincode/tally"
	"concordat/chaincode/verdict"
)

// submitBallots verifies a batch and records what it accepts. Each entry has
// a verdict of its own; only what is wrong with the batch as a whole refuses
// the transaction.
//
// Reads come first, all at once; then the entries are judged side by side;
// then writes follow in their order.
func submitBallots(tx ledger.Tx, caller authority.Caller, data []byte) ([]byte, error) {
	batch, err := ballot.DecodeBatch(data)
	if err != nil {
		return nil, err
	}
	m, err := load(tx, batch.Meeting)
	if err != nil {
		return nil, err
	}
	if err := m.checkDoor(caller.MSP); err != nil {
		return nil, err
	}
	roll, err := tx.Get(capKey(m.ID))
	if err != nil {
		return nil, err
	}
	amended, err := readOverlay(tx, m.Meeting)
	if err != nil {
		return nil, err
	}
	// ParseCap passed the cap when it was proposed.
	bench := &bench{meeting: m.Meeting, cap: meeting.Cap(roll), amended: amended}
	cases := make([]hearing, len(batch.Entries))
	parallel.Each(len(cases), func(i int) {
		cases[i].reading, cases[i].refused = ballot.ReadEntry(batch.Entries[i], m.Meeting)
		cases[i].candidate = cases[i].reading.Candidate
	})
	if err := gather(tx, m.Meeting, cases); err != nil {
		return nil, err
	}
	parallel.Each(len(cases), func(i int) {
		if cases[i].refused == nil {
			cases[i].refused = bench.judge(&cases[i])
		}
	})
	return record(tx, caller.MSP, m.Meeting, cases)
}

// checkDoor refuses (MEETING_NOT_OPEN) ballots that the meeting's state does
// not take from an organisation's door: while closing, the Regulator's alone
// is left, for ballots acknowledged in time.
func (m *loaded) checkDoor(door string) error {
	if m.state == meeting.Open || m.state == meeting.Closing && door == authority.Regulator {
		return nil
	}
	return refusal.New(refusal.MeetingNotOpen, "%s is %s", m.ID, m.state)
}

// gather reads what the entries are judged by. A second entry of a voter is
// refused, whatever became of the first: a transaction does not read its own
// writes.
func gather(tx ledger.Tx, m *meeting.Meeting, cases []hearing) error {
	var live []*hearing
	voters := make(map[string]bool, len(cases))
	for i := range cases {
		c := &cases[i]
		voter := c.reading.Voter
		if voter != "" && voters[voter] {
			c.refused = refusal.New(refusal.BatchDuplicateVoter, "")
		}
		voters[voter] = true
		if c.refused == nil {
			live = append(live, c)
		}
	}
	if len(live) == 0 {
		return nil
	}
	if err := gatherHeld(tx, m, live); err != nil {
		return err
	}
	if err := gatherMandates(tx, m, live); err != nil {
		return err
	}
	questions := make([]directory.Question, len(live))
	for i, c := range live {
		question, err := c.question()
		if err != nil {
			return err
		}
		questions[i] = question
	}
	answers, err := ask(tx, questions)
	if err != nil {
		return err
	}
	for i, c := range live {
		c.enrolment, c.session = answers[i].Enrolment, answers[i].Session
	}
	return nil
}

// gatherHeld reads the voters' ballots; and for those who have one, whether
// the session claimed was one of a ballot before it. Only a voter's own
// ballots can have used a session (checkSession), so for the others, who are
// most, there is nothing to ask.
func gatherHeld(tx ledger.Tx, m *meeting.Meeting, live []*hearing) error {
	keys := make([]string, len(live))
	for i, c := range live {
		keys[i] = ballotKey(m.ID, c.candidate.Ballot.Sub)
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return err
	}
	var again []*hearing
	var sessions []string
	for i, c := range live {
		if values[i] == nil {
			continue
		}
		if c.held, err = ballot.DecodeRecord(values[i], m); err != nil {
			return err
		}
		again = append(again, c)
		sessions = append(sessions, sessionKey(m.ID, c.candidate.Ballot.Session))
	}
	used, err := tx.GetMany(sessions)
	if err != nil {
		return err
	}
	for i, c := range again {
		c.sessionUsed = used[i] != nil
	}
	return nil
}

// question asks for the signer and the identity check.
func (c *hearing) question() (question directory.Question, err error) {
	if question.Sub, err = canonical.FromBase64Sized(c.signer(), 16); err != nil {
		return question, err
	}
	question.Session, err = canonical.FromBase64Sized(c.candidate.Ballot.Session, 16)
	return question, err
}

// ask looks all voters and sessions up on the identity channel at once.
func ask(tx ledger.Tx, questions []directory.Question) ([]directory.Answer, error) {
	query, err := directory.EncodeQuestions(questions)
	if err != nil {
		return nil, err
	}
	response, err := tx.Query("identity", "identity", []byte("Resolve"), query)
	if err != nil {
		return nil, err
	}
	answers, err := directory.DecodeAnswers(response, len(questions))
	if err != nil {
		return nil, fmt.Errorf("identity's answer: %w", err)
	}
	return answers, nil
}

// record writes the accepted ballots, their sessions and the subtotal, and
// answers with the verdicts.
func record(tx ledger.Tx, door string, m *meeting.Meeting, cases []hearing) ([]byte, error) {
	var verdicts verdict.List
	subtotal := tally.New()
	for i := range cases {
		c := &cases[i]
		accepted, err := verdicts.Settle(i, c.refused, c.pending, c.same, c.revision)
		if err != nil {
			return nil, err
		}
		if !accepted {
			continue
		}
		if err := c.write(tx, door, m, subtotal); err != nil {
			return nil, err
		}
	}
	if verdicts.Accepted() > 0 {
		value, err := subtotal.Encode()
		if err != nil {
			return nil, err
		}
		if err := tx.Put(subtotalKey(m.ID, tx.ID()), value); err != nil {
			return nil, err
		}
	}
	return verdicts.JSON(), tx.Emit("ballots", verdicts.Counts(m.ID))
}

// write records one accepted ballot and adds its change to the subtotal. The
// session of a ballot that it replaces is written down as used; its own is in
// the record.
func (c *hearing) write(tx ledger.Tx, door string, m *meeting.Meeting, subtotal *tally.Subtotal) error {
	content := c.candidate.Ballot
	entry := ballot.Record{
		Counted:   ballot.Counted{Claims: c.leaf.Claims, Excluded: ballot.Uncounted(c.leaf.Excluded, content.Votes), Votes: content.Votes},
		Door:      door,
		AckNumber: c.candidate.AckNumber,
		AckTime:   c.candidate.AckTime,
		Digest:    c.digest,
		Revision:  c.enrolment.Revision,
		Seq:       content.Seq,
		Session:   content.Session,
		Proxy:     c.proxy(),
	}
	value, err := entry.Encode(m)
	if err != nil {
		return err
	}
	if err := tx.Put(ballotKey(m.ID, content.Sub), value); err != nil {
		return err
	}
	if c.held == nil {
		err = subtotal.Add(m, &entry.Counted)
	} else {
		if err := tx.Put(sessionKey(m.ID, c.held.Session), []byte(c.held.Digest)); err != nil {
			return err
		}
		err = subtotal.Replace(m, &c.held.Counted, &entry.Counted)
	}
	if err != nil {
		return refusal.Because(refusal.MeetingRoll, err)
	}
	return nil
}
