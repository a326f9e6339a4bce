package tally

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
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
// order of m.ByID, which a legal ballot's have. A motion that excludes the
// lender has its presence counted, and not its answer.
func (s *Subtotal) count(m *meeting.Meeting, cast *ballot.Counted, sign int64) error {
	if err := s.Present.count(cast.Claims, sign); err != nil {
		return err
	}
	disputed := disputedOf(cast.Claims)
	for place, position := range m.ByID {
		motion := &m.Motions[position]
		vote := &cast.Votes[place]
		if vote.Motion != motion.ID {
			return fmt.Errorf("vote on %s where one on %s is due", vote.Motion, motion.ID)
		}
		if slices.Contains(cast.Excluded, motion.ID) {
			if err := s.cells(motion.ID, markExcluded).count(cast.Claims, sign); err != nil {
				return err
			}
			continue
		}
		names := withMarks(motion, vote)
		for _, name := range names {
			if err := s.cells(motion.ID, name).count(cast.Claims, sign); err != nil {
				return err
			}
		}
		if len(disputed) == 0 {
			continue
		}
		gone := len(disputed) == len(cast.Claims) // without them there is no such lender
		for _, name := range append(names, markPresent) {
			if err := s.cells(motion.ID, name+ofDisputed).countPart(disputed, gone, sign); err != nil {
				return err
			}
		}
	}
	return nil
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
