package ballot_test

import (
	"encoding/hex"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/refusal"
	"concordat/chaincode/vectors"
)

func TestAmendmentVectors(t *testing.T) {
	var file struct {
		Accept []struct {
			Name     string `json:"name"`
			Document string `json:"document"`
			Digest   string `json:"digest"`
		} `json:"accept"`
		Reject []struct {
			Name     string       `json:"name"`
			Document string       `json:"document"`
			Code     refusal.Code `json:"code"`
		} `json:"reject"`
	}
	vectors.Load(t, "amendment.json", &file)
	if len(file.Accept) == 0 || len(file.Reject) == 0 {
		t.Fatal("no vectors")
	}
	for _, vector := range file.Accept {
		if _, err := ballot.ParseAmendment([]byte(vector.Document)); err != nil {
			t.Errorf("%s: %v", vector.Name, err)
		}
		if got := ballot.AmendmentDigest([]byte(vector.Document)); got != vector.Digest {
			t.Errorf("%s: digest %s, want %s", vector.Name, got, vector.Digest)
		}
	}
	for _, vector := range file.Reject {
		document, err := hex.DecodeString(vector.Document)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ballot.ParseAmendment(document); !is(err, vector.Code) {
			t.Errorf("%s: %v, want %s", vector.Name, err, vector.Code)
		}
	}
}

func is(err error, want refusal.Code) bool {
	code, refused := refusal.CodeOf(err)
	return refused && code == want
}
