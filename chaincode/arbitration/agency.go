package arbitration

import "concordat/chaincode/refusal"

// signer is the pseudonym whose key and identity check an entry is judged by:
// the voter's own.
func (c *hearing) signer() string { return c.candidate.Ballot.Sub }

// agency decides whether the signer may sign for the voter. No mandate is on
// any channel yet, so a proxy's ballot is refused (MANDATE_SCOPE).
func (b *bench) agency(c *hearing) error {
	if c.candidate.Ballot.Mandate != "" {
		return refusal.New(refusal.MandateScope, "the meeting takes no proxies")
	}
	return nil
}
