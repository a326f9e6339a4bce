package arbitration_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"concordat/chaincode/arbitration"
	"concordat/chaincode/authority"
	"concordat/chaincode/ballot"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
	"concordat/chaincode/scene"
	"concordat/chaincode/vectors"
)

type sharedMeeting struct {
	Record string `json:"record"`
	Hash   string `json:"mh"`
	Cap    string `json:"cap"`
}

// open puts a meeting on the ledger as if it had been announced and opened.
func (m *sharedMeeting) open(t testing.TB, network *ledgertest.Network) *meeting.Meeting {
	t.Helper()
	parsed, err := meeting.Parse([]byte(m.Record))
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := hex.DecodeString(m.Cap)
	if err != nil {
		t.Fatal(err)
	}
	network.SetState([]byte(m.Record), scene.Channel, "meeting", parsed.ID)
	network.SetState(nodes, scene.Channel, "cap", parsed.ID)
	network.SetState([]byte(`{"state":"open","tx":"","v":1}`), scene.Channel, "state", parsed.ID)
	return parsed
}

// oneEntry is the batch of one entry.
func oneEntry(mtg string, entry []byte) string {
	return "\x83\x01" + string(rune(0x60+len(mtg))) + mtg + "\x81" + string(entry)
}

type ballotVector struct {
	Name      string          `json:"name"`
	Meeting   string          `json:"meeting"`
	Entry     string          `json:"entry"`
	Enrolment json.RawMessage `json:"enrolment"`
	Session   json.RawMessage `json:"session"`
	Mandate   json.RawMessage `json:"mandate"`
	Held      *struct {
		Seq     int64  `json:"seq"`
		Digest  string `json:"digest"`
		Session string `json:"ses"`
		Proxy   string `json:"proxy"`
	} `json:"held"`
	SessionUsed string `json:"session_used"`
	Overlay     string `json:"overlay"` // hexadecimal; absent without amendments
	Expect      string `json:"expect"`
	Code        string `json:"code"`
}

type ballotFile struct {
	Meetings map[string]sharedMeeting `json:"meetings"`
	Vectors  []ballotVector           `json:"vectors"`
}

// stage puts the records that a vector is judged against on the ledger.
func (v *ballotVector) stage(t *testing.T, network *ledgertest.Network, m *meeting.Meeting) {
	t.Helper()
	var lender, session struct {
		Sub string `json:"sub"`
		Ses string `json:"ses"`
	}
	if string(v.Enrolment) != "null" {
		if err := json.Unmarshal(v.Enrolment, &lender); err != nil {
			t.Fatal(err)
		}
		network.SetState(v.Enrolment, "identity", "enrolment", lender.Sub)
	}
	if string(v.Session) != "null" {
		if err := json.Unmarshal(v.Session, &session); err != nil {
			t.Fatal(err)
		}
		network.SetState(v.Session, "identity", "session", session.Ses)
	}
	voter := lender.Sub
	if v.Mandate != nil {
		var record struct {
			Mandate string `json:"mandate"`
		}
		if err := json.Unmarshal(v.Mandate, &record); err != nil {
			t.Fatal(err)
		}
		mandate, err := ballot.ParseMandate(record.Mandate)
		if err != nil {
			t.Fatal(err)
		}
		voter = mandate.Sub
		network.SetState(v.Mandate, scene.Channel, "mandate", m.ID, voter)
	}
	if v.SessionUsed != "" {
		network.SetState([]byte(v.SessionUsed), scene.Channel, "session", m.ID, session.Ses)
	}
	if v.Overlay != "" {
		overlay, err := hex.DecodeString(v.Overlay)
		if err != nil {
			t.Fatal(err)
		}
		network.SetState(overlay, scene.Channel, "amendments", m.ID)
	}
	if v.Held != nil {
		held := ballot.Record{
			Counted: ballot.Counted{Claims: []ballot.Claim{{Class: m.Roll.Classes[0].Name, Fen: 1}}},
			Door:    authority.Association, AckNumber: 1, AckTime: 1772526600,
			Digest: v.Held.Digest, Revision: 1, Seq: v.Held.Seq, Session: v.Held.Session, Proxy: v.Held.Proxy,
		}
		for _, position := range m.ByID {
			motion := m.Motions[position]
			held.Votes = append(held.Votes, ballot.Vote{
				Motion: motion.ID, Choices: motion.Choices[:1], Array: motion.MaxChoices > 1,
			})
		}
		value, err := held.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		network.SetState(value, scene.Channel, "ballot", m.ID, voter)
	}
}

