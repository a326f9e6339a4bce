package arbitration_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"concordat/chaincode/ballot"
	"concordat/chaincode/scene"
	"concordat/chaincode/tally"
)

// choicesOf draws a legal answer to the motions of TestAnySplitCountsTheSame.
func choicesOf(t *rapid.T) map[string]any {
	elected := map[string]any{"m1": rapid.SampledFrom([]string{"approve", "reject", "abstain"}).Draw(t, "m1")}
	names := rapid.SampledFrom([][]string{
		{"zhao"}, {"li"}, {"none"}, {"li", "zhao"}, {"none", "zhao"}, {"li", "none"},
	}).Draw(t, "committee")
	elected["committee"] = names
	return elected
}

type standing struct {
	seq   int
	votes map[string]any
}

// recount is the naive count: go through the voters whose ballot stands, and
// look at each ballot itself.
func recount(s *scene.Scene, stands map[int]standing) (present tally.Weight, choices map[string]tally.Weight) {
	choices = map[string]tally.Weight{}
	count := func(name string, lender *scene.Lender) {
		weight := choices[name]
		weight[0]++
		for _, claim := range lender.Leaf.Claims {
			weight[1] += claim.Fen
		}
		choices[name] = weight
	}
	for position, stand := range stands {
		lender := s.Lenders[position]
		count("*", lender)
		count("m1/"+stand.votes["m1"].(string), lender)
		yes, voted := false, false
		for _, name := range stand.votes["committee"].([]string) {
			count("committee/"+name, lender)
			yes = yes || name != "none"
			voted = voted || name != "none"
		}
		if yes {
			count("committee/yes", lender)
		}
		if voted {
			count("committee/voted", lender)
		}
	}
	return choices["*"], choices
}

// TestAnySplitCountsTheSame casts random ballots and revotes in random batches
// and orders; the result equals a naive recount of the ballots that stand.
func TestAnySplitCountsTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const lenders, checks = 5, 4
		s := scene.New(t, scene.Options{
			Lenders: lenders, Revote: "last",
			Motions: []map[string]any{scene.Motion("m1"), scene.Committee("committee", 2)},
		}).Open(checks)
		stands := map[int]standing{}
		batches := rapid.IntRange(1, 4).Draw(r, "batches")
		subtotals := 0
		for range batches {
			accepted := 0
			var entries [][]byte
			for position := range lenders {
				seq := rapid.IntRange(0, checks).Draw(r, "seq")
				if seq == 0 {
					continue
				}
				votes := choicesOf(r)
				cast := scene.Cast{Lender: s.Lenders[position], Seq: seq, Votes: votes}
				if rapid.Bool().Draw(r, "raw") {
					entries = append(entries, s.Raw(cast))
				} else {
					entries = append(entries, s.Compact(cast))
				}
				if seq > stands[position].seq {
					stands[position] = standing{seq: seq, votes: votes}
					accepted++
				}
			}
			if len(entries) == 0 {
				continue
			}
			s.Submit(scene.AssociationRelay, entries...)
			if accepted > 0 {
				subtotals++
			}
		}
		s.Close(len(stands), subtotals)
		compareResult(r, s, stands)
	})
}

func compareResult(r *rapid.T, s *scene.Scene, stands map[int]standing) {
	var result tally.Result
	payload := s.Do(scene.Channel, scene.Auditor, "GetResult", s.Meeting.ID).Payload
	if err := json.Unmarshal(payload, &result); err != nil {
		r.Fatal(err)
	}
	present, choices := recount(s, stands)
	if result.Present["*"] != present {
		r.Errorf("present %v, recount %v", result.Present["*"], present)
	}
	for motion, outcome := range result.Motions {
		for choice, cells := range outcome.Choices {
			if want := choices[motion+"/"+choice]; cells["*"] != want {
				r.Errorf("%s %s: %v, recount %v", motion, choice, cells["*"], want)
			}
			individual, plan := cells["individual"], cells["wealth-plan"]
			if individual[1]+plan[1] != cells["*"][1] || individual[0] != cells["*"][0] {
				r.Errorf("%s %s: classes %v and %v, all %v", motion, choice, individual, plan, cells["*"])
			}
		}
	}
	for _, test := range result.Motions["committee"].Tests {
		if test.Count == "yes" {
			want := choices["committee/yes"]
			got := map[string]int64{"heads": want[0], "fen": want[1]}[test.Unit]
			if test.Numerator != got {
				r.Errorf("test %s: yes %d, recount %d", test.Name, test.Numerator, got)
			}
		}
		if test.Base == "voted" && test.Denominator != choices["committee/voted"][0] {
			r.Errorf("test %s: voted %d, recount %v", test.Name, test.Denominator, choices["committee/voted"])
		}
	}
}

