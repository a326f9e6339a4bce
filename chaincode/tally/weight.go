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
	total := int64(0)
	for _, claim := range claims {
		total += claim.Fen // a leaf's claims together are within 2^53-1
		if err := c.add(claim.Class, Weight{sign, sign * claim.Fen}); err != nil {
			return err
		}
	}
	return c.add(Everybody, Weight{sign, sign * total})
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
