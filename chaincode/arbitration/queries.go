package arbitration

import (
	"encoding/json"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// meetingView is what GetMeeting answers.
type meetingView struct {
	Version int             `json:"v"`
	Record  json.RawMessage `json:"record"`
	Hash    string          `json:"mh"`
	State   meeting.State   `json:"state"`
	Pending json.RawMessage `json:"pending,omitempty"`
	Audit   json.RawMessage `json:"audit,omitempty"`
	Count   *countView      `json:"count,omitempty"` // while closing: what the step to closed must name
}

type countView struct {
	Ballots   int64 `json:"ballots"`
	Subtotals int   `json:"subtotals"`
}

func (c *Contract) getMeeting(tx ledger.Tx, id string) ([]byte, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	values, err := tx.GetMany([]string{stepKey(id), auditKey(id)})
	if err != nil {
		return nil, err
	}
	view := meetingView{
		Version: 1,
		Record:  m.record,
		Hash:    m.Hash,
		State:   m.state,
		Pending: values[0],
		Audit:   values[1],
	}
	if m.state == meeting.Closing {
		total, found, err := c.sum(tx, id)
		if code, _ := refusal.CodeOf(err); err != nil && code != refusal.RangeLimit {
			return nil, err
		}
		if err == nil {
			view.Count = &countView{Ballots: total.Ballots, Subtotals: found}
		}
	}
	return canonical.Marshal(view)
}

// getBallot answers with the ballot that stands, or null for a voter who has
// none: that is an answer, not an error.
func getBallot(tx ledger.Tx, id, sub string) ([]byte, error) {
	if !canonical.IsRandomID(sub) {
		return nil, refusal.New(refusal.ArgumentFormat, "a pseudonym is 16 bytes in base64url")
	}
	if _, err := load(tx, id); err != nil {
		return nil, err
	}
	value, err := tx.Get(ballotKey(id, sub))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return []byte("null"), nil
	}
	return value, nil
}

func getResult(tx ledger.Tx, id string) ([]byte, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	result, err := tx.Get(resultKey(id))
	if err != nil {
		return nil, err
	}
	if result == nil {
		return nil, refusal.New(refusal.MeetingState, "%s is %s and has no result", id, m.state)
	}
	return result, nil
}

// listing is a meeting in ListMeetings' answer.
type listing struct {
	Meeting string        `json:"mtg"`
	Title   string        `json:"title"`
	Hash    string        `json:"mh"`
	State   meeting.State `json:"state"`
}

func (c *Contract) listMeetings(tx ledger.Tx) ([]byte, error) {
	listings := []listing{}
	var keys []string
	found, err := tx.Scan("meeting", nil, func(value []byte) error {
		m, err := parsedMeeting(value)
		if err != nil {
			return err
		}
		listings = append(listings, listing{Meeting: m.ID, Title: m.Title, Hash: m.Hash})
		keys = append(keys, stateKey(m.ID))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if found >= c.rangeLimit {
		return nil, refusal.New(refusal.RangeLimit, "%d meetings", found)
	}
	states, err := tx.GetMany(keys)
	if err != nil {
		return nil, err
	}
	for i, value := range states {
		state, err := decode[stateRecord](value)
		if err != nil {
			return nil, err
		}
		listings[i].State = state.State
	}
	return canonical.Marshal(listings)
}
