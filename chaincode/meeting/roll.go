package meeting

import (
	"errors"
	"fmt"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

func (m *Meeting) parseRoll(object canonical.Object) error {
	roll, err := object.Object("roll")
	if err != nil {
		return err
	}
	if err := roll.Only([]string{"root", "size", "heads", "fen", "cap_height", "snapshot", "classes", "excluded", "disputed"}); err != nil {
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
	if m.Roll.Excluded, err = parseParts(roll, "excluded", true); err != nil {
		return fmt.Errorf("roll: %w", err)
	}
	if m.Roll.Disputed, err = parseParts(roll, "disputed", false); err != nil {
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
		if !canonical.IsName(class.Name, nameLimit) || class.Name == AllClasses || class.Name == EachClass || class.Heads < 1 || class.Fen < 1 {
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
	if !IsCapHeight(uint64(size), height) {
		return fmt.Errorf("%d leaves have no cap of height %d", size, height)
	}
	return m.Roll.checkParts(heads)
}

// View is the roll's figures as queries answer them, in the members of a
// record.
func (r *Roll) View() map[string]any {
	classes := make([]map[string]any, len(r.Classes))
	for i, class := range r.Classes {
		classes[i] = map[string]any{"class": class.Name, "heads": class.Heads, "fen": class.Fen}
	}
	return map[string]any{
		"heads": r.Size, "fen": r.Fen, "classes": classes,
		"excluded": viewOf(r.Excluded), "disputed": viewOf(r.Disputed),
	}
}

func viewOf(parts []Part) []map[string]any {
	lines := make([]map[string]any, len(parts))
	for i, part := range parts {
		lines[i] = map[string]any{"class": part.Class, "heads": part.Heads, "fen": part.Fen}
		if part.Motion != "" {
			lines[i]["motion"] = part.Motion
		}
	}
	return lines
}
