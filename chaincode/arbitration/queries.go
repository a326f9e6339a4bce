package arbitration

import (
	"encoding/json"

	"concordat/chaincode/ballot"
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
	m, err := loadFor(tx, id, sub)
	if err != nil {
		return nil, err
	}
	value, err := tx.Get(ballotKey(id, sub))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return []byte("null"), nil
	}
	return ballotJSON(value, m.Meeting)
}

// past is one version of a voter's ballot, and the transaction that wrote it.
type past struct {
	Ballot      json.RawMessage `json:"ballot"`
	Transaction string          `json:"tx"`
}

// getBallotHistory answers with every ballot that ever stood for a voter, the
// oldest first. A peer reads it in its own blocks and not in the state, so it
// is no part of a read set: it is for asking, never for a transaction.
func getBallotHistory(tx ledger.Tx, id, sub string) ([]byte, error) {
	m, err := loadFor(tx, id, sub)
	if err != nil {
		return nil, err
	}
	versions, err := tx.History(ballotKey(id, sub))
	if err != nil {
		return nil, err
	}
	history := make([]past, len(versions))
	for i, version := range versions {
		history[i].Transaction = version.Transaction
		if history[i].Ballot, err = ballotJSON(version.Value, m.Meeting); err != nil {
			return nil, err
		}
	}
	return canonical.Marshal(history)
}

// loadFor loads a meeting for a question about a voter.
func loadFor(tx ledger.Tx, id, sub string) (*loaded, error) {
	if !canonical.IsRandomID(sub) {
		return nil, refusal.New(refusal.ArgumentFormat, "a pseudonym is 16 bytes in base64url")
	}
	return load(tx, id)
}

func ballotJSON(value []byte, m *meeting.Meeting) ([]byte, error) {
	record, err := ballot.DecodeRecord(value, m)
	if err != nil {
		return nil, err
	}
	return record.JSON()
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
