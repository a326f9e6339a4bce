package meeting

import (
	"cmp"
	"fmt"
	"slices"

	"concordat/chaincode/canonical"
)

// Everybody is the class of a line over all classes.
const Everybody = "*"

// Part is a line of figures that count apart: of a class, or of Everybody,
// since a lender with claims in two classes is one head.
type Part struct {
	Motion string // that excludes them; "" for all that is disputed
	Class  string
	Heads  int64
	Fen    int64
}

// parseParts reads lines of figures in ascending order of motion and class,
// each once. Lines not ofMotions may name none.
func parseParts(roll canonical.Object, name string, ofMotions bool) ([]Part, error) {
	items, err := roll.Objects(name)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(items))
	for i, item := range items {
		if err := item.Only([]string{"class", "heads", "fen"}, "motion"); err != nil {
			return nil, err
		}
		part := &parts[i]
		if _, named := item["motion"]; named || ofMotions {
			if part.Motion, err = item.Text("motion"); err != nil {
				return nil, err
			}
			if !canonical.IsName(part.Motion, MotionLimit) {
				return nil, fmt.Errorf("%q is not a motion's id", part.Motion)
			}
		}
		if part.Class, err = item.Text("class"); err != nil {
			return nil, err
		}
		if part.Heads, err = item.Integer("heads"); err != nil {
			return nil, err
		}
		if part.Fen, err = item.Integer("fen"); err != nil {
			return nil, err
		}
		if part.Class != Everybody && !canonical.IsName(part.Class, nameLimit) {
			return nil, fmt.Errorf("%q is not a class", part.Class)
		}
		if i > 0 && cmp.Or(cmp.Compare(part.Motion, parts[i-1].Motion), cmp.Compare(part.Class, parts[i-1].Class)) <= 0 {
			return nil, fmt.Errorf("%s is not in ascending order, each line once", name)
		}
	}
	return parts, nil
}

// checkParts finds parts that cannot be the roll's: more than the whole, or
// not adding up.
func (r *Roll) checkParts(heads int64) error {
	for rest := r.Excluded; len(rest) > 0; {
		lines := sameMotion(rest)
		most, sum, err := r.checkPart(lines, heads)
		if err != nil {
			return fmt.Errorf("excluded from %s: %w", rest[0].Motion, err)
		}
		if everybody := rest[0].Heads; everybody < most || everybody > sum {
			return fmt.Errorf("excluded from %s: %d lenders, %d by class", rest[0].Motion, everybody, sum)
		}
		rest = rest[len(lines):]
	}
	for rest := r.Disputed; len(rest) > 0; {
		lines := sameMotion(rest)
		_, sum, err := r.checkPart(lines, heads)
		if err != nil {
			return fmt.Errorf("disputed: %w", err)
		}
		if lines[0].Heads > sum {
			return fmt.Errorf("disputed: %d lenders, %d claims", lines[0].Heads, sum)
		}
		for _, line := range lines {
			if line.Motion != "" && !(within(line, r.Disputed, "") && within(line, r.Excluded, line.Motion)) {
				return fmt.Errorf("disputed and excluded from %s: more of %s than either", line.Motion, line.Class)
			}
		}
		rest = rest[len(lines):]
	}
	return nil
}

// sameMotion are the first lines, as many as are of one motion.
func sameMotion(lines []Part) []Part {
	count := slices.IndexFunc(lines, func(part Part) bool { return part.Motion != lines[0].Motion })
	if count < 0 {
		return lines
	}
	return lines[:count]
}

// within says whether a line is no more than the one of its class and a motion.
func within(line Part, lines []Part, motion string) bool {
	return slices.ContainsFunc(lines, func(part Part) bool {
		return part.Motion == motion && part.Class == line.Class && line.Heads <= part.Heads && line.Fen <= part.Fen
	})
}

// checkPart checks the lines of one part, Everybody's first, and returns the
// most heads of a class and the sum of the classes' heads.
func (r *Roll) checkPart(lines []Part, heads int64) (most, sum int64, err error) {
	if lines[0].Class != Everybody || len(lines) == 1 {
		return 0, 0, fmt.Errorf("a line for everybody and one a class are due")
	}
	fen := int64(0) // at most the classes' fen, which are the roll's
	for _, line := range lines[1:] {
		position, known := r.ClassIndex(line.Class)
		if !known {
			return 0, 0, fmt.Errorf("no class %s is on the roll", line.Class)
		}
		class := &r.Classes[position]
		if line.Heads < 1 || line.Heads > class.Heads || line.Fen < line.Heads || line.Fen > class.Fen {
			return 0, 0, fmt.Errorf("more of %s than the class has, or nobody", line.Class)
		}
		most, sum, fen = max(most, line.Heads), sum+line.Heads, fen+line.Fen
	}
	if lines[0].Heads > heads || lines[0].Fen != fen {
		return 0, 0, fmt.Errorf("the classes don't add up to everybody's figures")
	}
	return most, sum, nil
}
