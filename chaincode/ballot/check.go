package ballot

import (
	"slices"

	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// CheckAgainst refuses a ballot that is not a full and legal answer to a
// meeting's motions: BALLOT_MEETING, BALLOT_NETWORK, CHOICE_MISSING,
// CHOICE_MOTION, CHOICE_UNKNOWN, CHOICE_COUNT, each over all motions before
// the next.
func (b *Ballot) CheckAgainst(m *meeting.Meeting) error {
	if b.Meeting != m.ID {
		return refusal.New(refusal.BallotMeeting, "not %s", m.ID)
	}
	if b.MeetingHash != m.Hash {
		return refusal.New(refusal.BallotNetwork, "not %s", m.Hash)
	}
	return checkVotes(b.Votes, m, b.Mandate != "")
}

func checkVotes(votes []Vote, m *meeting.Meeting, proxied bool) error {
	answered := 0
	for _, position := range m.ByID {
		if find(votes, m.Motions[position].ID) == nil {
			return refusal.New(refusal.ChoiceMissing, "%s", m.Motions[position].ID)
		}
		answered++
	}
	if len(votes) > answered { // ids are distinct, so one is foreign
		return refusal.New(refusal.ChoiceMotion, "")
	}
	// Now votes and m.ByID name the same motions in the same order.
	for i, position := range m.ByID {
		for _, choice := range votes[i].Choices {
			if _, known := m.Motions[position].ChoiceIndex(choice); !known {
				return refusal.New(refusal.ChoiceUnknown, "%s", m.Motions[position].ID)
			}
		}
	}
	for i, position := range m.ByID {
		if err := votes[i].checkCount(&m.Motions[position], proxied); err != nil {
			return err
		}
	}
	return nil
}

func find(votes []Vote, motion string) *Vote {
	for i := range votes {
		if votes[i].Motion == motion {
			return &votes[i]
		}
	}
	return nil
}

// checkCount refuses (CHOICE_COUNT) choices in a wrong number, form or order. A
// proxy answers a motion that its mandate does not cover with none at all.
func (v *Vote) checkCount(motion *meeting.Motion, proxied bool) error {
	if proxied && v.Array && len(v.Choices) == 0 {
		return nil
	}
	if v.Array != (motion.MaxChoices > 1) {
		return refusal.New(refusal.ChoiceCount, "%s: an array is due where several may be chosen, and only there", motion.ID)
	}
	if len(v.Choices) < 1 || len(v.Choices) > motion.MaxChoices {
		return refusal.New(refusal.ChoiceCount, "%s: 1 to %d choices are due", motion.ID, motion.MaxChoices)
	}
	for i := 1; i < len(v.Choices); i++ {
		if v.Choices[i-1] >= v.Choices[i] {
			return refusal.New(refusal.ChoiceCount, "%s: not in ascending order, each once", motion.ID)
		}
	}
	return nil
}

// Chose says whether a vote has any of some choices.
func (v *Vote) Chose(any []string) bool {
	return slices.ContainsFunc(v.Choices, func(choice string) bool { return slices.Contains(any, choice) })
}
