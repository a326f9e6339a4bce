package arbitration

import "concordat/chaincode/ballot"

// overlay is the leaf that an amendment of the frozen roll puts in the place
// of a voter's, or nil where the roll's own holds. No channel has amendments
// yet.
func (b *bench) overlay(string) *ballot.Leaf { return nil }
