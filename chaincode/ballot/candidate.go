package ballot

import (
	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// Candidate is an entry read as far as the meeting's record allows: a ballot
// of valid form whose voter and session can be looked up.
type Candidate struct {
	Ballot    *Ballot
	AckNumber uint64
	AckTime   uint64 // Unix seconds

	index   uint64
	proof   [][]byte
	signed  *Signed       // nil for a rebuilt entry until Complete
	rebuilt *rebuiltEntry // nil for a raw entry
	leaf    []byte        // a raw entry's leaf
}

// Reading is an entry as far as it could be read.
type Reading struct {
	// Voter is the pseudonym that the entry names: a rebuilt entry of the
	// right shape does whatever else is wrong with it, a raw one once it is
	// read. Empty if the entry names nobody.
	Voter     string
	Candidate *Candidate // nil if the entry is refused
}

// ReadEntry reads an entry of a batch for a meeting. It refuses
// ENTRY_TOO_LARGE and ENTRY_FORMAT; then a raw entry as Parse does, and any
// other with BALLOT_SEQ, BALLOT_TIME, CHOICE_MISSING, CHOICE_MOTION,
// CHOICE_UNKNOWN, CHOICE_COUNT, BALLOT_TOO_LONG.
func ReadEntry(data []byte, m *meeting.Meeting) (Reading, error) {
	rebuilt, raw, err := decodeEntry(data)
	if err != nil {
		return Reading{}, err
	}
	if rebuilt != nil {
		candidate, err := rebuild(rebuilt, m)
		return Reading{Voter: canonical.Base64(rebuilt.sub), Candidate: candidate}, err
	}
	signed, err := Parse(raw.jws)
	if err != nil {
		return Reading{}, err
	}
	return Reading{Voter: signed.Sub, Candidate: &Candidate{
		Ballot:    &signed.Ballot,
		AckNumber: raw.ackNumber,
		AckTime:   raw.ackTime,
		index:     raw.index,
		proof:     raw.proof,
		signed:    signed,
		leaf:      raw.leaf,
	}}, nil
}

func rebuild(entry *rebuiltEntry, m *meeting.Meeting) (*Candidate, error) {
	if entry.seq < 1 || entry.seq > maxSeq {
		return nil, refusal.New(refusal.BallotSeq, "seq %d", entry.seq)
	}
	issuedAt, err := canonical.Time(entry.issuedAt)
	if err != nil {
		return nil, refusal.Because(refusal.BallotTime, err)
	}
	votes, err := chosenBy(entry.votes, m, entry.mandate != nil)
	if err != nil {
		return nil, err
	}
	ballot := &Ballot{
		MeetingHash: m.Hash,
		Meeting:     m.ID,
		Sub:         canonical.Base64(entry.sub),
		Seq:         int64(entry.seq),
		Session:     canonical.Base64(entry.session),
		IssuedAt:    issuedAt,
		Votes:       votes,
		Mandate:     canonical.Base64(entry.mandate),
	}
	if length := compactLength(len(ballot.payload())); length > maxJWS {
		return nil, refusal.New(refusal.BallotTooLong, "%d bytes", length)
	}
	candidate := &Candidate{
		Ballot:    ballot,
		AckNumber: entry.ackNumber,
		AckTime:   entry.ackTime,
		proof:     entry.proof,
		rebuilt:   entry,
	}
	if entry.leaf != nil {
		candidate.index = entry.leaf.index
	}
	return candidate, nil
}

// compactLength is how long the JWS of a payload is.
func compactLength(payload int) int {
	const thumbprintLength = 43
	encoded := func(size int) int { return (size*8 + 5) / 6 }
	return encoded(len(headerStart)+thumbprintLength+len(headerEnd)) + 1 + encoded(payload) + 1 + encoded(SignatureSize)
}

// Complete returns the signed ballot, rebuilding what a rebuilt entry's
// signer signed with the thumbprint of the enrolled certificate. For a raw
// entry the thumbprint is the one that the ballot names.
func (c *Candidate) Complete(thumbprint string) *Signed {
	if c.signed == nil || c.rebuilt != nil && c.signed.Thumbprint != thumbprint {
		c.signed = &Signed{
			Ballot:       *c.Ballot,
			Thumbprint:   thumbprint,
			Signature:    c.rebuilt.signature,
			SigningInput: signingInput(thumbprint, c.Ballot.payload()),
		}
	}
	return c.signed
}

// Leaf returns the voter's leaf as the entry has it, refusing ROLL_LEAF,
// ROLL_LEAF_FOREIGN and ROLL_CLASS, and ROLL_PROOF where it leaves the leaf to
// an amendment. Whether it is on the roll, VerifyLeaf says.
func (c *Candidate) Leaf(m *meeting.Meeting) (*Leaf, error) {
	if c.rebuilt == nil {
		leaf, err := ParseLeaf(c.leaf)
		if err != nil {
			return nil, err
		}
		return leaf, leaf.CheckAgainst(m, c.Ballot.Sub)
	}
	if c.rebuilt.leaf == nil {
		return nil, refusal.New(refusal.RollProof, "no amendment names the voter")
	}
	return c.rebuilt.leaf.leafOf(m, c.Ballot.Sub)
}

// VerifyLeaf refuses (ROLL_PROOF) a leaf that is not on the roll.
func (c *Candidate) VerifyLeaf(leaf *Leaf, roll *meeting.Roll, cap meeting.Cap) error {
	return VerifyProof(leaf.Encode(), c.index, c.proof, roll, cap)
}
