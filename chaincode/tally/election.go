package tally

import (
	"cmp"
	"slices"

	"concordat/chaincode/meeting"
)

// How an election ended.
const (
	Elected  = "elected"  // every seat is filled
	Tied     = "tied"     // equals at the last seats leave those empty
	Unfilled = "unfilled" // fewer candidates passed than there are seats
)

// ElectionResult is who was elected, in the order of their rank, and whom only
// a further vote can part: equals get a seat together or not at all.
type ElectionResult struct {
	Outcome    string                     `json:"outcome"`
	Elected    []string                   `json:"elected"`
	Tied       []string                   `json:"tied"`
	Candidates map[string]CandidateResult `json:"candidates"`
}

// CandidateResult is how a candidate did in the motion's tests.
type CandidateResult struct {
	Passed bool      `json:"passed"`
	Tests  []Outcome `json:"tests"`
}

// elect fills the seats with the candidates who pass the tests, those with
// most of By first, equals by Tie where it names a unit.
func (p *poll) elect(m *meeting.Meeting, motion *meeting.Motion) *ElectionResult {
	result := &ElectionResult{Elected: []string{}, Tied: []string{}, Candidates: map[string]CandidateResult{}}
	var passing []string
	for _, name := range candidates(motion) {
		tests, passed := p.evaluate(m, motion.Rules.Tests, p.choices[name])
		result.Candidates[name] = CandidateResult{Passed: passed, Tests: tests}
		if passed {
			passing = append(passing, name)
		}
	}
	rank := func(a, b string) int { // the stronger first
		return cmp.Or(
			p.compare(b, a, motion.Election.By),
			p.compare(b, a, motion.Election.Tie),
		)
	}
	slices.SortStableFunc(passing, rank) // equals stay in the motion's order
	seats := motion.Election.Seats
	switch {
	case len(passing) < seats:
		result.Outcome, result.Elected = Unfilled, append(result.Elected, passing...)
	case len(passing) > seats && rank(passing[seats-1], passing[seats]) == 0:
		result.Outcome = Tied
		for _, name := range passing {
			switch order := rank(name, passing[seats]); {
			case order < 0:
				result.Elected = append(result.Elected, name)
			case order == 0:
				result.Tied = append(result.Tied, name)
			}
		}
	default:
		result.Outcome, result.Elected = Elected, append(result.Elected, passing[:seats]...)
	}
	return result
}

// compare compares two candidates by a unit; by any other word they are equal.
func (p *poll) compare(a, b, unit string) int {
	first, second := p.choices[a][Everybody], p.choices[b][Everybody]
	switch unit {
	case "heads":
		return cmp.Compare(first[0], second[0])
	case "fen":
		return cmp.Compare(first[1], second[1])
	}
	return 0
}
