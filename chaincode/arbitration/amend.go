package arbitration

import (
	"encoding/json"
	"slices"

	"concordat/chaincode/authority"
	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/tally"
)

// amendmentRecord is an amendment that waits for confirmation or, under the
// key of its number, one that was confirmed.
type amendmentRecord struct {
	Version     int             `json:"v"`
	By          string          `json:"by"` // MSP that proposed it
	Digest      string          `json:"digest"`
	Document    json.RawMessage `json:"document"` // canonical
	Transaction string          `json:"tx"`       // that proposed or confirmed it
}

// proposeAmendment stores a change of the frozen roll for the Regulator to
// confirm. A later proposal takes the place of one that waits.
func proposeAmendment(tx ledger.Tx, caller authority.Caller, document []byte) ([]byte, error) {
	amendment, err := ballot.ParseAmendment(document)
	if err != nil {
		return nil, err
	}
	m, err := load(tx, amendment.Meeting)
	if err != nil {
		return nil, err
	}
	if _, _, err := m.amend(tx, amendment); err != nil {
		return nil, err
	}
	record := amendmentRecord{
		Version: 1, By: caller.MSP, Digest: ballot.AmendmentDigest(document), Document: document, Transaction: tx.ID(),
	}
	if _, err := put(tx, amendmentKey(m.ID), record); err != nil {
		return nil, err
	}
	return canonical.Marshal(map[string]any{"v": 1, "mtg": m.ID, "no": amendment.Number, "digest": record.Digest})
}

// confirmAmendment takes the amendment that waits, if it is the one named and
// still true: the overlay is written, and the ballots already cast of the
// lenders named count from now on with what they are entitled to.
func confirmAmendment(tx ledger.Tx, caller authority.Caller, id, digest string) ([]byte, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	value, err := tx.Get(amendmentKey(id))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, refusal.New(refusal.AmendmentMismatch, "none is waiting")
	}
	pending, err := decode[amendmentRecord](value)
	if err != nil {
		return nil, err
	}
	if pending.By == caller.MSP {
		return nil, refusal.New(refusal.NotAuthorised, "%s may not confirm what it proposed", caller.MSP)
	}
	if pending.Digest != digest {
		return nil, refusal.New(refusal.AmendmentMismatch, "waiting is %s", pending.Digest)
	}
	amendment, err := ballot.ParseAmendment(pending.Document)
	if err != nil {
		return nil, err
	}
	overlay, cast, err := m.amend(tx, amendment)
	if err != nil {
		return nil, err
	}
	pending.Transaction = tx.ID()
	if _, err := put(tx, amendedKey(id, amendment.Number), pending); err != nil {
		return nil, err
	}
	if err := m.writeAmended(tx, amendment, overlay, cast); err != nil {
		return nil, err
	}
	event, err := canonical.Marshal(map[string]any{"v": 1, "mtg": id, "no": amendment.Number})
	if err != nil {
		return nil, err
	}
	if err := tx.Emit("amendment", event); err != nil {
		return nil, err
	}
	return canonical.Marshal(map[string]any{"v": 1, "mtg": id, "no": amendment.Number, "reweighed": len(cast)})
}

// amend checks an amendment against the meeting's state, the amendments before
// it, the ballots cast and the roll's figures: MEETING_STATE,
// AMENDMENT_FORMAT, ROLL_CLASS, AMENDMENT_CLAIMS. It returns the overlay as
// amended and the ballots that the lenders named have cast. What the roll has of
// a lender who has not voted and was never amended is not on the channel: the
// Regulator, who has the roll, answers for it.
func (m *loaded) amend(tx ledger.Tx, amendment *ballot.Amendment) (*ballot.Overlay, map[string]*ballot.Record, error) {
	if !slices.Contains([]meeting.State{meeting.Announced, meeting.Open, meeting.Closing}, m.state) {
		return nil, nil, refusal.New(refusal.MeetingState, "%s is %s", m.ID, m.state)
	}
	before, err := readOverlay(tx, m.Meeting)
	if err != nil {
		return nil, nil, err
	}
	after, err := before.Amend(amendment, m.Meeting)
	if err != nil {
		return nil, nil, err
	}
	if _, err := after.Roll(&m.Roll); err != nil {
		return nil, nil, err
	}
	keys := make([]string, len(amendment.Changes))
	for i, change := range amendment.Changes {
		keys[i] = ballotKey(m.ID, change.Sub)
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return nil, nil, err
	}
	cast := map[string]*ballot.Record{}
	for i, change := range amendment.Changes {
		if values[i] == nil {
			continue
		}
		held, err := ballot.DecodeRecord(values[i], m.Meeting)
		if err != nil {
			return nil, nil, err
		}
		if !change.Before.Counted(held) {
			return nil, nil, refusal.New(refusal.AmendmentClaims, "%s, as the ballot was cast", change.Sub)
		}
		cast[change.Sub] = held
	}
	return after, cast, nil
}

// writeAmended writes the overlay, the ballots with their lenders' new
// entitlements, and what that changes in the count.
func (m *loaded) writeAmended(tx ledger.Tx, amendment *ballot.Amendment, overlay *ballot.Overlay, cast map[string]*ballot.Record) error {
	value, err := overlay.Encode(m.Meeting)
	if err != nil {
		return err
	}
	if err := tx.Put(overlayKey(m.ID), value); err != nil {
		return err
	}
	if err := tx.Delete(amendmentKey(m.ID)); err != nil {
		return err
	}
	if len(cast) == 0 {
		return nil
	}
	subtotal := tally.New()
	for _, change := range amendment.Changes {
		held := cast[change.Sub]
		if held == nil {
			continue
		}
		before := held.Counted
		held.Entitle(change.After)
		if err := subtotal.Reweigh(m.Meeting, &before, &held.Counted); err != nil {
			return refusal.Because(refusal.MeetingRoll, err)
		}
		if value, err = held.Encode(m.Meeting); err != nil {
			return err
		}
		if err := tx.Put(ballotKey(m.ID, change.Sub), value); err != nil {
			return err
		}
	}
	if value, err = subtotal.Encode(); err != nil {
		return err
	}
	return tx.Put(subtotalKey(m.ID, tx.ID()), value)
}

// getAmendments answers with the amendments confirmed, the one that waits, the
// lenders named and the roll's figures as amended.
func getAmendments(tx ledger.Tx, id string) ([]byte, error) {
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	overlay, err := readOverlay(tx, m.Meeting)
	if err != nil {
		return nil, err
	}
	roll, err := overlay.Roll(&m.Roll)
	if err != nil {
		return nil, err
	}
	keys := []string{amendmentKey(id)}
	for number := range overlay.Number {
		keys = append(keys, amendedKey(id, number+1))
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return nil, err
	}
	confirmed := make([]json.RawMessage, len(values)-1)
	for i, value := range values[1:] {
		confirmed[i] = value
	}
	return canonical.Marshal(amendmentsView{
		Version: 1, Number: overlay.Number, Pending: values[0], Confirmed: confirmed,
		Amended: overlay.View(), Roll: roll.View(),
	})
}

// amendmentsView is what GetAmendments answers.
type amendmentsView struct {
	Version   int               `json:"v"`
	Number    int64             `json:"no"` // of amendments confirmed
	Pending   json.RawMessage   `json:"pending,omitempty"`
	Confirmed []json.RawMessage `json:"confirmed"`
	Amended   json.RawMessage   `json:"amended"`
	Roll      map[string]any    `json:"roll"`
}
