package meeting_test

import (
	"encoding/hex"
	"testing"

	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/vectors"
)

type recordVector struct {
	Name    string       `json:"name"`
	Record  string       `json:"record"`
	Hash    string       `json:"mh"`
	Channel string       `json:"channel"`
	Cap     string       `json:"cap"`
	Code    refusal.Code `json:"code"`
}

func (v *recordVector) parseCap(t *testing.T) (meeting.Cap, error) {
	t.Helper()
	data, err := hex.DecodeString(v.Cap)
	if err != nil {
		t.Fatal(err)
	}
	return meeting.ParseCap(data)
}

func TestRecordVectors(t *testing.T) {
	var file struct {
		Accept    []recordVector `json:"accept"`
		Reject    []recordVector `json:"reject"`
		RejectCap []recordVector `json:"reject_cap"`
	}
	vectors.Load(t, "meeting.json", &file)
	for _, vector := range file.Accept {
		t.Run(vector.Name, func(t *testing.T) {
			m, err := meeting.Parse([]byte(vector.Record))
			if err != nil {
				t.Fatal(err)
			}
			if m.Hash != vector.Hash || meeting.Channel(m.Institution) != vector.Channel {
				t.Errorf("mh %s, channel %s", m.Hash, meeting.Channel(m.Institution))
			}
			nodes, err := vector.parseCap(t)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Roll.CheckCap(nodes); err != nil {
				t.Error(err)
			}
		})
	}
	for _, vector := range file.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			_, err := meeting.Parse([]byte(vector.Record))
			if code, _ := refusal.CodeOf(err); code != vector.Code {
				t.Errorf("error %v, want %s", err, vector.Code)
			}
		})
	}
	for _, vector := range file.RejectCap {
		t.Run("cap/"+vector.Name, func(t *testing.T) {
			m, err := meeting.Parse([]byte(vector.Record))
			if err != nil {
				t.Fatal(err)
			}
			nodes, err := vector.parseCap(t)
			if err == nil {
				err = m.Roll.CheckCap(nodes)
			}
			if code, _ := refusal.CodeOf(err); code != vector.Code {
				t.Errorf("error %v, want %s", err, vector.Code)
			}
		})
	}
}

func TestStepVectors(t *testing.T) {
	var file struct {
		Accept []struct {
			Step   string `json:"step"`
			Digest string `json:"digest"`
		} `json:"accept"`
		Reject []struct {
			Name string       `json:"name"`
			Step string       `json:"step"`
			Code refusal.Code `json:"code"`
		} `json:"reject"`
	}
	vectors.Load(t, "step.json", &file)
	for _, vector := range file.Accept {
		if _, err := meeting.ParseStep([]byte(vector.Step)); err != nil {
			t.Errorf("%s: %v", vector.Step, err)
		}
		if digest := meeting.StepDigest([]byte(vector.Step)); digest != vector.Digest {
			t.Errorf("%s: digest %s, want %s", vector.Step, digest, vector.Digest)
		}
	}
	for _, vector := range file.Reject {
		_, err := meeting.ParseStep([]byte(vector.Step))
		if code, _ := refusal.CodeOf(err); code != vector.Code {
			t.Errorf("%s: error %v, want %s", vector.Name, err, vector.Code)
		}
	}
}
