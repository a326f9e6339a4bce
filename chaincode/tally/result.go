package tally

import (
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

// MotionResult is one motion's count and tests.
type MotionResult struct {
	Choices map[string]Cells `json:"choices"`
	Passed  bool             `json:"passed"`
	Tests   []Outcome        `json:"tests"`
}

// Result writes the canonical result of the whole count: every choice and
// scope, zeros included, and each motion's tests.
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
		motion := &m.Motions[i]
		outcome := MotionResult{Choices: map[string]Cells{}}
		for _, choice := range motion.Choices {
			outcome.Choices[choice] = allScopes(m, s.Motions[motion.ID][choice])
		}
		outcome.Tests, outcome.Passed = s.evaluate(m, motion)
		result.Motions[motion.ID] = outcome
	}
	return canonical.Marshal(result)
}

func allScopes(m *meeting.Meeting, cells Cells) Cells {
	full := Cells{Everybody: cells[Everybody]}
	for _, class := range m.Roll.Classes {
		full[class.Name] = cells[class.Name]
	}
	return full
}
