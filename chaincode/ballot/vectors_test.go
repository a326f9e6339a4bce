package ballot_test

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"

	"concordat/chaincode/ballot"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/vectors"
)

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wantCode(t *testing.T, err error, want refusal.Code) {
	t.Helper()
	if code, _ := refusal.CodeOf(err); code != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// plain is the vectors' first meeting.
func plain(t testing.TB) *meeting.Meeting {
	t.Helper()
	var file struct {
		Meetings map[string]struct {
			Record string `json:"record"`
		} `json:"meetings"`
	}
	vectors.Load(t, "ballot_accept.json", &file)
	m, err := meeting.Parse([]byte(file.Meetings["plain"].Record))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type batchFile struct {
	Accept []struct {
		Name    string   `json:"name"`
		Batch   string   `json:"batch"`
		Meeting string   `json:"mtg"`
		Entries []string `json:"entries"`
	} `json:"accept"`
	Reject []struct {
		Name  string       `json:"name"`
		Batch string       `json:"batch"`
		Code  refusal.Code `json:"code"`
	} `json:"reject"`
	Oversize struct {
		Limit int          `json:"limit"`
		Code  refusal.Code `json:"code"`
	} `json:"oversize"`
}

func TestBatchVectors(t *testing.T) {
	var file batchFile
	vectors.Load(t, "batch.json", &file)
	m := plain(t)
	for _, vector := range file.Accept {
		t.Run(vector.Name, func(t *testing.T) {
			batch, err := ballot.DecodeBatch(fromHex(t, vector.Batch))
			if err != nil {
				t.Fatal(err)
			}
			if batch.Meeting != vector.Meeting || len(batch.Entries) != len(vector.Entries) {
				t.Fatalf("meeting %s, %d entries", batch.Meeting, len(batch.Entries))
			}
			for i, want := range vector.Entries {
				_, err := ballot.ReadEntry(batch.Entries[i], m)
				if want == "compact" || want == "raw" {
					want = ""
				}
				wantCode(t, err, refusal.Code(want))
			}
		})
	}
	for _, vector := range file.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			_, err := ballot.DecodeBatch(fromHex(t, vector.Batch))
			wantCode(t, err, vector.Code)
		})
	}
	if file.Oversize.Limit != ballot.MaxBatch {
		t.Errorf("limit %d, vectors have %d", ballot.MaxBatch, file.Oversize.Limit)
	}
	_, err := ballot.DecodeBatch(make([]byte, file.Oversize.Limit+1))
	wantCode(t, err, file.Oversize.Code)
}

func TestLeafVectors(t *testing.T) {
	var file struct {
		Accept []struct {
			Name string `json:"name"`
			Leaf string `json:"leaf"`
			Hash string `json:"hash"`
		} `json:"accept"`
		Reject []struct {
			Name string       `json:"name"`
			Leaf string       `json:"leaf"`
			Code refusal.Code `json:"code"`
		} `json:"reject"`
	}
	vectors.Load(t, "leaf.json", &file)
	for _, vector := range file.Accept {
		t.Run(vector.Name, func(t *testing.T) {
			leaf, err := ballot.ParseLeaf([]byte(vector.Leaf))
			if err != nil {
				t.Fatal(err)
			}
			if hash := hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(leaf.Encode())); hash != vector.Hash {
				t.Errorf("hash %s, want %s", hash, vector.Hash)
			}
		})
	}
	for _, vector := range file.Reject {
		t.Run(vector.Name, func(t *testing.T) {
			_, err := ballot.ParseLeaf(fromHex(t, vector.Leaf))
			wantCode(t, err, vector.Code)
		})
	}
}

type pathVector struct {
	Name   string   `json:"name"`
	Leaf   string   `json:"leaf"`
	Index  uint64   `json:"index"`
	Size   uint64   `json:"size"`
	Height uint     `json:"height"`
	Path   []string `json:"path"`
	Root   string   `json:"root"`
}

type treeVector struct {
	Size     uint64       `json:"size"`
	Root     string       `json:"root"`
	Caps     [][]string   `json:"caps"`
	Paths    []pathVector `json:"paths"`
	RunPaths []pathVector `json:"run_paths"`
}

func unhexAll(t *testing.T, texts []string) [][]byte {
	t.Helper()
	list := make([][]byte, len(texts))
	for i, text := range texts {
		list[i] = fromHex(t, text)
	}
	return list
}

func TestMerkleVectors(t *testing.T) {
	var file struct {
		Trees      []treeVector `json:"trees"`
		Reject     []pathVector `json:"reject"`
		CapHeights []struct {
			Size   uint64 `json:"size"`
			Height uint   `json:"height"`
		} `json:"cap_heights"`
	}
	vectors.Load(t, "merkle.json", &file)
	for _, tree := range file.Trees {
		tree.check(t)
	}
	for _, vector := range file.Reject {
		roll := &meeting.Roll{Size: vector.Size, CapHeight: 63}
		nodes := [][]byte{fromHex(t, vector.Root)}
		if err := ballot.VerifyPath(fromHex(t, vector.Leaf), vector.Index, unhexAll(t, vector.Path), roll, nodes); err == nil {
			t.Errorf("accepted: %s", vector.Name)
		}
	}
	for _, vector := range file.CapHeights {
		if height := meeting.CapHeight(vector.Size); height != vector.Height {
			t.Errorf("cap height of %d leaves is %d, want %d", vector.Size, height, vector.Height)
		}
	}
}

func (v *treeVector) check(t *testing.T) {
	t.Helper()
	leaf := func(index uint64) []byte { return fmt.Appendf(nil, "leaf %d", index) }
	for _, path := range v.Paths {
		roll := &meeting.Roll{Size: v.Size, CapHeight: 62}
		nodes := [][]byte{fromHex(t, v.Root)}
		if err := ballot.VerifyProof(leaf(path.Index), path.Index, unhexAll(t, path.Path), roll, nodes); err != nil {
			t.Errorf("size %d, index %d: %v", v.Size, path.Index, err)
		}
	}
	for height, nodes := range v.Caps {
		roll := &meeting.Roll{Size: v.Size, CapHeight: uint(height)}
		copy(roll.Root[:], fromHex(t, v.Root))
		if err := roll.CheckCap(unhexAll(t, nodes)); err != nil {
			t.Errorf("size %d, height %d: %v", v.Size, height, err)
		}
	}
	for _, path := range v.RunPaths {
		roll := &meeting.Roll{Size: v.Size, CapHeight: path.Height}
		nodes := unhexAll(t, v.Caps[min(int(path.Height), len(v.Caps)-1)])
		proof := unhexAll(t, path.Path)
		if err := ballot.VerifyProof(leaf(path.Index), path.Index, proof, roll, nodes); err != nil {
			t.Errorf("size %d, index %d, height %d: %v", v.Size, path.Index, path.Height, err)
		}
		if err := ballot.VerifyProof(leaf(path.Index+1), path.Index, proof, roll, nodes); err == nil {
			t.Errorf("size %d, index %d: another leaf is proved", v.Size, path.Index)
		}
	}
}
