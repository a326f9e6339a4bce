package ballot

import (
	"errors"
	"fmt"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// MaxAmended is how many lenders one amendment names at most, and how many all
// amendments of a meeting together: every batch reads them.
const MaxAmended = 1000

// MaxAmendments is how many amendments a meeting takes.
const MaxAmendments = 1000

// Amendment is a change of a frozen roll that the institution proposes and the
// Regulator confirms.
type Amendment struct {
	Meeting  string
	Number   int64 // counts a meeting's amendments from 1
	At       int64 // Unix seconds
	Reason   string
	Decision string // SHA-256, in lower-case hexadecimal, of the document that decides it
	Changes  []Change
}

// Change is what becomes of one lender on the roll.
type Change struct {
	Sub    string
	Before *Entitlement // nil: not on the roll, to be added
	After  *Entitlement // nil: taken off the roll
}

// Entitlement is what a lender is on the roll with.
type Entitlement struct {
	Claims   []Claim  // sorted by class, one a class
	Excluded []string // motions that the lender may not vote on, in ascending order
}

// Equal says whether two lenders' entitlements are the same; nil is a lender's
// who is not on the roll.
func (e *Entitlement) Equal(other *Entitlement) bool {
	if e == nil || other == nil {
		return e == other
	}
	return slices.Equal(e.Claims, other.Claims) && slices.Equal(e.Excluded, other.Excluded)
}

// leaf is the leaf, without salt, of a lender on the roll; one without claims
// for a lender who is not.
func (e *Entitlement) leaf(mtg, sub string) *Leaf {
	if e == nil {
		return &Leaf{Meeting: mtg, Sub: sub}
	}
	return &Leaf{Meeting: mtg, Sub: sub, Claims: e.Claims, Excluded: e.Excluded}
}

// AmendmentDigest names an amendment's canonical bytes for the one who
// confirms it.
func AmendmentDigest(document []byte) string {
	sum := canonical.Hash("concordat/amendment/v1", document)
	return canonical.Base64(sum[:])
}

// ParseAmendment reads the canonical bytes of an amendment; it refuses with
// AMENDMENT_FORMAT.
func ParseAmendment(document []byte) (*Amendment, error) {
	object, err := canonical.ParseObject(document)
	if err != nil {
		return nil, refusal.Because(refusal.AmendmentFormat, err)
	}
	if !canonical.IsCanonical(document) {
		return nil, refusal.New(refusal.AmendmentFormat, "not in the canonical form of RFC 8785")
	}
	amendment, err := parseAmendment(object)
	if err != nil {
		return nil, refusal.Because(refusal.AmendmentFormat, err)
	}
	return amendment, nil
}

func parseAmendment(object canonical.Object) (*Amendment, error) {
	if err := object.Only([]string{"v", "mtg", "no", "at", "reason", "decision", "changes"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	amendment := &Amendment{}
	var err error
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mtg", &amendment.Meeting}, {"reason", &amendment.Reason}, {"decision", &amendment.Decision},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return nil, err
		}
	}
	at, err := object.Text("at")
	if err != nil {
		return nil, err
	}
	if amendment.At, err = canonical.FromTime(at); err != nil {
		return nil, err
	}
	if amendment.Number, err = object.Integer("no"); err != nil {
		return nil, err
	}
	switch {
	case !canonical.IsName(amendment.Meeting, 40):
		return nil, errors.New("mtg is not a meeting id")
	case amendment.Number < 1 || amendment.Number > MaxAmendments:
		return nil, fmt.Errorf("no is not from 1 to %d", MaxAmendments)
	case !canonical.IsHex256(amendment.Decision):
		return nil, errors.New("decision is not a SHA-256 in lower-case hex")
	}
	if err := meeting.CheckReason(amendment.Reason); err != nil {
		return nil, err
	}
	amendment.Changes, err = parseChanges(object)
	return amendment, err
}

func parseChanges(object canonical.Object) ([]Change, error) {
	items, err := object.Objects("changes")
	if err != nil {
		return nil, err
	}
	if len(items) < 1 || len(items) > MaxAmended {
		return nil, fmt.Errorf("not 1 to %d changes", MaxAmended)
	}
	changes := make([]Change, len(items))
	for i, item := range items {
		change := &changes[i]
		if err := item.Only([]string{"sub", "before", "after"}); err != nil {
			return nil, err
		}
		if change.Sub, err = item.Text("sub"); err != nil {
			return nil, err
		}
		if !canonical.IsRandomID(change.Sub) || i > 0 && change.Sub <= changes[i-1].Sub {
			return nil, errors.New("a pseudonym is malformed or out of order")
		}
		if change.Before, err = parseEntitlement(item, "before"); err != nil {
			return nil, err
		}
		if change.After, err = parseEntitlement(item, "after"); err != nil {
			return nil, err
		}
		if change.Before.Equal(change.After) {
			return nil, errors.New("a change changes nothing")
		}
	}
	return changes, nil
}

// parseEntitlement reads null, or claims and perhaps motions as a leaf has them.
func parseEntitlement(item canonical.Object, name string) (*Entitlement, error) {
	if item[name] == nil { // null: the member is there
		return nil, nil
	}
	object, err := item.Object(name)
	if err != nil {
		return nil, err
	}
	if err := object.Only([]string{"claims"}, "excluded"); err != nil {
		return nil, err
	}
	entitlement := &Entitlement{}
	if entitlement.Claims, err = readClaims(object); err != nil {
		return nil, err
	}
	if entitlement.Excluded, err = readExcluded(object); err != nil {
		return nil, err
	}
	return entitlement, checkEntitled(entitlement.Claims, entitlement.Excluded)
}

// Counted says whether a ballot was counted with this entitlement; one of a
// lender off the roll counts with none.
func (e *Entitlement) Counted(cast *Record) bool {
	stands := e.leaf("", "")
	return slices.Equal(stands.Claims, cast.Claims) &&
		slices.Equal(Uncounted(stands.Excluded, cast.Votes), cast.Excluded)
}
