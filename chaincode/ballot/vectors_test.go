package ballot_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
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
func plain(t testing.TB) *meeting.Meeting { return shared(t, "plain") }

// shared is one of the vectors' meetings.
func shared(t testing.TB, name string) *meeting.Meeting {
	t.Helper()
	var file struct {
		Meetings map[string]struct {
			Record string `json:"record"`
		} `json:"meetings"`
	}
	vectors.Load(t, "ballot_accept.json", &file)
	m, err := meeting.Parse([]byte(file.Meetings[name].Record))
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
			if vector.Name == "excluded and disputed" {
				return // of another meeting: ballot_accept.json has such entries judged
			}
			if batch.Meeting != vector.Meeting || len(batch.Entries) != len(vector.Entries) {
				t.Fatalf("meeting %s, %d entries", batch.Meeting, len(batch.Entries))
			}
			for i, want := range vector.Entries {
				_, err := ballot.ReadEntry(batch.Entries[i], m)
				if slices.Contains([]string{"compact", "raw", "by proxy", "amended"}, want) {
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

// capOf makes a cap of its nodes.
func capOf(t *testing.T, nodes ...[]byte) meeting.Cap {
	t.Helper()
	data, err := canonical.MarshalCBOR(nodes)
	if err != nil {
		t.Fatal(err)
	}
	cap, err := meeting.ParseCap(data)
	if err != nil {
		t.Fatal(err)
	}
	return cap
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
			Root   int64  `json:"root"`
		} `json:"cap_heights"`
	}
	vectors.Load(t, "merkle.json", &file)
	for _, tree := range file.Trees {
		tree.check(t)
	}
	for _, vector := range file.Reject {
		roll := &meeting.Roll{Size: vector.Size, CapHeight: 63}
		nodes := capOf(t, fromHex(t, vector.Root))
		if err := ballot.VerifyPath(fromHex(t, vector.Leaf), vector.Index, unhexAll(t, vector.Path), roll, nodes); err == nil {
			t.Errorf("accepted: %s", vector.Name)
		}
	}
	for _, vector := range file.CapHeights {
		if height := meeting.CapHeight(vector.Size); height != vector.Height {
			t.Errorf("cap height of %d leaves is %d, want %d", vector.Size, height, vector.Height)
		}
		for height := range vector.Root + 3 {
			allowed := height >= int64(vector.Height) && height <= vector.Root
			if got := meeting.IsCapHeight(vector.Size, height); got != allowed {
				t.Errorf("cap height %d for %d leaves: %v", height, vector.Size, got)
			}
		}
	}
}

func (v *treeVector) check(t *testing.T) {
	t.Helper()
	leaf := func(index uint64) []byte { return fmt.Appendf(nil, "leaf %d", index) }
	for _, path := range v.Paths {
		roll := &meeting.Roll{Size: v.Size, CapHeight: 62}
		nodes := capOf(t, fromHex(t, v.Root))
		if err := ballot.VerifyProof(leaf(path.Index), path.Index, unhexAll(t, path.Path), roll, nodes); err != nil {
			t.Errorf("size %d, index %d: %v", v.Size, path.Index, err)
		}
	}
	for height, nodes := range v.Caps {
		roll := &meeting.Roll{Size: v.Size, CapHeight: uint(height)}
		copy(roll.Root[:], fromHex(t, v.Root))
		if err := roll.CheckCap(capOf(t, unhexAll(t, nodes)...)); err != nil {
			t.Errorf("size %d, height %d: %v", v.Size, height, err)
		}
	}
	for _, path := range v.RunPaths {
		roll := &meeting.Roll{Size: v.Size, CapHeight: path.Height}
		nodes := capOf(t, unhexAll(t, v.Caps[min(int(path.Height), len(v.Caps)-1)])...)
		proof := unhexAll(t, path.Path)
		if err := ballot.VerifyProof(leaf(path.Index), path.Index, proof, roll, nodes); err != nil {
			t.Errorf("size %d, index %d, height %d: %v", v.Size, path.Index, path.Height, err)
		}
		if err := ballot.VerifyProof(leaf(path.Index+1), path.Index, proof, roll, nodes); err == nil {
			t.Errorf("size %d, index %d: another leaf is proved", v.Size, path.Index)
		}
	}
}
