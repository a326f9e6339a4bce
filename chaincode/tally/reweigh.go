package tally

import (
	"concordat/chaincode/ballot"
	"concordat/chaincode/meeting"
)

// Reweigh counts a ballot anew after an amendment of the roll, with the claims
// that it was counted with and those that it counts with now. Without claims a
// ballot does not count at all: its lender is not on the roll.
func (s *Subtotal) Reweigh(m *meeting.Meeting, before, after *ballot.Counted) error {
	switch {
	case len(before.Claims) > 0 && len(after.Claims) > 0:
		return s.Replace(m, before, after)
	case len(after.Claims) > 0:
		return s.Add(m, after)
	case len(before.Claims) > 0:
		s.Ballots--
		return s.count(m, before, -1)
	}
	return nil
}
