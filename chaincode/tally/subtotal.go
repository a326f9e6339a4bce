package tally

import (
	"bytes"
	"encoding/json"
	"fmt"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
)

// Marks that a subtotal carries beside the choices where several may be
// chosen and the choices alone don't tell: a ballot with two choices in favour
// is in favour once, and one that abstains besides is voting. Their names
// cannot be choices.
const (
	markYes   = "*yes"
	markVoted = "*voted"
)

// Subtotal is a change in the count, or a sum of changes.
type Subtotal struct {
	Version int                         `json:"v"`
	Ballots int64                       `json:"ballots"` // ballots that stand: a revote changes none
	Present Cells                       `json:"present"`
	Motions map[string]map[string]Cells `json:"motions"` // by motion and choice
}

// New is an empty count.
func New() *Subtotal {
	return &Subtotal{Version: 1, Present: Cells{}, Motions: map[string]map[string]Cells{}}
}

// Add counts a voter's first ballot.
func (s *Subtotal) Add(m *meeting.Meeting, cast *ballot.Counted) error {
	s.Ballots++
	return s.count(m, cast, 1)
}

// Replace counts a voter's later ballot in place of the one before, with the
// claims that each was cast with. The voter stays one head.
func (s *Subtotal) Replace(m *meeting.Meeting, before, after *ballot.Counted) error {
	if err := s.count(m, before, -1); err != nil {
		return err
	}
	return s.count(m, after, 1)
}

// count adds a ballot, or takes it away with sign -1. Its votes are in the
// order of m.ByID, which a legal ballot's have.
func (s *Subtotal) count(m *meeting.Meeting, cast *ballot.Counted, sign int64) error {
	if err := s.Present.count(cast.Claims, sign); err != nil {
		return err
	}
	for place, position := range m.ByID {
		motion := &m.Motions[position]
		vote := &cast.Votes[place]
		if vote.Motion != motion.ID {
			return fmt.Errorf("vote on %s where one on %s is due", vote.Motion, motion.ID)
		}
		for _, name := range withMarks(motion, vote) {
			if err := s.cells(motion.ID, name).count(cast.Claims, sign); err != nil {
				return err
			}
		}
	}
	return nil
}

// withMarks lists what a vote counts under.
func withMarks(motion *meeting.Motion, vote *ballot.Vote) []string {
	names := vote.Choices[:len(vote.Choices):len(vote.Choices)]
	if marksYes(motion) && inFavour(&motion.Rules, vote.Choices) {
		names = append(names, markYes)
	}
	if marksVoted(motion) && voting(&motion.Rules, vote.Choices) {
		names = append(names, markVoted)
	}
	return names
}

// marksYes says whether a motion's subtotals carry markYes.
func marksYes(motion *meeting.Motion) bool {
	return motion.MaxChoices > 1 && len(motion.Rules.Yes) > 1
}

// marksVoted says whether a motion's subtotals carry markVoted.
func marksVoted(motion *meeting.Motion) bool {
	return motion.MaxChoices > 1 && len(motion.Rules.Abstain) > 0
}

func (s *Subtotal) cells(motion, choice string) Cells {
	choices := s.Motions[motion]
	if choices == nil {
		choices = map[string]Cells{}
		s.Motions[motion] = choices
	}
	cells := choices[choice]
	if cells == nil {
		cells = Cells{}
		choices[choice] = cells
	}
	return cells
}

// Merge adds another subtotal.
func (s *Subtotal) Merge(other *Subtotal) error {
	s.Ballots += other.Ballots
	if err := s.Present.merge(other.Present); err != nil {
		return err
	}
	for motion, choices := range other.Motions {
		for choice, cells := range choices {
			if err := s.cells(motion, choice).merge(cells); err != nil {
				return err
			}
		}
	}
	return nil
}

// Encode writes the canonical subtotal: every zero cell is omitted, and then
// every choice and motion that has none left.
func (s *Subtotal) Encode() ([]byte, error) {
	short := New()
	short.Ballots = s.Ballots
	short.Present = s.Present.withoutZeros()
	for motion, choices := range s.Motions {
		for choice, cells := range choices {
			kept := cells.withoutZeros()
			if len(kept) == 0 {
				continue
			}
			if short.Motions[motion] == nil {
				short.Motions[motion] = map[string]Cells{}
			}
			short.Motions[motion][choice] = kept
		}
	}
	return canonical.Marshal(short)
}

// Decode reads a subtotal that Encode wrote.
func Decode(data []byte) (*Subtotal, error) {
	subtotal := New()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(subtotal); err != nil {
		return nil, fmt.Errorf("stored subtotal: %w", err)
	}
	return subtotal, nil
}
