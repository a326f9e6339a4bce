package meeting

import (
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/rfc6962"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// maxCap is the largest number of nodes in a roll's cap.
const maxCap = 4096

// CapHeight is the smallest height at which a tree of size leaves has at most
// 4,096 cap nodes.
func CapHeight(size uint64) uint {
	height := uint(0)
	for capSize(size, height) > maxCap {
		height++
	}
	return height
}

func capSize(size uint64, height uint) uint64 {
	return (size + 1<<height - 1) >> height
}

func (m *Meeting) parseRoll(object canonical.Object) error {
	roll, err := object.Object("roll")
	if err != nil {
		return err
	}
	if err := roll.Only([]string{"root", "size", "heads", "fen", "cap_height", "snapshot", "classes"}); err != nil {
		return fmt.Errorf("roll: %w", err)
	}
	root, err := roll.Text("root")
	if err != nil {
		return fmt.Errorf("roll: %w", err)
	}
	rootBytes, err := canonical.FromBase64Sized(root, 32)
	if err != nil {
		return fmt.Errorf("roll: root: %w", err)
	}
	copy(m.Roll.Root[:], rootBytes)
	snapshot, err := timeOf(roll, "snapshot")
	if err != nil {
		return fmt.Errorf("roll: snapshot: %w", err)
	}
	var figures [4]int64
	for i, name := range []string{"size", "heads", "fen", "cap_height"} {
		if figures[i], err = roll.Integer(name); err != nil {
			return fmt.Errorf("roll: %w", err)
		}
		if figures[i] < 1 && name != "cap_height" {
			return fmt.Errorf("roll: %s is not positive", name)
		}
	}
	if m.Roll.Classes, err = parseClasses(roll); err != nil {
		return fmt.Errorf("roll: %w", err)
	}
	size, heads, fen, height := figures[0], figures[1], figures[2], figures[3]
	if err := m.checkFigures(size, heads, fen, height); err != nil {
		return refusal.Because(refusal.MeetingRoll, err)
	}
	if snapshot > m.Opens {
		return errors.New("the roll's snapshot is after opens_at")
	}
	m.Roll.Size, m.Roll.Fen, m.Roll.CapHeight = uint64(size), fen, uint(height)
	return nil
}

func parseClasses(roll canonical.Object) ([]Class, error) {
	items, err := roll.Objects("classes")
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, errors.New("no classes")
	}
	classes := make([]Class, len(items))
	for i, item := range items {
		if err := item.Only([]string{"class", "heads", "fen"}); err != nil {
			return nil, fmt.Errorf("class: %w", err)
		}
		if classes[i].Name, err = item.Text("class"); err != nil {
			return nil, err
		}
		if classes[i].Heads, err = item.Integer("heads"); err != nil {
			return nil, err
		}
		if classes[i].Fen, err = item.Integer("fen"); err != nil {
			return nil, err
		}
		class := classes[i]
		if !canonical.IsName(class.Name, nameLimit) || class.Name == AllClasses || class.Heads < 1 || class.Fen < 1 {
			return nil, errors.New("a class is not a name with positive heads and fen")
		}
		if i > 0 && class.Name <= classes[i-1].Name {
			return nil, errors.New("classes are not sorted, or one is given twice")
		}
	}
	return classes, nil
}

// checkFigures finds contradictions. A lender in several classes counts in
// each, so the classes' heads may exceed the roll's.
func (m *Meeting) checkFigures(size, heads, fen, height int64) error {
	if size != heads {
		return fmt.Errorf("size %d, heads %d: one leaf a lender", size, heads)
	}
	var classHeads, classFen uint64 // each below 2^53, and fewer than 2^10 could overflow
	if len(m.Roll.Classes) > 1000 {
		return errors.New("more than 1000 classes")
	}
	for _, class := range m.Roll.Classes {
		classHeads += uint64(class.Heads)
		classFen += uint64(class.Fen)
		if class.Heads > heads || class.Fen < class.Heads {
			return errors.New("a class has more lenders than the roll, or than fen")
		}
	}
	if classFen != uint64(fen) {
		return fmt.Errorf("the classes have %d fen, the roll %d", classFen, fen)
	}
	if classHeads < uint64(heads) {
		return errors.New("the classes have fewer lenders than the roll")
	}
	if height != int64(CapHeight(uint64(size))) {
		return fmt.Errorf("the cap height of %d leaves is not %d", size, height)
	}
	return nil
}

// CheckCap refuses (MEETING_ROLL) a cap that does not combine to the root:
// with runs of a power of two, RFC 9162's split rule over the cap's nodes
// gives the root of the whole tree.
func (r *Roll) CheckCap(nodes [][]byte) error {
	if uint64(len(nodes)) != capSize(r.Size, r.CapHeight) {
		return refusal.New(refusal.MeetingRoll, "the cap has %d nodes, not %d", len(nodes), capSize(r.Size, r.CapHeight))
	}
	for _, node := range nodes {
		if len(node) != len(r.Root) {
			return refusal.New(refusal.MeetingRoll, "a cap node is not 32 bytes")
		}
	}
	layer := append([][]byte(nil), nodes...)
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

// ParseCap decodes a cap: deterministic CBOR, an array of 32-byte strings. It
// refuses (MEETING_ROLL) anything else.
func ParseCap(data []byte) ([][]byte, error) {
	var nodes [][]byte
	if err := canonical.UnmarshalCBOR(data, &nodes); err != nil {
		return nil, refusal.Because(refusal.MeetingRoll, err)
	}
	return nodes, nil
}
