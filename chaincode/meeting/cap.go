package meeting

import (
	"math/bits"

	"github.com/transparency-dev/merkle/rfc6962"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// maxCap is the largest number of nodes in a roll's cap (ADR 0015).
const maxCap = 32_768

// CapHeight is the smallest height at which a tree of size leaves has at most
// 32,768 cap nodes.
func CapHeight(size uint64) uint {
	height := uint(0)
	for capSize(size, height) > maxCap {
		height++
	}
	return height
}

// IsCapHeight says whether a tree of size leaves may have a cap of a height:
// not too wide, nor above the root.
func IsCapHeight(size uint64, height int64) bool {
	return int64(CapHeight(size)) <= height && height <= int64(bits.Len64(size-1))
}

func capSize(size uint64, height uint) uint64 {
	return (size + 1<<height - 1) >> height
}

// Cap is the layer of a roll's tree that the channel holds, as it is encoded:
// a CBOR array of strings of 32 bytes, so that a node is found without
// decoding the others.
type Cap []byte

const (
	nodeSize   = 32
	nodeStride = 2 + nodeSize // a string's head of two bytes, and the string
)

// ParseCap reads a cap: deterministic CBOR, an array of 32-byte strings. It
// refuses (MEETING_ROLL) anything else.
func ParseCap(data []byte) (Cap, error) {
	cursor := canonical.NewCursor(data)
	for range cursor.Array() {
		cursor.Sized(nodeSize)
	}
	if !cursor.Done() {
		return nil, refusal.New(refusal.MeetingRoll, "the cap is not an array of strings of 32 bytes")
	}
	return Cap(data), nil
}

// Len is the number of nodes.
func (c Cap) Len() int { return len(c) / nodeStride }

// Node is a node of a cap that ParseCap has passed.
func (c Cap) Node(index uint64) []byte {
	head := len(c) - c.Len()*nodeStride
	start := head + int(index)*nodeStride + nodeStride - nodeSize
	return c[start : start+nodeSize : start+nodeSize]
}

// CheckCap refuses (MEETING_ROLL) a cap that does not combine to the root:
// with runs of a power of two, RFC 9162's split rule over the cap's nodes
// gives the root of the whole tree.
func (r *Roll) CheckCap(nodes Cap) error {
	if due := capSize(r.Size, r.CapHeight); uint64(nodes.Len()) != due {
		return refusal.New(refusal.MeetingRoll, "the cap has %d nodes, not %d", nodes.Len(), due)
	}
	layer := make([][]byte, nodes.Len())
	for i := range layer {
		layer[i] = nodes.Node(uint64(i))
	}
	for len(layer) > 1 {
		above := layer[:0]
		for i := 0; i+1 < len(layer); i += 2 {
			above = append(above, rfc6962.DefaultHasher.HashChildren(layer[i], layer[i+1]))
		}
		if len(layer)%2 == 1 { // a node without a sibling moves up as it is
			above = append(above, layer[len(layer)-1])
		}
		layer = above
	}
	if string(layer[0]) != string(r.Root[:]) {
		return refusal.New(refusal.MeetingRoll, "the cap does not combine to the root")
	}
	return nil
}
