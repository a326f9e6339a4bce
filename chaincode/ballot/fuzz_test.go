package ballot_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
	"concordat/chaincode/vectors"
)

// FuzzDecodeBatch reads any bytes as a batch: every error has a code, nothing
// panics, and what is read is deterministic CBOR.
func FuzzDecodeBatch(f *testing.F) {
	var file batchFile
	vectors.Load(f, "batch.json", &file)
	for _, vector := range file.Accept {
		f.Add(fromHex(f, vector.Batch))
	}
	for _, vector := range file.Reject {
		f.Add(fromHex(f, vector.Batch))
	}
	m := plain(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		batch, err := ballot.DecodeBatch(data)
		if err != nil {
			if _, refused := refusal.CodeOf(err); !refused {
				t.Fatalf("error without a code: %v", err)
			}
			return
		}
		again, err := canonical.MarshalCBOR(batch)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("read from %x, written as %x (%v)", data, again, err)
		}
		for _, entry := range batch.Entries {
			reading, err := ballot.ReadEntry(entry, m)
			if err != nil {
				if _, refused := refusal.CodeOf(err); !refused {
					t.Fatalf("error without a code: %v", err)
				}
				continue
			}
			if _, err := reading.Candidate.Leaf(m); err != nil {
				if _, refused := refusal.CodeOf(err); !refused {
					t.Fatalf("error without a code: %v", err)
				}
			}
		}
	})
}

// FuzzParse reads any text as a ballot: every error has a code, and an
// accepted ballot is byte for byte the one that its values make.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"ballot_accept.json", "ballot_reject.json"} {
		var file struct {
			Vectors []struct {
				JWS string `json:"jws"`
			} `json:"vectors"`
		}
		vectors.Load(f, name, &file)
		for _, vector := range file.Vectors {
			f.Add(vector.JWS)
		}
	}
	f.Fuzz(func(t *testing.T, compact string) {
		signed, err := ballot.Parse(compact)
		if err != nil {
			if _, refused := refusal.CodeOf(err); !refused {
				t.Fatalf("error without a code: %v", err)
			}
			return
		}
		signature := canonical.Base64(signed.Signature)
		if string(signed.SigningInput)+"."+signature != compact {
			t.Fatalf("%q is read as %q and %q", compact, signed.SigningInput, signature)
		}
	})
}

// FuzzParsePayload signs nothing: it puts any payload into a JWS of the right
// form, so that the fuzzer gets past the header.
func FuzzParsePayload(f *testing.F) {
	var file struct {
		Vectors []struct {
			JWS string `json:"jws"`
		} `json:"vectors"`
	}
	vectors.Load(f, "ballot_accept.json", &file)
	head, tail := "", ""
	for _, vector := range file.Vectors {
		if vector.JWS == "" {
			continue
		}
		parts := bytes.Split([]byte(vector.JWS), []byte("."))
		payload, err := canonical.FromBase64(string(parts[1]))
		if err != nil {
			f.Fatal(err)
		}
		head, tail = string(parts[0]), string(parts[2])
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		signed, err := ballot.Parse(head + "." + canonical.Base64(payload) + "." + tail)
		if err != nil {
			if _, refused := refusal.CodeOf(err); !refused {
				t.Fatalf("error without a code: %v", err)
			}
			return
		}
		if !canonical.IsCanonical(payload) || signed.Seq < 1 || signed.Seq > 1000 {
			t.Fatalf("accepted %s", hex.EncodeToString(payload))
		}
	})
}
