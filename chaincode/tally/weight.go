// Package tally counts: the change that one transaction makes, the sum of all
// changes, and what the motions' rules make of it. All arithmetic is exact
// and in integers; nothing depends on the order of ballots.
package tally

import (
	"errors"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
)

// Everybody is the scope over all classes.
const Everybody = "*"

// ErrOverflow says that a sum left the integers that JSON keeps exact. It
// cannot happen while the leaves agree with the roll's totals.
var ErrOverflow = errors.New("a sum of claims exceeds 2^53-1 fen")

// Weight is [heads, fen]: how many lenders, and their claims.
type Weight [2]int64

// Cells are weights by scope: Everybody and each class. A lender with claims
// in two classes is one head in each and one in Everybody.
type Cells map[string]Weight

// add adds a weight to a scope; sums stay within ±MaxInteger.
func (c Cells) add(scope string, weight Weight) error {
	cell := c[scope]
	for i := range cell {
		sum := cell[i] + weight[i] // both within ±2^53: no wrap
		if sum > canonical.MaxInteger || sum < -canonical.MaxInteger {
			return ErrOverflow
		}
		cell[i] = sum
	}
	c[scope] = cell
	return nil
}

// count adds a lender's claims, or takes them away with sign -1.
func (c Cells) count(claims []ballot.Claim, sign int64) error {
	return c.countPart(claims, true, sign)
}

// countPart adds some of a lender's claims; the lender is one of Everybody's
// heads if those are all that count as one.
func (c Cells) countPart(claims []ballot.Claim, head bool, sign int64) error {
	total := int64(0)
	for _, claim := range claims {
		total += claim.Fen // a leaf's claims together are within 2^53-1
		if err := c.add(claim.Class, Weight{sign, sign * claim.Fen}); err != nil {
			return err
		}
	}
	heads := int64(0)
	if head {
		heads = sign
	}
	return c.add(Everybody, Weight{heads, sign * total})
}

// plus is a copy with all of other's cells added; minus, taken away. The sums
// are of one roll's claims: within bounds, as each of them is.
func (c Cells) plus(other Cells) Cells  { return c.combined(other, 1) }
func (c Cells) minus(other Cells) Cells { return c.combined(other, -1) }

func (c Cells) combined(other Cells, sign int64) Cells {
	sum := Cells{}
	for scope, weight := range c {
		sum[scope] = weight
	}
	for scope, weight := range other {
		cell := sum[scope]
		sum[scope] = Weight{cell[0] + sign*weight[0], cell[1] + sign*weight[1]}
	}
	return sum
}

// merge adds all of other's cells.
func (c Cells) merge(other Cells) error {
	for scope, weight := range other {
		if err := c.add(scope, weight); err != nil {
			return err
		}
	}
	return nil
}

// withoutZeros is a copy without the cells that are zero.
func (c Cells) withoutZeros() Cells {
	kept := Cells{}
	for scope, weight := range c {
		if weight != (Weight{}) {
			kept[scope] = weight
		}
	}
	return kept
}
