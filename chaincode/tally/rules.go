package tally

import (
	"math/bits"

	"concordat/chaincode/meeting"
)

// Outcome is a test with its figures, in heads or fen as the test's unit is.
// A test of each class has an outcome a class, whose scope is the class.
type Outcome struct {
	Name        string   `json:"name"`
	Scope       string   `json:"scope"`
	Count       string   `json:"count"`
	Base        string   `json:"base"`
	Unit        string   `json:"unit"`
	Comparator  string   `json:"comparator"`
	Fraction    [2]int64 `json:"fraction"`
	Numerator   int64    `json:"numerator"`
	Denominator int64    `json:"denominator"`
	Required    int64    `json:"required"` // the least numerator that passes
	Passed      bool     `json:"passed"`
}

// evaluate applies a motion's tests to a poll, yes being what counts as in
// favour. They pass if every one does, and there is one: silence is never
// consent, so a test over nobody fails.
func (p *poll) evaluate(m *meeting.Meeting, tests []meeting.Test, yes Cells) (outcomes []Outcome, passed bool) {
	outcomes, passed = []Outcome{}, true
	for i := range tests {
		for _, scope := range p.scopes(m, tests[i].Scope) {
			outcome := p.apply(&tests[i], scope, yes)
			passed = passed && outcome.Passed
			outcomes = append(outcomes, outcome)
		}
	}
	return outcomes, passed && len(outcomes) > 0
}

// scopes are those that a test's scope stands for. A class of which nobody may
// vote on the motion has no vote to give, and none to withhold: each does not
// ask it.
func (p *poll) scopes(m *meeting.Meeting, scope string) []string {
	if scope != meeting.EachClass {
		return []string{scope}
	}
	var classes []string
	for _, class := range m.Roll.Classes {
		if p.eligible[class.Name][0] > 0 {
			classes = append(classes, class.Name)
		}
	}
	return classes
}

func (p *poll) apply(test *meeting.Test, scope string, yes Cells) Outcome {
	outcome := Outcome{
		Name:        test.Name,
		Scope:       scope,
		Count:       test.Count,
		Base:        test.Base,
		Unit:        test.Unit,
		Comparator:  test.Comparator,
		Fraction:    [2]int64{test.Numerator, test.Denominator},
		Numerator:   p.figure(test.Count, scope, test.Unit, yes),
		Denominator: p.figure(test.Base, scope, test.Unit, yes),
	}
	outcome.Passed = passes(&outcome)
	outcome.Required = required(&outcome)
	return outcome
}

// passes compares numerator/denominator with the fraction, by products of up
// to 106 bits: numerator·d against denominator·n.
func passes(outcome *Outcome) bool {
	if outcome.Denominator <= 0 || outcome.Numerator < 0 {
		return false
	}
	leftHigh, leftLow := bits.Mul64(uint64(outcome.Numerator), uint64(outcome.Fraction[1]))
	rightHigh, rightLow := bits.Mul64(uint64(outcome.Denominator), uint64(outcome.Fraction[0]))
	greater := leftHigh > rightHigh || leftHigh == rightHigh && leftLow > rightLow
	equal := leftHigh == rightHigh && leftLow == rightLow
	return greater || equal && outcome.Comparator == ">="
}

// required is the least numerator that passes over the denominator as it is:
// denominator·n/d, rounded up for >= and to the next integer for >. It is at
// least 1, which over nobody cannot be had.
func required(outcome *Outcome) int64 {
	if outcome.Denominator <= 0 {
		return 1
	}
	high, low := bits.Mul64(uint64(outcome.Denominator), uint64(outcome.Fraction[0]))
	quotient, rest := bits.Div64(high, low, uint64(outcome.Fraction[1])) // n <= d, so it is at most the denominator
	if rest > 0 || outcome.Comparator == ">" {
		quotient++
	}
	return int64(quotient)
}

// figure is a test's numerator or denominator: what is eligible, present,
// voted, yes or no, within a scope and in a unit. No is who voted otherwise
// than yes.
func (p *poll) figure(what, scope, unit string, yes Cells) int64 {
	if scope == meeting.AllClasses {
		scope = Everybody
	}
	place := 0
	if unit == "fen" {
		place = 1
	}
	switch what {
	case "eligible":
		return p.eligible[scope][place]
	case "present":
		return p.present[scope][place]
	case "yes":
		return yes[scope][place]
	case "no":
		return p.voted[scope][place] - yes[scope][place]
	}
	return p.voted[scope][place]
}
