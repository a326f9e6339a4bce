package arbitration_test

import (
	"slices"
	"testing"

	"concordat/chaincode/scene"
	"concordat/chaincode/tally"
)

// TestAMotionThatAMandateLeavesOutStaysSo amends the principal of a proxy for
// one motion alone: the exclusion from a motion comes and goes, the motion left
// out stays uncounted, since it has no answer.
func TestAMotionThatAMandateLeavesOutStaysSo(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true, Motions: twoMotions}).Open(1)
	principal := s.Lenders[0]
	mandate := s.Give(principal, s.Lawyer("Li"), 1, "m1")
	votes := map[string]any{"m1": "approve", "m2": []string{}}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: mandate, Votes: votes})), "")
	steps := []struct {
		fen            int64
		leaf, excluded []string
	}{
		{9_00, []string{"m1", "m2"}, []string{"m1", "m2"}},
		{9_00, []string{"m2"}, []string{"m2"}},
		{8_00, nil, []string{"m2"}},
	}
	before := scene.Change{After: principal.Leaf.Claims}
	for i, step := range steps {
		after := scene.Change{
			Sub: principal.Sub, Before: before.After, Was: before.Excluded, After: individual(step.fen), Excluded: step.leaf,
		}
		s.Amend(i+1, after)
		if got := counted(t, s, principal).Excluded; !slices.Equal(got, step.excluded) {
			t.Errorf("amendment %d: excluded %v, want %v", i+1, got, step.excluded)
		}
		before = after
	}
	s.Close(1, 1+len(steps))
	result := resultOf(t, s)
	if got := result.Motions["m1"].Choices["approve"]["*"]; got != (tally.Weight{1, 8_00}) {
		t.Errorf("m1: approve %v", got)
	}
	for choice, cells := range result.Motions["m2"].Choices {
		if cells["*"] != (tally.Weight{}) {
			t.Errorf("m2: %s %v", choice, cells["*"])
		}
	}
}

// TestAProxyVotesForWhomAnAmendmentNames: for a lender added, with what stands
// for one corrected, and for one taken off the roll not at all.
func TestAProxyVotesForWhomAnAmendmentNames(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	wronged, gone, came := s.Lenders[0], s.Lenders[1], s.Newcomer("came", 1)
	lawyer := s.Lawyer("Li")
	s.Amend(1, bySub(change(wronged, individual(5_00)), change(gone, nil), change(came, individual(11)))...)
	cast := func(principal *scene.Lender) scene.Cast {
		return scene.Cast{Lender: principal, Mandate: s.Give(principal, lawyer, 1)}
	}
	wantVerdicts(t, s.Submit(scene.AssociationRelay,
		s.Compact(cast(wronged)), s.Compact(cast(gone)), s.Amended(cast(came)),
	), "", "ROLL_PROOF", "")
	s.Close(2, 1)
	if want, got := (tally.Weight{2, 5_00 + 11}), resultOf(t, s).Present["*"]; got != want {
		t.Errorf("present %v, want %v", got, want)
	}
}
