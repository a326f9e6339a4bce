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
	Meeting  string
	Sub      string
	Claims   []Claim  // sorted by class, one a class
	Salt     []byte   // 16 bytes
	Excluded []string // motions that the lender may not vote on, in ascending order
}

// Claim is an amount in fen of a class. A disputed claim votes with the amount
// that a decision fixed for the vote.
type Claim struct {
	Class    string
	Fen      int64
	Decision string // SHA-256 of the decision in lower-case hexadecimal, or ""
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
	if err := object.Only([]string{"v", "mtg", "sub", "claims", "salt"}, "excluded"); err != nil {
		return nil, err
	}
	if err := object.Version(2); err != nil {
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
	if leaf.Excluded, err = readExcluded(object); err != nil {
		return nil, err
	}
	return leaf, leaf.check()
}

// readExcluded reads the motions that a lender may not vote on; the member is
// absent where there is none.
func readExcluded(object canonical.Object) ([]string, error) {
	if _, ok := object["excluded"]; !ok {
		return nil, nil
	}
	excluded, err := object.Texts("excluded")
	if err != nil {
		return nil, err
	}
	if len(excluded) == 0 {
		return nil, errors.New("excluded from nothing")
	}
	return excluded, nil
}

func readClaims(object canonical.Object) ([]Claim, error) {
	items, err := object.Objects("claims")
	if err != nil {
		return nil, err
	}
	claims := make([]Claim, len(items))
	for i, item := range items {
		if err := item.Only([]string{"class", "fen"}, "decision"); err != nil {
			return nil, err
		}
		if claims[i].Class, err = item.Text("class"); err != nil {
			return nil, err
		}
		if claims[i].Fen, err = item.Integer("fen"); err != nil {
			return nil, err
		}
		if _, disputed := item["decision"]; !disputed {
			continue
		}
		if claims[i].Decision, err = item.Text("decision"); err != nil {
			return nil, err
		}
		if !canonical.IsHex256(claims[i].Decision) {
			return nil, errors.New("a decision is not a SHA-256 in lower-case hex")
		}
	}
	return claims, nil
}

// check finds what no leaf may hold.
func (l *Leaf) check() error {
	if !canonical.IsName(l.Meeting, 40) || !canonical.IsRandomID(l.Sub) || len(l.Salt) != saltSize {
		return errors.New("mtg, sub or salt is malformed")
	}
	return checkEntitled(l.Claims, l.Excluded)
}

// checkEntitled finds claims and exclusions that no lender may have.
func checkEntitled(claims []Claim, excluded []string) error {
	if len(claims) == 0 {
		return errors.New("no claim")
	}
	total := uint64(0)
	for i, claim := range claims {
		if !canonical.IsName(claim.Class, 40) || i > 0 && claim.Class <= claims[i-1].Class {
			return errors.New("a class is malformed or out of order")
		}
		if claim.Fen < 1 || claim.Fen > canonical.MaxInteger {
			return errors.New("a claim is below 1 fen or above 2^53-1")
		}
		if total += uint64(claim.Fen); total > canonical.MaxInteger {
			return errors.New("the claims together exceed 2^53-1 fen")
		}
	}
	if len(excluded) > meeting.MaxMotions {
		return errors.New("excluded from more motions than a meeting has")
	}
	for i, motion := range excluded {
		if !canonical.IsName(motion, meeting.MotionLimit) || i > 0 && motion <= excluded[i-1] {
			return errors.New("a motion excluded is malformed or out of order")
		}
	}
	return nil
}

// Encode writes the leaf's canonical bytes; no name in it needs escaping.
func (l *Leaf) Encode() []byte {
	text := AppendClaims(append(make([]byte, 0, 192), `{"claims":`...), l.Claims)
	if len(l.Excluded) > 0 {
		text = appendNames(append(text, `,"excluded":`...), l.Excluded)
	}
	text = append(append(text, `,"mtg":"`...), l.Meeting...)
	text = canonical.AppendBase64(append(text, `","salt":"`...), l.Salt)
	text = append(append(text, `","sub":"`...), l.Sub...)
	return append(text, `","v":2}`...)
}

// AppendClaims appends the canonical JSON of claims.
func AppendClaims(text []byte, claims []Claim) []byte {
	text = append(text, '[')
	for i, claim := range claims {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, `{"class":"`...), claim.Class...)
		if claim.Decision != "" {
			text = append(append(text, `","decision":"`...), claim.Decision...)
		}
		text = append(strconv.AppendInt(append(text, `","fen":`...), claim.Fen, 10), '}')
	}
	return append(text, ']')
}

// appendNames appends the canonical JSON of names, which need no escaping.
func appendNames(text []byte, names []string) []byte {
	text = append(text, '[')
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), name...), '"')
	}
	return append(text, ']')
}

// CheckAgainst refuses a leaf that is not the voter's at this meeting
// (ROLL_LEAF_FOREIGN), or has a class or motion that the meeting does not
// (ROLL_CLASS).
func (l *Leaf) CheckAgainst(m *meeting.Meeting, sub string) error {
	if l.Meeting != m.ID || l.Sub != sub {
		return refusal.New(refusal.RollLeafForeign, "")
	}
	for _, claim := range l.Claims {
		if _, known := m.Roll.ClassIndex(claim.Class); !known {
			return refusal.New(refusal.RollClass, "")
		}
	}
	for _, motion := range l.Excluded {
		if !m.HasMotion(motion) {
			return refusal.New(refusal.RollClass, "")
		}
	}
	return nil
}
