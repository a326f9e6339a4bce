package tally

import (
	"slices"

	"concordat/chaincode/ballot"
	"concordat/chaincode/meeting"
)

// Marks that a subtotal carries beside a motion's choices, where the choices
// alone don't tell. Where several may be chosen, a ballot with two choices in
// favour is in favour once, and one that abstains besides is voting. Whoever
// the motion excludes is present at the meeting and not at the motion. The
// names cannot be choices.
const (
	markYes      = "*yes"
	markVoted    = "*voted"
	markExcluded = "*excluded"
	markPresent  = "*present" // only with ofDisputed: the whole is Present without markExcluded
)

// ofDisputed follows the name of what disputed claims contribute to a choice
// or mark, so that the count without them can be had.
const ofDisputed = "?"

// inFavour says whether a vote has any of the choices in favour.
func inFavour(rules *meeting.Rules, choices []string) bool {
	return slices.ContainsFunc(choices, func(choice string) bool { return slices.Contains(rules.Yes, choice) })
}

// voting says whether a vote has any choice that is no abstention.
func voting(rules *meeting.Rules, choices []string) bool {
	return slices.ContainsFunc(choices, func(choice string) bool { return !slices.Contains(rules.Abstain, choice) })
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

// disputedOf are the claims that vote with the amount that a decision fixed.
func disputedOf(claims []ballot.Claim) (disputed []ballot.Claim) {
	for _, claim := range claims {
		if claim.Decision != "" {
			disputed = append(disputed, claim)
		}
	}
	return disputed
}