// TestASessionIsUsedOnce casts random ballots of one voter, whose numbers rise
// and whose identity checks come again, one after the other and with others
// between: a check is accepted exactly if no accepted ballot had it before,
// as a set of all used ones says.
func TestASessionIsUsedOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const checks = 4
		s := scene.New(t, scene.Options{Lenders: 2, Revote: "last"}).Open(checks)
		used := []map[int]bool{{}, {}}
		seqs := []int{0, 0}
		for range rapid.IntRange(1, 12).Draw(r, "ballots") {
			var entries [][]byte
			var want []string
			for position, lender := range s.Lenders {
				check := rapid.IntRange(0, checks).Draw(r, "check")
				if check == 0 {
					continue
				}
				votes := map[string]any{"m1": rapid.SampledFrom([]string{"approve", "reject"}).Draw(r, "vote")}
				entries = append(entries, s.Compact(scene.Cast{Lender: lender, Seq: seqs[position] + 1, Check: check, Votes: votes}))
				if used[position][check] {
					want = append(want, "SESSION_USED")
					continue
				}
				want = append(want, "")
				used[position][check] = true
				seqs[position]++
			}
			if len(entries) == 0 {
				continue
			}
			if got := s.Submit(scene.AssociationRelay, entries...); !slices.Equal(got, want) {
				r.Fatalf("verdicts %q, want %q", got, want)
			}
		}
	})
}

// TestSumsDoNotDependOnOrder merges subtotals in two orders.
func TestSumsDoNotDependOnOrder(t *testing.T) {
	s := scene.New(t, scene.Options{Motions: []map[string]any{scene.Motion("m1")}})
	rapid.Check(t, func(r *rapid.T) {
		claim := rapid.Custom(func(r *rapid.T) ballot.Claim {
			return ballot.Claim{Class: "individual", Fen: rapid.Int64Range(1, 1<<40).Draw(r, "fen")}
		})
		claims := rapid.SliceOfN(claim, 1, 40).Draw(r, "claims")
		split := rapid.IntRange(0, len(claims)).Draw(r, "split")
		whole, left, right := tally.New(), tally.New(), tally.New()
		for i, claim := range claims {
			cast := &ballot.Counted{
				Claims: []ballot.Claim{claim},
				Votes:  []ballot.Vote{{Motion: "m1", Choices: []string{[]string{"approve", "reject", "abstain"}[i%3]}}},
			}
			part := left
			if i >= split {
				part = right
			}
			for _, target := range []*tally.Subtotal{whole, part} {
				if err := target.Add(s.Meeting, cast); err != nil {
					r.Fatal(err)
				}
			}
		}
		want := string(encoded(r, whole))
		for _, order := range [][]*tally.Subtotal{{left, right}, {right, left}} {
			sum := tally.New()
			for _, part := range order {
				stored, err := tally.Decode(encoded(r, part))
				if err != nil {
					r.Fatal(err)
				}
				if err := sum.Merge(stored); err != nil {
					r.Fatal(err)
				}
			}
			if got := string(encoded(r, sum)); got != want {
				r.Errorf("sum %s, want %s", got, want)
			}
		}
	})
}

func encoded(r *rapid.T, subtotal *tally.Subtotal) []byte {
	data, err := subtotal.Encode()
	if err != nil {
		r.Fatal(err)
	}
	return data
}
