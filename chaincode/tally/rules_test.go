package tally

import (
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
)

func TestPassesComparesExactly(t *testing.T) {
	const huge = canonical.MaxInteger
	for _, test := range []struct {
		name                   string
		numerator, denominator int64
		comparator             string
		n, d                   int64
		want                   bool
	}{
		{"half is not more than half", 5, 10, ">", 1, 2, false},
		{"half is at least half", 5, 10, ">=", 1, 2, true},
		{"one more than half", 6, 10, ">", 1, 2, true},
		{"one head of one", 1, 1, ">", 1, 2, true},
		{"two thirds of a number that three does not divide", 6, 10, ">=", 2, 3, false},
		{"just above two thirds", 7, 10, ">=", 2, 3, true},
		{"exactly two thirds", 6, 9, ">=", 2, 3, true},
		{"exactly two thirds is not more", 6, 9, ">", 2, 3, false},
		{"all of all", 9, 9, ">=", 1, 1, true},
		{"never more than all", 9, 9, ">", 1, 1, false},
		{"nobody of nobody", 0, 0, ">=", 1, 2, false},
		{"nobody of somebody", 0, 3, ">=", 1, 2, false},
		{"one fen below half of the largest sum", huge / 2, huge, ">=", 1, 2, false},
		{"one fen above half of the largest sum", huge/2 + 1, huge, ">", 1, 2, true},
		{"a fraction of large terms, equal", huge - 1, huge, ">=", huge - 1, huge, true},
		{"a fraction of large terms, one below", huge - 2, huge, ">=", huge - 1, huge, false},
		{"products beyond 64 bits", huge, huge, ">", huge - 1, huge, true},
		{"a negative figure", -1, 3, ">=", 1, 3, false},
	} {
		outcome := Outcome{
			Numerator: test.numerator, Denominator: test.denominator, Comparator: test.comparator,
			Fraction: [2]int64{test.n, test.d},
		}
		if got := passes(&outcome); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		least := outcome
		least.Numerator = required(&outcome)
		if test.numerator >= 0 && test.want != (test.numerator >= least.Numerator) {
			t.Errorf("%s: %d are required", test.name, least.Numerator)
		}
		if test.denominator > 0 && !passes(&least) {
			t.Errorf("%s: the %d required don't pass", test.name, least.Numerator)
		}
	}
}

// assembly has two classes and one motion; five lenders have a vote each.
func assembly(tests ...meeting.Test) *meeting.Meeting {
	return &meeting.Meeting{
		Roll: meeting.Roll{Size: 6, Fen: 1000, Classes: []meeting.Class{{Name: "a", Heads: 4, Fen: 400}, {Name: "b", Heads: 3, Fen: 600}}},
		Motions: []meeting.Motion{{
			ID: "m", Choices: []string{"yes", "no", "abstain"}, MaxChoices: 1,
			Rules: meeting.Rules{Yes: []string{"yes"}, Abstain: []string{"abstain"}, Tests: tests},
		}},
		ByID: []int{0},
	}
}

func count(t *testing.T, m *meeting.Meeting) *Subtotal {
	t.Helper()
	total := New()
	for _, cast := range []struct {
		choice string
		claims []ballot.Claim
	}{
		{"yes", []ballot.Claim{{Class: "a", Fen: 100}}},
		{"yes", []ballot.Claim{{Class: "a", Fen: 50}, {Class: "b", Fen: 150}}},
		{"no", []ballot.Claim{{Class: "a", Fen: 100}}},
		{"no", []ballot.Claim{{Class: "b", Fen: 200}}},
		{"abstain", []ballot.Claim{{Class: "b", Fen: 50}}},
	} {
		if err := total.Add(m, &ballot.Counted{Claims: cast.claims, Votes: []ballot.Vote{{Motion: "m", Choices: []string{cast.choice}}}}); err != nil {
			t.Fatal(err)
		}
	}
	return total
}

func TestFiguresByScopeUnitAndBase(t *testing.T) {
	for _, test := range []struct {
		what, scope, unit string
		want              int64
	}{
		{"yes", "all", "heads", 2}, {"yes", "all", "fen", 300},
		{"yes", "a", "heads", 2}, {"yes", "a", "fen", 150},
		{"yes", "b", "heads", 1}, {"yes", "b", "fen", 150},
		{"voted", "all", "heads", 4}, {"voted", "all", "fen", 600},
		{"voted", "b", "heads", 2}, {"voted", "b", "fen", 350},
		{"no", "all", "heads", 2}, {"no", "all", "fen", 300}, {"no", "b", "fen", 200},
		{"present", "all", "heads", 5}, {"present", "all", "fen", 650},
		{"present", "b", "heads", 3}, {"present", "b", "fen", 400},
		{"eligible", "all", "heads", 6}, {"eligible", "all", "fen", 1000},
		{"eligible", "a", "heads", 4}, {"eligible", "a", "fen", 400},
	} {
		m := assembly()
		poll := count(t, m).whole(m, &m.Motions[0])
		if got := poll.figure(test.what, test.scope, test.unit, poll.yes); got != test.want {
			t.Errorf("%s of %s in %s: %d, want %d", test.what, test.scope, test.unit, got, test.want)
		}
	}
}

func TestAMotionPassesIfEveryTestDoes(t *testing.T) {
	rule := func(name string, n int64) meeting.Test {
		return meeting.Test{
			Name: name, Scope: "all", Count: "yes", Base: "voted", Unit: "heads", Comparator: ">=", Numerator: n, Denominator: 4,
		}
	}
	for _, test := range []struct {
		rules []meeting.Test
		want  bool
	}{
		{[]meeting.Test{rule("half", 2)}, true},
		{[]meeting.Test{rule("half", 2), rule("quarter", 1)}, true},
		{[]meeting.Test{rule("half", 2), rule("three quarters", 3)}, false},
		{[]meeting.Test{rule("three quarters", 3), rule("half", 2)}, false},
	} {
		m := assembly(test.rules...)
		result := count(t, m).motion(m, &m.Motions[0])
		if result.Passed != test.want || len(result.Tests) != len(test.rules) {
			t.Errorf("%v: passed %v, %d outcomes", test.rules, result.Passed, len(result.Tests))
		}
	}
}

func TestSumsBeyondTheBoundAreAnError(t *testing.T) {
	m := assembly()
	total := New()
	cast := &ballot.Counted{
		Claims: []ballot.Claim{{Class: "a", Fen: canonical.MaxInteger}},
		Votes:  []ballot.Vote{{Motion: "m", Choices: []string{"yes"}}},
	}
	if err := total.Add(m, cast); err != nil {
		t.Fatal(err)
	}
	if err := total.Add(m, cast); err != ErrOverflow {
		t.Errorf("error %v", err)
	}
	stored := New()
	stored.Present["a"] = Weight{0, canonical.MaxInteger}
	if err := total.Merge(stored); err != ErrOverflow {
		t.Errorf("error %v", err)
	}
}
