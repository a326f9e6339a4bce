package arbitration

import (
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// proxied says whether another than the voter claims to sign.
func (c *hearing) proxied() bool { return c.candidate.Ballot.Mandate != "" }

// signer is the pseudonym whose key and identity check an entry is judged by:
// the voter's own, or the proxy's that the mandate names. A proxy whose mandate
// was replaced is found in the ballot that it cast, so that the very ballot is
// still known again; where there is neither, no check asks who it is.
func (c *hearing) signer() string {
	content := c.candidate.Ballot
	switch {
	case !c.proxied():
		return content.Sub
	case c.mandate.names(content.Mandate):
		return c.mandate.signed.Proxy
	case c.held != nil && c.held.Proxy != "":
		return c.held.Proxy
	}
	return content.Sub
}

// proxy is the signer where it is not the voter, else "".
func (c *hearing) proxy() string {
	if c.proxied() {
		return c.signer()
	}
	return ""
}

// principal is for whom the signer's identity check must be meant, "" for the
// signer itself.
func (c *hearing) principal() string {
	if c.proxied() {
		return c.candidate.Ballot.Sub
	}
	return ""
}

// gatherMandates reads the mandates of the voters for whom a proxy signs.
func gatherMandates(tx ledger.Tx, m *meeting.Meeting, live []*hearing) error {
	if !m.Proxies {
		return nil
	}
	var by []*hearing
	var keys []string
	for _, c := range live {
		if c.proxied() {
			by = append(by, c)
			keys = append(keys, mandateKey(m.ID, c.candidate.Ballot.Sub))
		}
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return err
	}
	for i, c := range by {
		if c.mandate, err = readMandate(values[i]); err != nil {
			return err
		}
	}
	return nil
}

// agency decides whether the signer may sign for the voter. It refuses
// MANDATE_SCOPE where the meeting takes no proxies, MANDATE_REVOKED, and
// MANDATE_SCOPE where the motions answered are not exactly those that the
// mandate covers; a mandate that is not there yet is pending.
func (b *bench) agency(c *hearing) error {
	if !c.proxied() {
		return nil
	}
	if !b.meeting.Proxies {
		return refusal.New(refusal.MandateScope, "the meeting takes no proxies")
	}
	digest := c.candidate.Ballot.Mandate
	if c.mandate.replaced(digest) {
		return refusal.New(refusal.MandateRevoked, "another stands in its place")
	}
	if !c.mandate.names(digest) {
		c.pending = refusal.MandateNotFound
		return nil
	}
	if c.mandate.Revoked != nil {
		return refusal.New(refusal.MandateRevoked, "")
	}
	for _, vote := range c.candidate.Ballot.Votes {
		if c.mandate.signed.Covers(vote.Motion) != (len(vote.Choices) > 0) {
			return refusal.New(refusal.MandateScope, "%s", vote.Motion)
		}
	}
	return nil
}

// checkAgainstOther judges a ballot by the one held that another hand signed.
// The principal's own always prevails, whatever its number and the meeting's
// revotes; a proxy's never does against it; and a proxy's in the place of
// another proxy's is a revote with numbers of its own.
func (b *bench) checkAgainstOther(c *hearing) error {
	switch {
	case !c.proxied():
		return nil
	case c.held.Proxy == "":
		return refusal.New(refusal.PrincipalVoted, "")
	}
	return b.checkRevote()
}

func (b *bench) checkRevote() error {
	switch b.meeting.Revote {
	case meeting.RevoteNone:
		return refusal.New(refusal.RevoteNotAllowed, "")
	case meeting.RevoteFirst:
		return refusal.New(refusal.FirstStands, "")
	}
	return nil
}
