package arbitration_test

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"concordat/chaincode/arbitration"
	"concordat/chaincode/ballot"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
	"concordat/chaincode/vectors"
)

type amendmentFile struct {
	Record   string `json:"record"`
	Sequence struct {
		Ballots    map[string]string `json:"ballots"`
		Amendments []struct {
			Document string            `json:"document"`
			Overlay  string            `json:"overlay"`
			Ballots  map[string]string `json:"ballots"`
			Subtotal *string           `json:"subtotal"`
			Roll     json.RawMessage   `json:"roll"`
		} `json:"amendments"`
	} `json:"sequence"`
	Refused []struct {
		Name     string            `json:"name"`
		Code     refusal.Code      `json:"code"`
		Document string            `json:"document"`
		Ballot   map[string]string `json:"ballot"`
	} `json:"refused"`
}

const amendedMeeting = "2026-amended"

// stage puts the vectors' meeting and ballots on a ledger.
func (f *amendmentFile) stage(t *testing.T, ballots map[string]string) *ledgertest.Network {
	t.Helper()
	network := scene.Deploy(t, arbitration.DefaultRangeLimit)
	shared := sharedMeeting{Record: f.Record}
	if m := shared.open(t, network); m.ID != amendedMeeting {
		t.Fatal(m.ID)
	}
	for sub, held := range ballots {
		network.SetState(unhex(t, held), scene.Channel, "ballot", amendedMeeting, sub)
	}
	return network
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAmendmentSequenceVector(t *testing.T) {
	var file amendmentFile
	vectors.Load(t, "amendment.json", &file)
	network := file.stage(t, file.Sequence.Ballots)
	submit := func(caller ledgertest.Caller, function string, args ...string) *ledgertest.Proposal {
		t.Helper()
		proposal, err := network.Submit(scene.Channel, caller, function, args...)
		if err != nil {
			t.Fatal(err)
		}
		return proposal
	}
	for number, vector := range file.Sequence.Amendments {
		submit(scene.InstitutionOfficer, "ProposeAmendment", vector.Document)
		digest := ballot.AmendmentDigest([]byte(vector.Document))
		confirmed := submit(scene.RegulatorOfficer, "ConfirmAmendment", amendedMeeting, digest)
		same := func(what, want string, key ...string) {
			t.Helper()
			if got := hex.EncodeToString(network.State(scene.Channel, key[0], key[1:]...)); got != want {
				t.Errorf("amendment %d: %s %s, want %s", number+1, what, got, want)
			}
		}
		same("overlay", vector.Overlay, "amendments", amendedMeeting)
		for _, sub := range slices.Sorted(maps.Keys(vector.Ballots)) {
			same("ballot", vector.Ballots[sub], "ballot", amendedMeeting, sub)
		}
		subtotal := ""
		if vector.Subtotal != nil {
			subtotal = hex.EncodeToString([]byte(*vector.Subtotal))
		}
		same("subtotal", subtotal, "subtotal", amendedMeeting, confirmed.ID)
		var view struct {
			Roll any `json:"roll"`
		}
		answer := submit(scene.Auditor, "GetAmendments", amendedMeeting).Payload
		if err := json.Unmarshal(answer, &view); err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(vector.Roll, &want); err != nil {
			t.Fatal(err)
		}
		if got := text(t, view.Roll); got != text(t, want) {
			t.Errorf("amendment %d: roll %s, want %s", number+1, got, text(t, want))
		}
	}
}

func TestRefusedAmendmentVectors(t *testing.T) {
	var file amendmentFile
	vectors.Load(t, "amendment.json", &file)
	if len(file.Refused) == 0 {
		t.Fatal("no vectors")
	}
	for _, vector := range file.Refused {
		network := file.stage(t, vector.Ballot)
		_, err := network.Submit(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", vector.Document)
		if err == nil || len(err.Error()) < len(vector.Code) || err.Error()[:len(vector.Code)] != string(vector.Code) {
			t.Errorf("%s: %v, want %s", vector.Name, err, vector.Code)
		}
	}
}
