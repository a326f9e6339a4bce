package ballot

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// Overlay is what all amendments of a meeting together made of its frozen
// roll: for each lender named, what the roll has and what stands.
type Overlay struct {
	Number  int64    // of the latest amendment; 0 without any
	Lenders []Change // in ascending order of Sub, as the leaves of the roll
}

const overlayVersion = 1

// Leaf is the leaf, without salt, that stands for a voter whom an amendment
// names: one without claims for a lender taken off the roll. It is nil where
// the roll's own leaf stands.
func (o *Overlay) Leaf(m *meeting.Meeting, sub string) *Leaf {
	change := o.find(sub)
	if change == nil {
		return nil
	}
	return change.After.leaf(m.ID, sub)
}

func (o *Overlay) find(sub string) *Change {
	place, found := slices.BinarySearchFunc(o.Lenders, sub, compareSub)
	if !found {
		return nil
	}
	return &o.Lenders[place]
}

func compareSub(change Change, sub string) int { return cmp.Compare(change.Sub, sub) }

// Amend returns the overlay with one amendment more, and leaves o as it is. It
// refuses AMENDMENT_FORMAT for a number that is not the next and for more
// lenders than MaxAmended, ROLL_CLASS for classes and motions that the meeting
// does not have, and AMENDMENT_CLAIMS where an amendment before this one left
// the lender otherwise than `before` says.
func (o *Overlay) Amend(amendment *Amendment, m *meeting.Meeting) (*Overlay, error) {
	if amendment.Number != o.Number+1 {
		return nil, refusal.New(refusal.AmendmentFormat, "no is %d, the next is %d", amendment.Number, o.Number+1)
	}
	amended := &Overlay{Number: amendment.Number, Lenders: slices.Clone(o.Lenders)}
	for _, change := range amendment.Changes {
		for _, side := range []*Entitlement{change.Before, change.After} {
			if err := side.leaf(m.ID, change.Sub).CheckAgainst(m, change.Sub); err != nil {
				return nil, err
			}
		}
		place, found := slices.BinarySearchFunc(amended.Lenders, change.Sub, compareSub)
		if !found {
			amended.Lenders = slices.Insert(amended.Lenders, place, change)
			continue
		}
		if !amended.Lenders[place].After.Equal(change.Before) {
			return nil, refusal.New(refusal.AmendmentClaims, "%s, as amended before", change.Sub)
		}
		amended.Lenders[place].After = change.After
	}
	if len(amended.Lenders) > MaxAmended {
		return nil, refusal.New(refusal.AmendmentFormat, "more than %d lenders amended", MaxAmended)
	}
	return amended, nil
}

// Encode writes the overlay in deterministic CBOR.
func (o *Overlay) Encode(m *meeting.Meeting) ([]byte, error) {
	data := canonical.AppendUint(canonical.AppendArray(nil, 3), overlayVersion)
	data = canonical.AppendArray(canonical.AppendUint(data, uint64(o.Number)), len(o.Lenders))
	for _, change := range o.Lenders {
		sub, err := canonical.FromBase64Sized(change.Sub, idSize)
		if err != nil {
			return nil, err
		}
		data = canonical.AppendBytes(canonical.AppendArray(data, 3), sub)
		for _, side := range []*Entitlement{change.Before, change.After} {
			if data, err = side.append(data, m); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}

// append writes [] for nobody, else the claims and, where there are any, the
// motions excluded.
func (e *Entitlement) append(data []byte, m *meeting.Meeting) ([]byte, error) {
	if e == nil {
		return canonical.AppendArray(data, 0), nil
	}
	members := 1
	if len(e.Excluded) > 0 {
		members = 2
	}
	data, err := appendClaimIndexes(canonical.AppendArray(data, members), e.Claims, &m.Roll)
	if err != nil || members == 1 {
		return data, err
	}
	return appendMotionIndexes(data, e.Excluded, m), nil
}

// DecodeOverlay reads an overlay that Encode wrote; no bytes are the overlay
// of a meeting without amendments.
func DecodeOverlay(data []byte, m *meeting.Meeting) (*Overlay, error) {
	if data == nil {
		return &Overlay{}, nil
	}
	cursor := canonical.NewCursor(data)
	members, version := cursor.Array(), cursor.Uint()
	overlay := &Overlay{Number: int64(cursor.Uint()), Lenders: make([]Change, cursor.Array())}
	for i := range overlay.Lenders {
		if cursor.Array() != 3 {
			cursor.Fail()
		}
		change := &overlay.Lenders[i]
		change.Sub = canonical.Base64(cursor.Sized(idSize))
		var errs [2]error
		change.Before, errs[0] = readEntitlement(cursor, m)
		change.After, errs[1] = readEntitlement(cursor, m)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("stored amendments: %w", err)
		}
	}
	if !cursor.Done() || members != 3 || version != overlayVersion {
		return nil, errors.New("stored amendments: not an overlay")
	}
	return overlay, nil
}

func readEntitlement(cursor *canonical.Cursor, m *meeting.Meeting) (entitlement *Entitlement, err error) {
	members := cursor.Array()
	if members == 0 {
		return nil, nil
	}
	entitlement = &Entitlement{}
	if entitlement.Claims, err = claimsOf(readCompactClaims(cursor), &m.Roll); err != nil || members == 1 {
		return entitlement, err
	}
	if members != 2 {
		cursor.Fail()
	}
	entitlement.Excluded, err = motionsOf(cursor.Uints(), m)
	return entitlement, err
}

// View is the overlay as queries answer it: canonical JSON, an array of
// {"after", "before", "sub"}, each side null or as an amendment has it.
func (o *Overlay) View() []byte {
	text := []byte{'['}
	for i, change := range o.Lenders {
		if i > 0 {
			text = append(text, ',')
		}
		text = change.After.appendJSON(append(text, `{"after":`...))
		text = change.Before.appendJSON(append(text, `,"before":`...))
		text = append(append(append(text, `,"sub":"`...), change.Sub...), `"}`...)
	}
	return append(text, ']')
}

func (e *Entitlement) appendJSON(text []byte) []byte {
	if e == nil {
		return append(text, "null"...)
	}
	text = AppendClaims(append(text, `{"claims":`...), e.Claims)
	if len(e.Excluded) > 0 {
		text = appendNames(append(text, `,"excluded":`...), e.Excluded)
	}
	return append(text, '}')
}
