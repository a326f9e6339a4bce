package arbitration_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"concordat/chaincode/arbitration"
	"concordat/chaincode/authority"
	"concordat/chaincode/ballot"
	"concordat/chaincode/identity"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
	"concordat/chaincode/service"
	"concordat/chaincode/vectors"
)

const channelA = "arbitration-institutiona"

var associationRelay = ledgertest.Caller{MSP: authority.Association, Role: authority.Relay}

// deploy makes a network with both chaincodes on their channels.
func deploy(t testing.TB) *ledgertest.Network {
	t.Helper()
	network := ledgertest.New()
	who, err := service.New("identity", identity.NewContract())
	if err != nil {
		t.Fatal(err)
	}
	what, err := service.New("arbitration", arbitration.NewContract(arbitration.DefaultRangeLimit))
	if err != nil {
		t.Fatal(err)
	}
	network.Deploy("identity", "identity", who)
	network.Deploy(channelA, "arbitration", what)
	return network
}

// answer is a batch function's response.
type answer struct {
	Version  int     `json:"v"`
	Accepted int     `json:"accepted"`
	Held     []int   `json:"held"`
	Refused  [][]any `json:"refused"`
	Pending  [][]any `json:"pending"`
}

func parseAnswer(t testing.TB, payload []byte) answer {
	t.Helper()
	var parsed answer
	if err := json.Unmarshal(payload, &parsed); err != nil {
		t.Fatalf("%v: %s", err, payload)
	}
	return parsed
}

// verdicts lists an answer entry by entry: "" for accepted, "held", or a code.
func (a *answer) verdicts(entries int) []string {
	list := make([]string, entries)
	for _, index := range a.Held {
		list[index] = "held"
	}
	for _, item := range append(append([][]any{}, a.Refused...), a.Pending...) {
		list[int(item[0].(float64))] = item[1].(string)
	}
	return list
}

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
	network.SetState([]byte(m.Record), channelA, "meeting", parsed.ID)
	network.SetState(nodes, channelA, "cap", parsed.ID)
	network.SetState([]byte(`{"state":"open","tx":"","v":1}`), channelA, "state", parsed.ID)
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
	Held      *struct {
		Seq    int64  `json:"seq"`
		Digest string `json:"digest"`
	} `json:"held"`
	SessionUsed string `json:"session_used"`
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
	if v.SessionUsed != "" {
		network.SetState([]byte(v.SessionUsed), channelA, "session", m.ID, session.Ses)
	}
	if v.Held != nil {
		held := ballot.Record{
			Door: authority.Association, AckNumber: 1, AckTime: "2026-03-03T08:30:00Z",
			Claims: []ballot.Claim{{Class: m.Roll.Classes[0].Name, Fen: 1}},
			Digest: v.Held.Digest, Revision: 1, Seq: v.Held.Seq,
		}
		for _, position := range m.ByID {
			motion := m.Motions[position]
			held.Votes = append(held.Votes, ballot.Vote{
				Motion: motion.ID, Choices: motion.Choices[:1], Array: motion.MaxChoices > 1,
			})
		}
		network.SetState(held.Encode(), channelA, "ballot", m.ID, lender.Sub)
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
				network := deploy(t)
				m := shared.open(t, network)
				if m.Hash != shared.Hash {
					t.Fatalf("mh %s, want %s", m.Hash, shared.Hash)
				}
				vector.stage(t, network, m)
				entry, err := hex.DecodeString(vector.Entry)
				if err != nil {
					t.Fatal(err)
				}
				proposal, err := network.Submit(channelA, associationRelay, "SubmitBallots", oneEntry(m.ID, entry))
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
	got := parseAnswer(t, proposal.Payload)
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
		writes = 3 // ballot, session, subtotal
	}
	if len(proposal.Writes) != writes {
		t.Errorf("%d writes, want %d", len(proposal.Writes), writes)
	}
}
