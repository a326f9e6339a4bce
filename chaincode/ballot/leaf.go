package ballot

import (
	"errors"
	"strconv"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

const saltSize = 16

// Leaf is a lender's entry on the roll.
type Leaf struct {
	Meeting string
	Sub     string
	Claims  []Claim // sorted by class, one a class
	Salt    []byte  // 16 bytes
}

// Claim is an amount in fen of a class.
type Claim struct {
	Class string
	Fen   int64
}

// ParseLeaf reads the canonical bytes of a leaf; it refuses with ROLL_LEAF.
func ParseLeaf(data []byte) (*Leaf, error) {
	leaf, err := parseLeaf(data)
	if err != nil {
		return nil, refusal.Because(refusal.RollLeaf, err)
	}
	if string(leaf.Encode()) != string(data) {
		return nil, refusal.New(refusal.RollLeaf, "not canonical")
	}
	return leaf, nil
}

func parseLeaf(data []byte) (*Leaf, error) {
	object, err := canonical.ParseObject(data)
	if err != nil {
		return nil, err
	}
	if err := object.Only([]string{"v", "mtg", "sub", "claims", "salt"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	leaf := &Leaf{}
	if leaf.Meeting, err = object.Text("mtg"); err != nil {
		return nil, err
	}
	if leaf.Sub, err = object.Text("sub"); err != nil {
		return nil, err
	}
	salt, err := object.Text("salt")
	if err != nil {
		return nil, err
	}
	if leaf.Salt, err = canonical.FromBase64Sized(salt, saltSize); err != nil {
		return nil, err
	}
	if leaf.Claims, err = readClaims(object); err != nil {
		return nil, err
	}
	return leaf, leaf.check()
}

func readClaims(object canonical.Object) ([]Claim, error) {
	items, err := object.Objects("claims")
	if err != nil {
		return nil, err
	}
	claims := make([]Claim, len(items))
	for i, item := range items {
		if err := item.Only([]string{"class", "fen"}); err != nil {
			return nil, err
		}
		if claims[i].Class, err = item.Text("class"); err != nil {
			return nil, err
		}
		if claims[i].Fen, err = item.Integer("fen"); err != nil {
			return nil, err
		}
	}
	return claims, nil
}

// check finds what no leaf may hold.
func (l *Leaf) check() error {
	if !canonical.IsName(l.Meeting, 40) || !canonical.IsRandomID(l.Sub) || len(l.Salt) != saltSize {
		return errors.New("mtg, sub or salt is malformed")
	}
	if len(l.Claims) == 0 {
		return errors.New("no claim")
	}
	total := uint64(0)
	for i, claim := range l.Claims {
		if !canonical.IsName(claim.Class, 40) || i > 0 && claim.Class <= l.Claims[i-1].Class {
			return errors.New("a class is malformed or out of order")
		}
		if claim.Fen < 1 || claim.Fen > canonical.MaxInteger {
			return errors.New("a claim is below 1 fen or above 2^53-1")
		}
		if total += uint64(claim.Fen); total > canonical.MaxInteger {
			return errors.New("the claims together exceed 2^53-1 fen")
		}
	}
	return nil
}

// Encode writes the leaf's canonical bytes; no name in it needs escaping.
func (l *Leaf) Encode() []byte {
	text := AppendClaims(append(make([]byte, 0, 192), `{"claims":`...), l.Claims)
	text = append(append(text, `,"mtg":"`...), l.Meeting...)
	text = canonical.AppendBase64(append(text, `","salt":"`...), l.Salt)
	text = append(append(text, `","sub":"`...), l.Sub...)
	return append(text, `","v":1}`...)
}

// AppendClaims appends the canonical JSON of claims.
func AppendClaims(text []byte, claims []Claim) []byte {
	text = append(text, '[')
	for i, claim := range claims {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, `{"class":"`...), claim.Class...)
		text = append(strconv.AppendInt(append(text, `","fen":`...), claim.Fen, 10), '}')
	}
	return append(text, ']')
}

// CheckAgainst refuses a leaf that is not the voter's at this meeting
// (ROLL_LEAF_FOREIGN), or has a class that the meeting does not (ROLL_CLASS).
func (l *Leaf) CheckAgainst(m *meeting.Meeting, sub string) error {
	if l.Meeting != m.ID || l.Sub != sub {
		return refusal.New(refusal.RollLeafForeign, "")
	}
	for _, claim := range l.Claims {
		if _, known := m.Roll.ClassIndex(claim.Class); !known {
			return refusal.New(refusal.RollClass, "")
		}
	}
	return nil
}
