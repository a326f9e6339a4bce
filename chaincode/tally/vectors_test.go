package tally_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/meeting"
	"concordat/chaincode/tally"
	"concordat/chaincode/vectors"
)

type castBallot struct {
	Claims []struct {
		Class string `json:"class"`
		Fen   int64  `json:"fen"`

		Decision string `json:"decision"`
	} `json:"claims"`
	Excluded []string                   `json:"excluded"`
	Votes    map[string]json.RawMessage `json:"votes"`
	Replaces map[string]json.RawMessage `json:"replaces"`
}

func (c *castBallot) claims() []ballot.Claim {
	claims := make([]ballot.Claim, len(c.Claims))
	for i, claim := range c.Claims {
		claims[i] = ballot.Claim{Class: claim.Class, Fen: claim.Fen, Decision: claim.Decision}
	}
	return claims
}

func votesOf(t *testing.T, object map[string]json.RawMessage) []ballot.Vote {
	t.Helper()
	var votes []ballot.Vote
	for motion, raw := range object {
		vote := ballot.Vote{Motion: motion, Array: raw[0] == '['}
		var err error
		if vote.Array {
			err = json.Unmarshal(raw, &vote.Choices)
		} else {
			vote.Choices = make([]string, 1)
			err = json.Unmarshal(raw, &vote.Choices[0])
		}
		if err != nil {
			t.Fatal(err)
		}
		votes = append(votes, vote)
	}
	slices.SortFunc(votes, func(a, b ballot.Vote) int { return cmp.Compare(a.Motion, b.Motion) })
	return votes
}

func TestRuleVectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			Name     string       `json:"name"`
			Record   string       `json:"record"`
			Ballots  []castBallot `json:"ballots"`
			Subtotal string       `json:"subtotal"`
			Revotes  string       `json:"revotes"`
			Result   string       `json:"result"`
		} `json:"vectors"`
	}
	vectors.Load(t, "rules.json", &file)
	for _, vector := range file.Vectors {
		t.Run(vector.Name, func(t *testing.T) {
			m, err := meeting.Parse([]byte(vector.Record))
			if err != nil {
				t.Fatal(err)
			}
			total, change := tally.New(), tally.New()
			for _, cast := range vector.Ballots {
				after := &ballot.Counted{Claims: cast.claims(), Excluded: cast.Excluded, Votes: votesOf(t, cast.Votes)}
				if cast.Replaces == nil {
					err = total.Add(m, after)
				} else {
					before := &ballot.Counted{Claims: cast.claims(), Excluded: cast.Excluded, Votes: votesOf(t, cast.Replaces)}
					if err := total.Replace(m, before, after); err != nil {
						t.Fatal(err)
					}
					err = change.Replace(m, before, after)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			compare(t, "subtotal", vector.Subtotal, total.Encode)
			compare(t, "revotes", vector.Revotes, change.Encode)
			compare(t, "result", vector.Result, func() ([]byte, error) { return total.Result(m) })
		})
	}
}

func compare(t *testing.T, what, want string, make func() ([]byte, error)) {
	t.Helper()
	got, err := make()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s\n got %s\nwant %s", what, got, want)
	}
}
