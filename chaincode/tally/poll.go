package tally

import (
	"slices"

	"concordat/chaincode/meeting"
)

// poll is what one motion's rules are applied to: who may vote on it, who was
// present, who voted, and for what.
type poll struct {
	eligible Cells
	present  Cells
	voted    Cells
	choices  map[string]Cells
	yes      Cells // of a resolution
}

// whole is a motion's poll with every claim as it voted.
func (s *Subtotal) whole(m *meeting.Meeting, motion *meeting.Motion) *poll {
	return s.poll(m, motion, false)
}

// undisputed is a motion's poll as if the disputed claims were not on the roll.
func (s *Subtotal) undisputed(m *meeting.Meeting, motion *meeting.Motion) *poll {
	return s.poll(m, motion, true)
}

func (s *Subtotal) poll(m *meeting.Meeting, motion *meeting.Motion, undisputed bool) *poll {
	counted := s.Motions[motion.ID]
	part := func(whole Cells, name string) Cells {
		if undisputed {
			return whole.minus(counted[name+ofDisputed])
		}
		return whole
	}
	p := &poll{
		eligible: eligible(&m.Roll, motion.ID, undisputed),
		present:  part(s.Present.minus(counted[markExcluded]), markPresent),
		choices:  make(map[string]Cells, len(motion.Choices)),
	}
	for _, choice := range motion.Choices {
		p.choices[choice] = part(counted[choice], choice)
	}
	if p.yes = p.sum(motion, motion.Rules.Yes); marksYes(motion) {
		p.yes = part(counted[markYes], markYes)
	}
	switch {
	case marksVoted(motion):
		p.voted = part(counted[markVoted], markVoted)
	case motion.MaxChoices > 1: // and no choice abstains
		p.voted = p.present
	default:
		p.voted = p.sum(motion, candidates(motion))
	}
	return p
}

// sum adds up choices of which a ballot has one at most.
func (p *poll) sum(motion *meeting.Motion, choices []string) Cells {
	sum := Cells{}
	for _, choice := range motion.Choices {
		if slices.Contains(choices, choice) {
			sum = sum.plus(p.choices[choice])
		}
	}
	return sum
}

// candidates are the choices that don't abstain, in the motion's order.
func candidates(motion *meeting.Motion) (names []string) {
	for _, choice := range motion.Choices {
		if !slices.Contains(motion.Rules.Abstain, choice) {
			names = append(names, choice)
		}
	}
	return names
}

// eligible is who of the roll may vote on a motion, with or without the
// disputed claims.
func eligible(roll *meeting.Roll, motion string, undisputed bool) Cells {
	cells := Cells{Everybody: Weight{int64(roll.Size), roll.Fen}}
	for _, class := range roll.Classes {
		cells[class.Name] = Weight{class.Heads, class.Fen}
	}
	cells = cells.minus(partOf(roll.Excluded, motion))
	if undisputed {
		// What is disputed and excluded from the motion would be taken away twice.
		cells = cells.minus(partOf(roll.Disputed, "")).plus(partOf(roll.Disputed, motion))
	}
	return cells
}

func partOf(parts []meeting.Part, motion string) Cells {
	cells := Cells{}
	for _, part := range parts {
		if part.Motion == motion {
			cells[part.Class] = Weight{part.Heads, part.Fen}
		}
	}
	return cells
}
