package ballot

import (
	"cmp"
	"errors"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// line names a line of the roll's figures: of whom a motion excludes, or of
// disputed claims, all of them ("") or those that a motion excludes besides;
// and a class, or Everybody.
type line struct {
	disputed      bool
	motion, class string
}

// figures are a roll's totals on their way from the frozen roll to the
// amended one: [heads, fen] each.
type figures struct {
	whole   [2]int64
	classes map[string][2]int64
	parts   map[line][2]int64
}

// Roll returns the figures of the roll as amended; root and cap stay those of
// the frozen one. It refuses (AMENDMENT_CLAIMS) totals that no roll can have:
// then some `before` was not what the roll has.
func (o *Overlay) Roll(frozen *meeting.Roll) (*meeting.Roll, error) {
	f := figures{
		whole:   [2]int64{int64(frozen.Size), frozen.Fen},
		classes: map[string][2]int64{},
		parts:   map[line][2]int64{},
	}
	for _, class := range frozen.Classes {
		f.classes[class.Name] = [2]int64{class.Heads, class.Fen}
	}
	for disputed, parts := range map[bool][]meeting.Part{false: frozen.Excluded, true: frozen.Disputed} {
		for _, part := range parts {
			f.parts[line{disputed, part.Motion, part.Class}] = [2]int64{part.Heads, part.Fen}
		}
	}
	for _, change := range o.Lenders {
		f.count(change.Before, -1)
		f.count(change.After, 1)
	}
	roll := *frozen
	roll.Size, roll.Fen = uint64(f.whole[0]), f.whole[1]
	roll.Classes = slices.Clone(frozen.Classes)
	for i := range roll.Classes {
		class := &roll.Classes[i]
		class.Heads, class.Fen = f.classes[class.Name][0], f.classes[class.Name][1]
	}
	roll.Excluded, roll.Disputed = f.lines()
	if err := f.check(); err != nil {
		return nil, refusal.Because(refusal.AmendmentClaims, err)
	}
	return &roll, nil
}

// count adds what a lender is on the roll with, or takes it away. At most a
// thousand claims below 2^53 come to a total below 2^53: no sum wraps.
func (f *figures) count(entitlement *Entitlement, sign int64) {
	if entitlement == nil {
		return
	}
	total, disputed := int64(0), int64(0)
	// Disputed claims count once for the whole, and once for each motion that
	// excludes them besides, so that nobody is taken away twice.
	places := append([]string{""}, entitlement.Excluded...)
	for _, claim := range entitlement.Claims {
		weight := [2]int64{sign, sign * claim.Fen}
		total += claim.Fen
		f.classes[claim.Class] = plus(f.classes[claim.Class], weight)
		if claim.Decision != "" {
			disputed += claim.Fen
			for _, motion := range places {
				f.add(line{true, motion, claim.Class}, weight)
			}
		}
		for _, motion := range entitlement.Excluded {
			f.add(line{false, motion, claim.Class}, weight)
		}
	}
	whole := [2]int64{sign, sign * total}
	f.whole = plus(f.whole, whole)
	for _, motion := range entitlement.Excluded {
		f.add(line{false, motion, meeting.Everybody}, whole)
	}
	if disputed == 0 {
		return
	}
	heads := int64(0) // whoever has another claim is a head without the disputed one
	if disputed == total {
		heads = sign
	}
	for _, motion := range places {
		f.add(line{true, motion, meeting.Everybody}, [2]int64{heads, sign * disputed})
	}
}

func (f *figures) add(place line, weight [2]int64) { f.parts[place] = plus(f.parts[place], weight) }

func plus(a, b [2]int64) [2]int64 { return [2]int64{a[0] + b[0], a[1] + b[1]} }

// lines are the parts that are left, in the record's order.
func (f *figures) lines() (excluded, disputed []meeting.Part) {
	for place, weight := range f.parts {
		part := meeting.Part{Motion: place.motion, Class: place.class, Heads: weight[0], Fen: weight[1]}
		switch {
		case weight == [2]int64{}:
		case place.disputed:
			disputed = append(disputed, part)
		default:
			excluded = append(excluded, part)
		}
	}
	for _, parts := range [][]meeting.Part{excluded, disputed} {
		slices.SortFunc(parts, func(a, b meeting.Part) int {
			return cmp.Or(cmp.Compare(a.Motion, b.Motion), cmp.Compare(a.Class, b.Class))
		})
	}
	return excluded, disputed
}

// check finds totals below nothing, of fen without lenders, or beyond the
// integers that JSON keeps exact.
func (f *figures) check() error {
	if f.whole[0] < 1 || f.whole[1] < f.whole[0] || f.whole[1] > canonical.MaxInteger {
		return errors.New("the roll would have nobody, or no possible sum")
	}
	heads := int64(0)
	for _, class := range f.classes {
		if impossible(class, f.whole) {
			return errors.New("a class would have no possible totals")
		}
		heads += class[0]
	}
	if heads < f.whole[0] {
		return errors.New("the classes would have fewer lenders than the roll")
	}
	for place, part := range f.parts {
		within := f.whole
		if place.class != meeting.Everybody {
			within = f.classes[place.class]
		}
		// Of disputed claims, everybody's heads are those without another: there may be none.
		if place.disputed && place.class == meeting.Everybody && part[0] == 0 {
			part[0] = min(part[1], 1)
		}
		if impossible(part, within) {
			return errors.New("what is excluded or disputed would have no possible totals")
		}
	}
	return nil
}

// impossible says whether totals are negative, of fen without lenders or of
// lenders without fen, or more than those that they are within.
func impossible(totals, within [2]int64) bool {
	return totals[0] < 0 || totals[1] < totals[0] || totals[0] == 0 && totals[1] != 0 ||
		totals[0] > within[0] || totals[1] > within[1]
}
