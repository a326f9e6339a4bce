// Command rules counts ballots and applies rules as the chaincode does, for a
// comparison with the verifier's own: a line of JSON in, a line out.
//
//	{"record":text, "tallies":[[{"claims":[…], "excluded":[…], "votes":{…}}, …], …]}
//	[{"subtotal":text, "result":text}, …]
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"concordat/chaincode/ballot"
	"concordat/chaincode/meeting"
	"concordat/chaincode/tally"
)

const longestLine = 64 << 20

type request struct {
	Record  string   `json:"record"`
	Tallies [][]cast `json:"tallies"`
}

type cast struct {
	Claims   []claim                    `json:"claims"`
	Excluded []string                   `json:"excluded"`
	Votes    map[string]json.RawMessage `json:"votes"`
}

type claim struct {
	Class    string `json:"class"`
	Fen      int64  `json:"fen"`
	Decision string `json:"decision"`
}

type answer struct {
	Subtotal string `json:"subtotal"`
	Result   string `json:"result"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		if err := serve(lines.Bytes(), out); err != nil {
			fmt.Fprintln(os.Stderr, "rules:", err)
			os.Exit(2)
		}
	}
	if err := cmp.Or(lines.Err(), out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		os.Exit(2)
	}
}

func serve(line []byte, out *bufio.Writer) error {
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return err
	}
	m, err := meeting.Parse([]byte(asked.Record))
	if err != nil {
		return err
	}
	answers := make([]answer, len(asked.Tallies))
	for i, ballots := range asked.Tallies {
		if answers[i], err = count(m, ballots); err != nil {
			return err
		}
	}
	text, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	if _, err := out.Write(append(text, '\n')); err != nil {
		return err
	}
	return out.Flush()
}

func count(m *meeting.Meeting, ballots []cast) (found answer, err error) {
	total := tally.New()
	for i := range ballots {
		counted, err := ballots[i].counted()
		if err != nil {
			return found, err
		}
		if err := total.Add(m, counted); err != nil {
			return found, err
		}
	}
	subtotal, err := total.Encode()
	if err != nil {
		return found, err
	}
	// What was stored is what a close reads: the result is of that.
	stored, err := tally.Decode(subtotal)
	if err != nil {
		return found, err
	}
	result, err := stored.Result(m)
	return answer{Subtotal: string(subtotal), Result: string(result)}, err
}

func (c *cast) counted() (*ballot.Counted, error) {
	counted := &ballot.Counted{Excluded: c.Excluded}
	for _, claim := range c.Claims {
		counted.Claims = append(counted.Claims, ballot.Claim(claim))
	}
	for motion, raw := range c.Votes {
		vote := ballot.Vote{Motion: motion, Choices: make([]string, 1)}
		target := any(&vote.Choices[0])
		if vote.Array = len(raw) > 0 && raw[0] == '['; vote.Array {
			target = &vote.Choices
		}
		if err := json.Unmarshal(raw, target); err != nil {
			return nil, err
		}
		counted.Votes = append(counted.Votes, vote)
	}
	slices.SortFunc(counted.Votes, func(a, b ballot.Vote) int { return cmp.Compare(a.Motion, b.Motion) })
	return counted, nil
}
