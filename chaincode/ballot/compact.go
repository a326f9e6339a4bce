package ballot

import (
	"encoding/hex"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// What a compact entry and a ballot's record have in common: choices, classes
// and motions by their positions in the meeting's record.

// chosenBy makes votes of choices' indexes, which have the order of the
// record's motions; the votes have the order of their ids. It refuses
// CHOICE_MISSING, CHOICE_MOTION, CHOICE_UNKNOWN, CHOICE_COUNT.
func chosenBy(indexes []voteIndexes, m *meeting.Meeting, proxied bool) ([]Vote, error) {
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
		if err := votes[place].checkCount(&m.Motions[position], proxied); err != nil {
			return nil, err
		}
	}
	return votes, nil
}

// appendVoteIndexes writes legal votes, in the order of m.ByID, by their indexes.
func appendVoteIndexes(data []byte, votes []Vote, m *meeting.Meeting) []byte {
	places := make([]int, len(m.Motions)) // by position
	for place, position := range m.ByID {
		places[position] = place
	}
	data = canonical.AppendArray(data, len(votes))
	for position := range m.Motions {
		vote := &votes[places[position]]
		if vote.Array {
			data = canonical.AppendArray(data, len(vote.Choices))
		}
		for _, choice := range vote.Choices {
			index, _ := m.Motions[position].ChoiceIndex(choice)
			data = canonical.AppendUint(data, uint64(index))
		}
	}
	return data
}

// claimsOf makes claims of classes' indexes; it refuses (ROLL_CLASS) an index
// that no class has.
func claimsOf(compact []compactClaim, roll *meeting.Roll) ([]Claim, error) {
	claims := make([]Claim, len(compact))
	for i, claim := range compact {
		if claim.class >= uint64(len(roll.Classes)) {
			return nil, refusal.New(refusal.RollClass, "class %d", claim.class)
		}
		claims[i] = Claim{
			Class: roll.Classes[claim.class].Name, Fen: int64(claim.fen), Decision: hex.EncodeToString(claim.decision),
		}
	}
	return claims, nil
}

// appendClaimIndexes writes claims by their classes' indexes.
func appendClaimIndexes(data []byte, claims []Claim, roll *meeting.Roll) ([]byte, error) {
	data = canonical.AppendArray(data, len(claims))
	for _, claim := range claims {
		class, _ := roll.ClassIndex(claim.Class)
		members := 2
		if claim.Decision != "" {
			members = 3
		}
		data = canonical.AppendUint(canonical.AppendArray(data, members), uint64(class))
		data = canonical.AppendUint(data, uint64(claim.Fen))
		if claim.Decision != "" {
			decision, err := hex.DecodeString(claim.Decision)
			if err != nil {
				return nil, err
			}
			data = canonical.AppendBytes(data, decision)
		}
	}
	return data, nil
}

// motionsOf makes motions' ids, in ascending order, of their indexes; it
// refuses (ROLL_CLASS) an index that no motion has.
func motionsOf(indexes []uint64, m *meeting.Meeting) ([]string, error) {
	var motions []string
	for _, index := range indexes {
		if index >= uint64(len(m.Motions)) {
			return nil, refusal.New(refusal.RollClass, "motion %d", index)
		}
		motions = append(motions, m.Motions[index].ID)
	}
	slices.Sort(motions)
	return motions, nil
}

// appendMotionIndexes writes motions by their indexes, rising.
func appendMotionIndexes(data []byte, motions []string, m *meeting.Meeting) []byte {
	data = canonical.AppendArray(data, len(motions))
	for position := range m.Motions {
		if slices.Contains(motions, m.Motions[position].ID) {
			data = canonical.AppendUint(data, uint64(position))
		}
	}
	return data
}

// leafOf rebuilds a leaf; the record's classes are sorted, so rising indexes
// are rising names. It refuses ROLL_LEAF, then ROLL_CLASS.
func (l *compactLeaf) leafOf(m *meeting.Meeting, sub string) (*Leaf, error) {
	if len(l.claims) == 0 {
		return nil, refusal.New(refusal.RollLeaf, "no claim")
	}
	total := uint64(0)
	for i, claim := range l.claims {
		if i > 0 && claim.class <= l.claims[i-1].class || claim.fen < 1 || claim.fen > canonical.MaxInteger {
			return nil, refusal.New(refusal.RollLeaf, "classes out of order, or an amount out of range")
		}
		if total = min(total+claim.fen, canonical.MaxInteger+1); total > canonical.MaxInteger {
			return nil, refusal.New(refusal.RollLeaf, "the claims together exceed 2^53-1 fen")
		}
	}
	for i := 1; i < len(l.excluded); i++ {
		if l.excluded[i] <= l.excluded[i-1] {
			return nil, refusal.New(refusal.RollLeaf, "motions excluded out of order, or one twice")
		}
	}
	claims, err := claimsOf(l.claims, &m.Roll)
	if err != nil {
		return nil, err
	}
	excluded, err := motionsOf(l.excluded, m)
	if err != nil {
		return nil, err
	}
	return &Leaf{Meeting: m.ID, Sub: sub, Salt: l.salt, Claims: claims, Excluded: excluded}, nil
}