func TestBallotVectors(t *testing.T) {
	for _, name := range []string{"ballot_accept.json", "ballot_reject.json"} {
		var file ballotFile
		vectors.Load(t, name, &file)
		if len(file.Vectors) == 0 {
			t.Errorf("%s is empty", name)
		}
		for _, vector := range file.Vectors {
			t.Run(strings.TrimSuffix(name, ".json")+"/"+vector.Name, func(t *testing.T) {
				shared := file.Meetings[vector.Meeting]
				network := scene.Deploy(t, arbitration.DefaultRangeLimit)
				m := shared.open(t, network)
				if m.Hash != shared.Hash {
					t.Fatalf("mh %s, want %s", m.Hash, shared.Hash)
				}
				vector.stage(t, network, m)
				entry, err := hex.DecodeString(vector.Entry)
				if err != nil {
					t.Fatal(err)
				}
				proposal, err := network.Submit(scene.Channel, scene.AssociationRelay, "SubmitBallots", oneEntry(m.ID, entry))
				if err != nil {
					t.Fatal(err)
				}
				vector.check(t, proposal)
			})
		}
	}
}

// check compares a verdict with the vector's, and that only an accepted
// ballot leaves state.
func (v *ballotVector) check(t *testing.T, proposal *ledgertest.Proposal) {
	t.Helper()
	var got scene.Answer
	if err := json.Unmarshal(proposal.Payload, &got); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"accepted":0,"held":[],"pending":[[0,%q]],"refused":[],"v":1}`, v.Code)
	switch v.Expect {
	case "accepted":
		want = `{"accepted":1,"held":[],"pending":[],"refused":[],"v":1}`
	case "held":
		want = `{"accepted":0,"held":[0],"pending":[],"refused":[],"v":1}`
	case "refused":
		if len(got.Refused) != 1 || got.Refused[0][1] != v.Code {
			t.Fatalf("answer %s, want refusal %s", proposal.Payload, v.Code)
		}
		want = string(proposal.Payload)
	}
	if string(proposal.Payload) != want {
		t.Fatalf("answer %s, want %s", proposal.Payload, want)
	}
	writes := 0
	if v.Expect == "accepted" {
		writes = 2 // ballot, subtotal
		if v.Held != nil {
			writes = 3 // and the session of the ballot replaced
		}
	}
	if len(proposal.Writes) != writes {
		t.Errorf("%d writes, want %d", len(proposal.Writes), writes)
	}
}

// TestDuplicateVectors submits a batch in which voters come twice.
func TestDuplicateVectors(t *testing.T) {
	var ballots ballotFile
	vectors.Load(t, "ballot_accept.json", &ballots)
	var file struct {
		Duplicates struct {
			Batch      string                     `json:"batch"`
			Verdicts   []string                   `json:"verdicts"`
			Enrolments map[string]json.RawMessage `json:"enrolments"`
			Sessions   map[string]json.RawMessage `json:"sessions"`
			Meeting    string                     `json:"meeting"`
		} `json:"duplicates"`
	}
	vectors.Load(t, "batch.json", &file)
	network := scene.Deploy(t, arbitration.DefaultRangeLimit)
	shared := ballots.Meetings[file.Duplicates.Meeting]
	shared.open(t, network)
	for sub, record := range file.Duplicates.Enrolments {
		network.SetState(record, "identity", "enrolment", sub)
	}
	for session, record := range file.Duplicates.Sessions {
		network.SetState(record, "identity", "session", session)
	}
	batch, err := hex.DecodeString(file.Duplicates.Batch)
	if err != nil {
		t.Fatal(err)
	}
	proposal, err := network.Submit(scene.Channel, scene.AssociationRelay, "SubmitBallots", string(batch))
	if err != nil {
		t.Fatal(err)
	}
	var answer scene.Answer
	if err := json.Unmarshal(proposal.Payload, &answer); err != nil {
		t.Fatal(err)
	}
	if got := answer.Verdicts(len(file.Duplicates.Verdicts)); !slices.Equal(got, file.Duplicates.Verdicts) {
		t.Errorf("verdicts %q, want %q", got, file.Duplicates.Verdicts)
	}
}
