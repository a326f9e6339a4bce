package arbitration_test

import (
	"testing"

	"pgregory.net/rapid"

	"concordat/chaincode/ballot"
	"concordat/chaincode/scene"
	"concordat/chaincode/tally"
)

// TestAnyMixOfBallotsAndAmendmentsCountsTheSame casts ballots and amends the
// roll in random order; the result equals a naive recount: everybody whose
// ballot stands and who is on the roll at the end, with the claims of the end.
func TestAnyMixOfBallotsAndAmendmentsCountsTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const checks = 3
		s := scene.New(t, scene.Options{Revote: "last"}).Open(checks)
		lenders := append(s.Lenders, s.Newcomer("came", checks))
		claims, seqs, votes := make([][]ballot.Claim, len(lenders)), make([]int, len(lenders)), make([]string, len(lenders))
		for i, lender := range lenders {
			claims[i] = lender.Leaf.Claims // nil for the newcomer
		}
		subtotals, number, left := 0, 0, len(s.Lenders)
		for range rapid.IntRange(1, 8).Draw(r, "acts") {
			i := rapid.IntRange(0, len(lenders)-1).Draw(r, "lender")
			lender := lenders[i]
			if rapid.Bool().Draw(r, "amend") {
				var after []ballot.Claim
				if fen := rapid.Int64Range(0, 20_000).Draw(r, "fen"); fen > 0 {
					after = individual(fen)
				}
				same := &ballot.Entitlement{Claims: after}
				if after == nil && claims[i] == nil || after != nil && claims[i] != nil && same.Equal(&ballot.Entitlement{Claims: claims[i]}) {
					continue
				}
				if after == nil {
					if left == 1 {
						continue // a roll has somebody on it
					}
					left--
				} else if claims[i] == nil {
					left++
				}
				number++
				s.Amend(number, scene.Change{Sub: lender.Sub, Before: claims[i], After: after})
				claims[i] = after
				if seqs[i] > 0 {
					subtotals++
				}
				continue
			}
			if seqs[i] == checks {
				continue
			}
			choice := rapid.SampledFrom([]string{"approve", "reject", "abstain"}).Draw(r, "choice")
			cast := scene.Cast{Lender: lender, Seq: seqs[i] + 1, Votes: map[string]any{"m1": choice}}
			entry := s.Amended(cast)
			if lender.Leaf.Sub != "" {
				entry = s.Compact(cast)
			}
			want := ""
			if claims[i] == nil {
				want = "ROLL_PROOF"
			} else {
				seqs[i], votes[i] = seqs[i]+1, choice
				subtotals++
			}
			if got := s.Submit(scene.AssociationRelay, entry)[0]; got != want {
				r.Fatalf("verdict %q, want %q", got, want)
			}
		}
		present, eligible, choices, ballots := tally.Weight{}, int64(0), map[string]tally.Weight{}, 0
		for i := range lenders {
			total := int64(0)
			for _, claim := range claims[i] {
				total += claim.Fen
			}
			eligible += total
			if seqs[i] == 0 || claims[i] == nil {
				continue
			}
			ballots++
			present = tally.Weight{present[0] + 1, present[1] + total}
			cell := choices[votes[i]]
			choices[votes[i]] = tally.Weight{cell[0] + 1, cell[1] + total}
		}
		s.Close(ballots, subtotals)
		result := resultOf(t, s)
		if result.Present["*"] != present || result.Motions["m1"].Tests[1].Denominator != eligible {
			r.Fatalf("present %v of %+v, want %v of %d", result.Present["*"], result.Motions["m1"].Tests[1], present, eligible)
		}
		for choice, cells := range result.Motions["m1"].Choices {
			if cells["*"] != choices[choice] {
				r.Fatalf("%s: %v, want %v", choice, cells["*"], choices[choice])
			}
		}
	})
}
