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
	MaxMotions   = 20
	maxChoices   = 100
	maxMethods   = 20
	maxTests     = 20
	nameLimit    = 40
	MotionLimit  = 20 // characters of a motion's id
)

// Scopes of a test besides the names of classes.
const (
	AllClasses = "all"  // the whole roll
	EachClass  = "each" // every class by itself, all of which have to pass
)

// What a lender's second ballot does: RevoteLast replaces the first, with
// RevoteFirst the first stands, and RevoteNone takes no second one.
const (
	RevoteNone  = "none"
	RevoteLast  = "last"
	RevoteFirst = "first"
)

// Why a meeting replaces another.
const (
	Postponed  = "postponed"
	SecondVote = "second-vote"
)

// Meeting is a valid record. It is never changed after Parse made it.
type Meeting struct {
	Hash        string // mh: base64url of the tagged hash of the record
	ID          string
	Institution string
	Title       string
	Roll        Roll
	Motions     []Motion
	Revote      string    // RevoteNone, RevoteLast, RevoteFirst
	Replaces    *Replaces // nil if the meeting is in no other's place
	Proxies     bool      // mandates are taken
	Methods     []string
	Opens       int64 // Unix seconds
	Closes      int64 // a ballot acknowledged in this second is in time
	Objections  int64 // the end of the period for objections
	Genesis     map[string]string

	// ByID lists the positions of the motions in the order of their ids, the
	// order in which canonical JSON has a ballot's votes.
	ByID []int
}

// Replaces is the meeting in whose place another is held.
type Replaces struct {
	Meeting string
	Hash    string // its mh
	Why     string // Postponed, SecondVote
}

// Roll is what the record says of the register of claims.
type Roll struct {
	Root      [32]byte
	Size      uint64 // leaves, which is lenders
	Fen       int64
	CapHeight uint
	Classes   []Class // sorted by name
	Excluded  []Part  // by motion and class, Everybody's line first
	Disputed  []Part  // by class, Everybody's line first; its heads have no other claim
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
	Election   *Seats // nil for a resolution
}

// Seats is what an election fills.
type Seats struct {
	Seats int
	By    string // heads | fen: what candidates are ranked by
	Tie   string // unfilled | heads | fen: what decides between equals at the last seat
}

// Rules say when a motion passes: when every test does.
type Rules struct {
	Profile string
	Yes     []string // choices in favour; none in an election, where each candidate is tested
	Abstain []string // choices that are present and not voting
	Tests   []Test
}

// Test compares Count over Base, both in Unit within Scope, with a fraction.
type Test struct {
	Name        string
	Scope       string // AllClasses, EachClass or a class
	Count       string // yes | no | present | voted
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

// HasMotion says whether a motion is put to the meeting.
func (m *Meeting) HasMotion(id string) bool {
	for i := range m.Motions {
		if m.Motions[i].ID == id {
			return true
		}
	}
	return false
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
