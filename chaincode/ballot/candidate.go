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
	AckNumber int64
	AckTime   uint64 // Unix seconds

	index   uint64
	proof   [][]byte
	signed  *Signed       // nil for a compact entry until Complete
	compact *compactEntry // nil for a raw entry
	leaf    []byte        // a raw entry's leaf
}

// Reading is an entry as far as it could be read.
type Reading struct {
	// Voter is the pseudonym that the entry names: a compact entry of the
	// right shape does whatever else is wrong with it, a raw one once it is
	// read. Empty if the entry names nobody.
	Voter     string
	Candidate *Candidate // nil if the entry is refused
}

// ReadEntry reads an entry of a batch for a meeting. It refuses
// ENTRY_TOO_LARGE and ENTRY_FORMAT; then a raw entry as Parse does, and a
// compact one with BALLOT_SEQ, BALLOT_TIME, CHOICE_MISSING, CHOICE_MOTION,
// CHOICE_UNKNOWN, CHOICE_COUNT, BALLOT_TOO_LONG.
func ReadEntry(data []byte, m *meeting.Meeting) (Reading, error) {
	compact, raw, err := decodeEntry(data)
	if err != nil {
		return Reading{}, err
	}
	if compact != nil {
		candidate, err := readCompact(compact, m)
		return Reading{Voter: canonical.Base64(compact.Sub), Candidate: candidate}, err
	}
	signed, err := Parse(raw.JWS)
	if err != nil {
		return Reading{}, err
	}
	return Reading{Voter: signed.Sub, Candidate: &Candidate{
		Ballot:    &signed.Ballot,
		AckNumber: int64(raw.AckNumber),
		AckTime:   raw.AckTime,
		index:     raw.Index,
		proof:     raw.Proof,
		signed:    signed,
		leaf:      raw.Leaf,
	}}, nil
}

func readCompact(entry *compactEntry, m *meeting.Meeting) (*Candidate, error) {
	if entry.Seq < 1 || entry.Seq > maxSeq {
		return nil, refusal.New(refusal.BallotSeq, "seq %d", entry.Seq)
	}
	issuedAt, err := canonical.Time(entry.IssuedAt)
	if err != nil {
		return nil, refusal.Because(refusal.BallotTime, err)
	}
	votes, err := chosenBy(entry.indexes, m)
	if err != nil {
		return nil, err
	}
	ballot := &Ballot{
		MeetingHash: m.Hash,
		Meeting:     m.ID,
		Sub:         canonical.Base64(entry.Sub),
		Seq:         int64(entry.Seq),
		Session:     canonical.Base64(entry.Session),
		IssuedAt:    issuedAt,
		Votes:       votes,
	}
	if length := compactLength(len(ballot.payload())); length > maxJWS {
		return nil, refusal.New(refusal.BallotTooLong, "%d bytes", length)
	}
	return &Candidate{
		Ballot:    ballot,
		AckNumber: int64(entry.AckNumber),
		AckTime:   entry.AckTime,
		index:     entry.Leaf.Index,
		proof:     entry.Proof,
		compact:   entry,
	}, nil
}

// compactLength is how long the JWS of a payload is.
func compactLength(payload int) int {
	const thumbprintLength = 43
	encoded := func(size int) int { return (size*8 + 5) / 6 }
	return encoded(len(headerStart)+thumbprintLength+len(headerEnd)) + 1 + encoded(payload) + 1 + encoded(SignatureSize)
}

// chosenBy makes votes of a compact entry's choice indexes, which have the
// order of the record's motions; the votes have the order of their ids.
func chosenBy(indexes []voteIndexes, m *meeting.Meeting) ([]Vote, error) {
	if len(indexes) < len(m.Motions) {
		return nil, refusal.New(refusal.ChoiceMissing, "")
	}
	if len(indexes) > len(m.Motions) {
		return nil, refusal.New(refusal.ChoiceMotion, "")
	}
	votes := make([]Vote, len(indexes))
	for place, position := range m.ByID {
		motion := &m.Motions[position]
		votes[place] = Vote{Motion: motion.ID, Array: indexes[position].array}
		for _, index := range indexes[position].choices {
			if index >= uint64(len(motion.Choices)) {
				return nil, refusal.New(refusal.ChoiceUnknown, "%s", motion.ID)
			}
			votes[place].Choices = append(votes[place].Choices, motion.Choices[index])
		}
	}
	for place, position := range m.ByID {
		if err := votes[place].checkCount(&m.Motions[position]); err != nil {
			return nil, err
		}
	}
	return votes, nil
}

// Complete returns the signed ballot, rebuilding what a compact entry's
// lender signed with the thumbprint of the enrolled certificate. For a raw
// entry the thumbprint is the one that the ballot names.
func (c *Candidate) Complete(thumbprint string) *Signed {
	if c.signed == nil || c.compact != nil && c.signed.Thumbprint != thumbprint {
		c.signed = &Signed{
			Ballot:       *c.Ballot,
			Thumbprint:   thumbprint,
			Signature:    c.compact.Signature,
			SigningInput: signingInput(thumbprint, c.Ballot.payload()),
		}
	}
	return c.signed
}

// Leaf returns the voter's leaf, refusing ROLL_LEAF, ROLL_LEAF_FOREIGN and
// ROLL_CLASS. Whether it is on the roll, VerifyLeaf says.
func (c *Candidate) Leaf(m *meeting.Meeting) (*Leaf, error) {
	if c.compact == nil {
		leaf, err := ParseLeaf(c.leaf)
		if err != nil {
			return nil, err
		}
		return leaf, leaf.CheckAgainst(m, c.Ballot.Sub)
	}
	return c.compact.leafOf(m, c.Ballot.Sub)
}

// VerifyLeaf refuses (ROLL_PROOF) a leaf that is not on the roll.
func (c *Candidate) VerifyLeaf(leaf *Leaf, roll *meeting.Roll, nodes [][]byte) error {
	return VerifyProof(leaf.Encode(), c.index, c.proof, roll, nodes)
}

// leafOf rebuilds a leaf; the record's classes are sorted, so rising indexes
// are rising names.
func (e *compactEntry) leafOf(m *meeting.Meeting, sub string) (*Leaf, error) {
	claims := e.Leaf.Claims
	if len(claims) == 0 {
		return nil, refusal.New(refusal.RollLeaf, "no claim")
	}
	total := uint64(0)
	for i, claim := range claims {
		if i > 0 && claim.Class <= claims[i-1].Class || claim.Fen < 1 || claim.Fen > canonical.MaxInteger {
			return nil, refusal.New(refusal.RollLeaf, "classes out of order, or an amount out of range")
		}
		if total = min(total+claim.Fen, canonical.MaxInteger+1); total > canonical.MaxInteger {
			return nil, refusal.New(refusal.RollLeaf, "the claims together exceed 2^53-1 fen")
		}
	}
	leaf := &Leaf{Meeting: m.ID, Sub: sub, Salt: e.Leaf.Salt, Claims: make([]Claim, len(claims))}
	for i, claim := range claims {
		if claim.Class >= uint64(len(m.Roll.Classes)) {
			return nil, refusal.New(refusal.RollClass, "class %d", claim.Class)
		}
		leaf.Claims[i] = Claim{Class: m.Roll.Classes[claim.Class].Name, Fen: int64(claim.Fen)}
	}
	return leaf, nil
}
