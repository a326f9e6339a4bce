package ballot_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
	"concordat/chaincode/vectors"
)

func TestRecordVectors(t *testing.T) {
	type vector struct {
		Name    string          `json:"name"`
		Meeting string          `json:"meeting"`
		Record  string          `json:"record"`
		Ballot  json.RawMessage `json:"ballot"`
	}
	var file struct {
		Accept []vector `json:"accept"`
		Reject []vector `json:"reject"`
	}
	vectors.Load(t, "record.json", &file)
	for _, vector := range file.Accept {
		t.Run(vector.Name, func(t *testing.T) {
			m, data := shared(t, vector.Meeting), fromHex(t, vector.Record)
			record, err := ballot.DecodeRecord(data, m)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := record.Encode(m); err != nil || !bytes.Equal(again, data) {
				t.Errorf("written again as %x (%v)", again, err)
			}
			want, err := canonical.Marshal(vector.Ballot)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := record.JSON(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s (%v), want %s", got, err, want)
			}
		})
	}
	for _, vector := range file.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			if _, err := ballot.DecodeRecord(fromHex(t, vector.Record), shared(t, vector.Meeting)); err == nil {
				t.Error("read")
			}
		})
	}
}

func TestNoVerdictsRecordIsNotWritten(t *testing.T) {
	m := plain(t)
	for name, record := range map[string]ballot.Record{
		"no door":    {Digest: canonical.Base64(make([]byte, 32)), Seq: 1},
		"no digest":  {Door: "AssociationMSP", Seq: 1},
		"no seq":     {Door: "AssociationMSP", Digest: canonical.Base64(make([]byte, 32))},
		"no session": {Door: "AssociationMSP", Digest: canonical.Base64(make([]byte, 32)), Seq: 1},
	} {
		if data, err := record.Encode(m); err == nil {
			t.Errorf("%s: written as %x", name, data)
		}
	}
}

func TestMandateVectors(t *testing.T) {
	var file struct {
		Accept []struct {
			JWS    string `json:"jws"`
			Digest string `json:"digest"`
		} `json:"accept"`
		Reject []struct {
			Name string       `json:"name"`
			JWS  string       `json:"jws"`
			Code refusal.Code `json:"code"`
		} `json:"reject"`
		Point string `json:"point"`
	}
	vectors.Load(t, "mandate.json", &file)
	for _, vector := range file.Accept {
		mandate, err := ballot.ParseMandate(vector.JWS)
		if err != nil {
			t.Fatal(err)
		}
		if err := mandate.Verify(fromHex(t, file.Point)); err != nil {
			t.Error(err)
		}
		if mandate.Digest() != vector.Digest || !mandate.Covers("m1") || mandate.Covers("m2") != (mandate.Motions == nil) {
			t.Errorf("digest %s, motions %v", mandate.Digest(), mandate.Motions)
		}
	}
	for _, vector := range file.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			mandate, err := ballot.ParseMandate(vector.JWS)
			if err == nil {
				err = mandate.Verify(fromHex(t, file.Point))
			}
			wantCode(t, err, vector.Code)
		})
	}
}

func TestRevocationVectors(t *testing.T) {
	var file struct {
		Point       string `json:"point"`
		Revocations struct {
			Accept []struct {
				JWS     string         `json:"jws"`
				Payload map[string]any `json:"payload"`
			} `json:"accept"`
			Reject []struct {
				Name string       `json:"name"`
				JWS  string       `json:"jws"`
				Code refusal.Code `json:"code"`
			} `json:"reject"`
		} `json:"revocations"`
	}
	vectors.Load(t, "mandate.json", &file)
	for _, vector := range file.Revocations.Accept {
		revocation, err := ballot.ParseRevocation(vector.JWS)
		if err != nil {
			t.Fatal(err)
		}
		if err := revocation.Verify(fromHex(t, file.Point)); err != nil {
			t.Error(err)
		}
		if revocation.Sub != vector.Payload["sub"] || revocation.Mandate != vector.Payload["mandate"] {
			t.Errorf("%+v", revocation.Revocation)
		}
	}
	for _, vector := range file.Revocations.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			revocation, err := ballot.ParseRevocation(vector.JWS)
			if err == nil {
				err = revocation.Verify(fromHex(t, file.Point))
			}
			wantCode(t, err, vector.Code)
		})
	}
}

func TestObjectionVectors(t *testing.T) {
	var file struct {
		Point  string `json:"point"`
		Accept []struct {
			JWS     string         `json:"jws"`
			Digest  string         `json:"digest"`
			Payload map[string]any `json:"payload"`
		} `json:"accept"`
		Reject []struct {
			Name string       `json:"name"`
			JWS  string       `json:"jws"`
			Code refusal.Code `json:"code"`
		} `json:"reject"`
	}
	vectors.Load(t, "objection.json", &file)
	for _, vector := range file.Accept {
		objection, err := ballot.ParseObjection(vector.JWS)
		if err != nil {
			t.Fatal(err)
		}
		if err := objection.Verify(fromHex(t, file.Point)); err != nil {
			t.Error(err)
		}
		if objection.Digest() != vector.Digest || objection.ID != vector.Payload["obj"] ||
			objection.Ground != vector.Payload["ground"] || objection.Evidence != vector.Payload["evidence"] {
			t.Errorf("%+v", objection.Objection)
		}
	}
	for _, vector := range file.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			objection, err := ballot.ParseObjection(vector.JWS)
			if err == nil {
				err = objection.Verify(fromHex(t, file.Point))
			}
			wantCode(t, err, vector.Code)
		})
	}
}
