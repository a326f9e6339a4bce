package arbitration

import (
	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/directory"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// hearing is one entry of a batch, what it is judged by, and how it ended:
// refused, pending, same, or none of them, which is accepted.
type hearing struct {
	reading     ballot.Reading
	candidate   *ballot.Candidate
	enrolment   *directory.Enrolment // the signer's; nil if identity has none
	session     *directory.Session   // nil if identity has none
	held        *ballot.Record       // the voter's ballot on the channel, if any
	sessionUsed bool                 // by a ballot of the voter's that was replaced since
	mandate     *heldMandate         // the voter's last, if any; read only where a proxy signs

	refused  error
	revision uint64       // of the enrolment that the refusal relied on
	pending  refusal.Code // a record that is not there yet: no verdict
	same     bool         // this very ballot is held
	digest   string
	leaf     *ballot.Leaf
}

// bench judges entries of one meeting. It changes nothing but the hearing, so
// many can be judged at once.
type bench struct {
	meeting *meeting.Meeting
	cap     meeting.Cap
	amended *ballot.Overlay
}

// judge applies the checks to an entry that was read (step 1), in the order
// that all implementations share; the first that fails is the verdict.
func (b *bench) judge(c *hearing) error {
	if c.isHeld() { // step 2
		c.same = true
		return nil
	}
	if err := c.candidate.Ballot.CheckAgainst(b.meeting); err != nil { // step 3
		return err
	}
	if err := b.checkLeaf(c); err != nil { // step 4
		return err
	}
	if err := b.checkTime(c); err != nil { // step 5
		return err
	}
	if err := b.agency(c); err != nil || c.pending != "" { // step 6
		return err
	}
	if c.enrolment == nil { // step 7
		c.pending = refusal.EnrolmentNotFound
		return nil
	}
	c.revision = c.enrolment.Revision
	signed, err := b.checkKey(c)
	if err != nil {
		return err
	}
	if c.session == nil { // step 8
		c.pending = refusal.SessionNotFound
		return nil
	}
	if err := b.checkSession(c, signed); err != nil {
		return err
	}
	if err := b.checkHistory(c); err != nil { // step 9
		return err
	}
	c.digest = signed.Digest()
	return nil
}

// isHeld says whether the channel holds this very ballot. A replay is a
// success whatever came later: another door's time, a revocation, an expired
// session. A copy with another signature must still be a genuine one.
func (c *hearing) isHeld() bool {
	if c.held == nil || c.enrolment == nil {
		return false
	}
	thumbprint := canonical.Base64(c.enrolment.Thumbprint)
	signed := c.candidate.Complete(thumbprint)
	return signed.Digest() == c.held.Digest && signed.Thumbprint == thumbprint &&
		signed.Verify(c.enrolment.Point) == nil
}

// checkLeaf finds the claims that the ballot counts with: an amendment's, or
// those of the leaf that the entry proves.
func (b *bench) checkLeaf(c *hearing) error {
	if c.leaf = b.overlay(c.candidate.Ballot.Sub); c.leaf != nil {
		if len(c.leaf.Claims) == 0 {
			return refusal.New(refusal.RollProof, "an amendment took the voter off the roll")
		}
		return nil
	}
	leaf, err := c.candidate.Leaf(b.meeting)
	if err != nil {
		return err
	}
	c.leaf = leaf
	return c.candidate.VerifyLeaf(leaf, &b.meeting.Roll, b.cap)
}

// checkTime judges lateness by the acknowledgement, never by the ballot's own
// time or the proposal's, which their senders choose.
func (b *bench) checkTime(c *hearing) error {
	if c.candidate.AckTime < uint64(b.meeting.Opens) {
		return refusal.New(refusal.BallotEarly, "")
	}
	if c.candidate.AckTime > uint64(b.meeting.Closes) {
		return refusal.New(refusal.BallotLate, "")
	}
	return nil
}

func (b *bench) checkKey(c *hearing) (*ballot.Signed, error) {
	if c.enrolment.Institution != b.meeting.Institution {
		return nil, refusal.New(refusal.EnrolmentForeign, "")
	}
	if !c.enrolment.Active {
		return nil, refusal.New(refusal.KeyRevoked, "")
	}
	thumbprint := canonical.Base64(c.enrolment.Thumbprint)
	signed := c.candidate.Complete(thumbprint)
	if signed.Thumbprint != thumbprint {
		return nil, refusal.New(refusal.KeyForeign, "")
	}
	return signed, signed.Verify(c.enrolment.Point)
}

func (b *bench) checkSession(c *hearing, signed *ballot.Signed) error {
	session := c.session
	switch {
	case session.Sub != c.signer(), session.Act != c.principal():
		return refusal.New(refusal.SessionForeignLender, "")
	case session.Meeting != b.meeting.ID, session.Institution != b.meeting.Institution:
		return refusal.New(refusal.SessionForeignMeeting, "")
	case session.Thumbprint != signed.Thumbprint:
		return refusal.New(refusal.SessionForeignKey, "")
	case !b.meeting.HasMethod(session.Method):
		return refusal.New(refusal.SessionMethod, "")
	case session.Outcome != "accept":
		return refusal.New(refusal.SessionOutcome, "")
	case c.candidate.AckTime > session.Expires:
		return refusal.New(refusal.SessionExpired, "")
	}
	return nil
}

func (b *bench) checkHistory(c *hearing) error {
	// A session serves one voter alone, so that with no ballot held none can
	// have used it.
	if c.held == nil {
		return nil
	}
	check := b.checkAgainstSame
	if c.proxy() != c.held.Proxy {
		check = b.checkAgainstOther
	}
	if err := check(c); err != nil {
		return err
	}
	if c.sessionUsed || c.candidate.Ballot.Session == c.held.Session {
		return refusal.New(refusal.SessionUsed, "")
	}
	return nil
}

// checkAgainstSame judges a ballot by the one held of the same hand.
func (b *bench) checkAgainstSame(c *hearing) error {
	switch seq := c.candidate.Ballot.Seq; {
	case seq == c.held.Seq:
		return refusal.New(refusal.SeqEquivocation, "")
	case seq < c.held.Seq:
		return refusal.New(refusal.SeqStale, "")
	}
	return b.checkRevote()
}
