package tally

import (
	"math/bits"
	"slices"

	"concordat/chaincode/meeting"
)

// inFavour says whether a vote has any of the choices in favour.
func inFavour(rules *meeting.Rules, choices []string) bool {
	return slices.ContainsFunc(choices, func(choice string) bool { return slices.Contains(rules.Yes, choice) })
}

// voting says whether a vote has any choice that is no abstention.
func voting(rules *meeting.Rules, choices []string) bool {
	return slices.ContainsFunc(choices, func(choice string) bool { return !slices.Contains(rules.Abstain, choice) })
}

// Outcome is a test with its figures, in heads or fen as the test's unit is.
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
	Passed      bool     `json:"passed"`
}

// evaluate applies a motion's rules to the whole count. A motion passes if
// every test does; silence is never consent: a test over nobody fails.
func (s *Subtotal) evaluate(m *meeting.Meeting, motion *meeting.Motion) (outcomes []Outcome, passed bool) {
	passed = true
	for _, test := range motion.Rules.Tests {
		outcome := Outcome{
			Name:        test.Name,
			Scope:       test.Scope,
			Count:       test.Count,
			Base:        test.Base,
			Unit:        test.Unit,
			Comparator:  test.Comparator,
			Fraction:    [2]int64{test.Numerator, test.Denominator},
			Numerator:   s.figure(test.Count, &test, m, motion),
			Denominator: s.figure(test.Base, &test, m, motion),
		}
		outcome.Passed = passes(&outcome)
		passed = passed && outcome.Passed
		outcomes = append(outcomes, outcome)
	}
	return outcomes, passed
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

// figure is a test's numerator or denominator: what is eligible, present,
// voted or yes, within the test's scope and in its unit.
func (s *Subtotal) figure(what string, test *meeting.Test, m *meeting.Meeting, motion *meeting.Motion) int64 {
	var weight Weight
	scope := test.Scope
	if scope == meeting.AllClasses {
		scope = Everybody
	}
	switch what {
	case "eligible":
		weight = eligible(m, test.Scope)
	case "present":
		weight = s.Present[scope]
	case "yes":
		weight = s.yes(motion, scope)
	case "voted":
		weight = s.voted(motion, scope)
	}
	if test.Unit == "heads" {
		return weight[0]
	}
	return weight[1]
}

// yes is the weight of the ballots with any choice in favour.
func (s *Subtotal) yes(motion *meeting.Motion, scope string) Weight {
	if marksYes(motion) {
		return s.Motions[motion.ID][markYes][scope]
	}
	return s.chosen(motion, scope, func(choice string) bool { return slices.Contains(motion.Rules.Yes, choice) })
}

// voted is the weight of the ballots with any choice that is no abstention.
func (s *Subtotal) voted(motion *meeting.Motion, scope string) Weight {
	switch {
	case marksVoted(motion):
		return s.Motions[motion.ID][markVoted][scope]
	case motion.MaxChoices > 1: // and no choice abstains
		return s.Present[scope]
	}
	return s.chosen(motion, scope, func(choice string) bool { return !slices.Contains(motion.Rules.Abstain, choice) })
}

// chosen sums over choices, of which each ballot has one that counts at most.
func (s *Subtotal) chosen(motion *meeting.Motion, scope string, counts func(string) bool) (sum Weight) {
	for _, choice := range motion.Choices {
		if counts(choice) {
			cell := s.Motions[motion.ID][choice][scope]
			sum[0] += cell[0] // together not above the present, which are within bounds
			sum[1] += cell[1]
		}
	}
	return sum
}

func eligible(m *meeting.Meeting, scope string) Weight {
	if scope == meeting.AllClasses {
		return Weight{int64(m.Roll.Size), m.Roll.Fen}
	}
	position, _ := m.Roll.ClassIndex(scope)
	class := m.Roll.Classes[position]
	return Weight{class.Heads, class.Fen}
}
