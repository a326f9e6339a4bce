// Command merklevectors is an outside opinion on RFC 9162 trees: that of transparency-dev/merkle.
//
// It reads {"leaves": [hex, ...]} and what somebody claims about the tree over them, verifies every claim
// and writes the tree's roots, inclusion proofs and consistency proofs at every size, in hex. A claim that
// doesn't verify is listed under "refused" by its position.
package main

import (
	"encoding/hex"
	"encoding/json"
	"log"
	"os"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
)

type hash []byte

func (h hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func (h *hash) UnmarshalText(text []byte) error {
	decoded, err := hex.DecodeString(string(text))
	*h = decoded
	return err
}

type inclusion struct {
	Index uint64 `json:"index"`
	Size  uint64 `json:"size"`
	Leaf  hash   `json:"leaf"`
	Root  hash   `json:"root"`
	Path  []hash `json:"path"`
}

type consistency struct {
	First      uint64 `json:"first"`
	Second     uint64 `json:"second"`
	FirstRoot  hash   `json:"first_root"`
	SecondRoot hash   `json:"second_root"`
	Path       []hash `json:"path"`
}

type claims struct {
	Leaves      []hash        `json:"leaves"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

type answer struct {
	KnownLeaves        []hash        `json:"known_leaves"`
	KnownRoots         []hash        `json:"known_roots"`
	Roots              []hash        `json:"roots"`
	Inclusion          []inclusion   `json:"inclusion"`
	Consistency        []consistency `json:"consistency"`
	RefusedInclusion   []int         `json:"refused_inclusion"`
	RefusedConsistency []int         `json:"refused_consistency"`
}

func hashes(values [][]byte) []hash {
	named := make([]hash, len(values))
	for i, value := range values {
		named[i] = value
	}
	return named
}

func plain(values []hash) [][]byte {
	bare := make([][]byte, len(values))
	for i, value := range values {
		bare[i] = value
	}
	return bare
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	var asked claims
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	tree := testonly.New(rfc6962.DefaultHasher)
	tree.AppendData(plain(asked.Leaves)...)
	said := answer{KnownLeaves: hashes(testonly.LeafInputs()), KnownRoots: hashes(testonly.RootHashes())}
	for size := uint64(0); size <= tree.Size(); size++ {
		said.Roots = append(said.Roots, tree.HashAt(size))
		for index := uint64(0); index < size; index++ {
			path := must(tree.InclusionProof(index, size))
			said.Inclusion = append(said.Inclusion, inclusion{Index: index, Size: size, Path: hashes(path)})
		}
		for first := uint64(0); first <= size; first++ {
			path := must(tree.ConsistencyProof(first, size))
			said.Consistency = append(said.Consistency, consistency{First: first, Second: size, Path: hashes(path)})
		}
	}
	hasher := rfc6962.DefaultHasher
	for i, one := range asked.Inclusion {
		leaf := hasher.HashLeaf(one.Leaf)
		if proof.VerifyInclusion(hasher, one.Index, one.Size, leaf, plain(one.Path), one.Root) != nil {
			said.RefusedInclusion = append(said.RefusedInclusion, i)
		}
	}
	for i, one := range asked.Consistency {
		path := plain(one.Path)
		if proof.VerifyConsistency(hasher, one.First, one.Second, path, one.FirstRoot, one.SecondRoot) != nil {
			said.RefusedConsistency = append(said.RefusedConsistency, i)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		log.Fatal(err)
	}
}
