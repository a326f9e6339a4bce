package arbitration

import (
	"concordat/chaincode/ballot"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
)

// readOverlay reads what amendments made of a meeting's frozen roll.
func readOverlay(tx ledger.Tx, m *meeting.Meeting) (*ballot.Overlay, error) {
	value, err := tx.Get(overlayKey(m.ID))
	if err != nil {
		return nil, err
	}
	return ballot.DecodeOverlay(value, m)
}

// overlay is the leaf that an amendment of the frozen roll puts in the place
// of a voter's, without claims where it took the voter off the roll; nil where
// the roll's own holds.
func (b *bench) overlay(sub string) *ballot.Leaf { return b.amended.Leaf(b.meeting, sub) }
