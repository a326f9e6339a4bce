// Package meeting reads a meeting's frozen record and says which state may
// follow which. It is pure: bytes in, values or a refusal out.
package meeting

import (
	"strings"

	"concordat/chaincode/canonical"
)

// Limits of a record.
const (
	maxText      = 200
	maxDocuments = 50
	maxMotions   = 20
	maxChoices   = 100
	maxMethods   = 20
	maxTests     = 20
	nameLimit    = 40
	motionLimit  = 20
)

// AllClasses is the scope of a test over the whole roll.
const AllClasses = "all"

// Meeting is a valid record. It is never changed after Parse made it.
type Meeting struct {
	Hash        string // mh: base64url of the tagged hash of the record
	ID          string
	Institution string
	Title       string
	Roll        Roll
	Motions     []Motion
	Revote      bool // a higher seq replaces a ballot
	Methods     []string
	Opens       int64 // Unix seconds
	Closes      int64 // a ballot acknowledged in this second is in time
	Objections  int64 // the end of the period for objections
	Genesis     map[string]string

	// ByID lists the positions of the motions in the order of their ids, the
	// order in which canonical JSON has a ballot's votes.
	ByID []int
}

// Roll is what the record says of the register of claims.
type Roll struct {
	Root      [32]byte
	Size      uint64 // leaves, which is lenders
	Fen       int64
	CapHeight uint
	Classes   []Class // sorted by name
}

// Class is a class of claims and its totals.
type Class struct {
	Name  string
	Heads int64
	Fen   int64
}

// Motion is one question and the rules that it passes by.
type Motion struct {
	ID         string
	Choices    []string
	MaxChoices int
	Rules      Rules
}

// Rules say when a motion passes: when every test does.
type Rules struct {
	Profile string
	Yes     []string // choices in favour
	Abstain []string // choices that are present and not voting
	Tests   []Test
}

// Test compares Count over Base, both in Unit within Scope, with a fraction.
type Test struct {
	Name        string
	Scope       string // AllClasses or a class
	Count       string // yes | present | voted
	Base        string // eligible | present | voted
	Unit        string // heads | fen
	Comparator  string // > | >=
	Numerator   int64
	Denominator int64
}

// Channel is the name of an institution's channel.
func Channel(institution string) string {
	return "arbitration-" + strings.ToLower(strings.TrimSuffix(institution, "MSP"))
}

// HashOf is the mh of a record's canonical bytes.
func HashOf(record []byte) string {
	sum := canonical.Hash("concordat/meeting/v1", record)
	return canonical.Base64(sum[:])
}

// HasMethod says whether the meeting takes identity checks by a method.
func (m *Meeting) HasMethod(method string) bool {
	for _, name := range m.Methods {
		if name == method {
			return true
		}
	}
	return false
}

// ClassIndex is a class's position in the record; false if it has none.
func (r *Roll) ClassIndex(name string) (int, bool) {
	for i := range r.Classes {
		if r.Classes[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

// ChoiceIndex is a choice's position in the motion; false if it has none.
func (m *Motion) ChoiceIndex(choice string) (int, bool) {
	for i := range m.Choices {
		if m.Choices[i] == choice {
			return i, true
		}
	}
	return 0, false
}
