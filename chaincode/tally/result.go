package tally

import (
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
)

// Result is what a meeting decided.
type Result struct {
	Version int                     `json:"v"`
	Meeting string                  `json:"mtg"`
	Hash    string                  `json:"mh"`
	Ballots int64                   `json:"ballots"`
	Present Cells                   `json:"present"`
	Motions map[string]MotionResult `json:"motions"`
}

// MotionResult is one motion's count and what its rules make of it: the tests
// of a resolution, or an election, which passes if every seat is filled.
type MotionResult struct {
	Choices  map[string]Cells `json:"choices"`
	Excluded Cells            `json:"excluded"` // present, and not at this motion
	Passed   bool             `json:"passed"`
	Tests    []Outcome        `json:"tests"`
	Election *ElectionResult  `json:"election,omitempty"`
	Disputed *DisputedResult  `json:"disputed,omitempty"` // if the roll has disputed claims
}

// DisputedResult is what the motion came to without the disputed claims, and
// whether they made the difference.
type DisputedResult struct {
	Passed  bool      `json:"passed"`
	Elected *[]string `json:"elected,omitempty"` // of an election
	Tipped  bool      `json:"tipped"`
}

// Result writes the canonical result of the whole count: every choice and
// scope, zeros included, and what each motion's rules make of it.
func (s *Subtotal) Result(m *meeting.Meeting) ([]byte, error) {
	result := Result{
		Version: 1,
		Meeting: m.ID,
		Hash:    m.Hash,
		Ballots: s.Ballots,
		Present: allScopes(m, s.Present),
		Motions: map[string]MotionResult{},
	}
	for i := range m.Motions {
		result.Motions[m.Motions[i].ID] = s.motion(m, &m.Motions[i])
	}
	return canonical.Marshal(result)
}

func (s *Subtotal) motion(m *meeting.Meeting, motion *meeting.Motion) MotionResult {
	result := s.whole(m, motion).decide(m, motion)
	result.Choices = map[string]Cells{}
	for _, choice := range motion.Choices {
		result.Choices[choice] = allScopes(m, s.Motions[motion.ID][choice])
	}
	result.Excluded = allScopes(m, s.Motions[motion.ID][markExcluded])
	if len(m.Roll.Disputed) > 0 {
		without := s.undisputed(m, motion).decide(m, motion)
		result.Disputed = &DisputedResult{Passed: without.Passed, Tipped: without.Passed != result.Passed}
		if motion.Election != nil {
			result.Disputed.Elected = &without.Election.Elected
			result.Disputed.Tipped = !sameNames(without.Election.Elected, result.Election.Elected)
		}
	}
	return result
}

// decide applies a motion's rules to its poll.
func (p *poll) decide(m *meeting.Meeting, motion *meeting.Motion) (result MotionResult) {
	if motion.Election == nil {
		result.Tests, result.Passed = p.evaluate(m, motion.Rules.Tests, p.yes)
		return result
	}
	result.Tests = []Outcome{}
	result.Election = p.elect(m, motion)
	result.Passed = result.Election.Outcome == Elected
	return result
}

// sameNames compares who was elected, whatever their rank.
func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func allScopes(m *meeting.Meeting, cells Cells) Cells {
	full := Cells{Everybody: cells[Everybody]}
	for _, class := range m.Roll.Classes {
		full[class.Name] = cells[class.Name]
	}
	return full
}
