package meeting

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"concordat/chaincode/canonical"
)

func (m *Meeting) parseMotions(object canonical.Object) error {
	motions, err := object.Objects("motions")
	if err != nil {
		return err
	}
	if len(motions) < 1 || len(motions) > MaxMotions {
		return fmt.Errorf("not 1 to %d motions", MaxMotions)
	}
	for _, item := range motions {
		motion, err := m.parseMotion(item)
		if err != nil {
			return fmt.Errorf("motion: %w", err)
		}
		m.Motions = append(m.Motions, motion)
		m.ByID = append(m.ByID, len(m.ByID))
	}
	sort.Slice(m.ByID, func(i, j int) bool { return m.Motions[m.ByID[i]].ID < m.Motions[m.ByID[j]].ID })
	for i := 1; i < len(m.ByID); i++ {
		if m.Motions[m.ByID[i-1]].ID == m.Motions[m.ByID[i]].ID {
			return errors.New("a motion's id is given twice")
		}
	}
	for _, part := range m.Roll.Excluded {
		if !m.HasMotion(part.Motion) {
			return fmt.Errorf("the roll excludes from a motion %q, which is none", part.Motion)
		}
	}
	return nil
}

func (m *Meeting) parseMotion(object canonical.Object) (motion Motion, err error) {
	members := []string{"id", "kind", "title", "choices", "max_choices", "rules"}
	switch object["kind"] {
	case "resolution":
	case "election":
		motion.Election = &Seats{}
		members = append(members, "seats", "by", "tie")
	default:
		return motion, errors.New("kind is neither resolution nor election")
	}
	if err := object.Only(members); err != nil {
		return motion, err
	}
	if motion.ID, err = object.Text("id"); err != nil {
		return motion, err
	}
	if !canonical.IsName(motion.ID, MotionLimit) {
		return motion, errors.New("id is not a motion id")
	}
	if _, err = text(object, "title"); err != nil {
		return motion, err
	}
	if motion.Choices, err = object.Texts("choices"); err != nil {
		return motion, err
	}
	if err := checkNames(motion.Choices, "choices", 2, maxChoices); err != nil {
		return motion, err
	}
	most, err := object.Integer("max_choices")
	if err != nil {
		return motion, err
	}
	if most < 1 || most > int64(len(motion.Choices)) {
		return motion, errors.New("max_choices is not between 1 and the number of choices")
	}
	motion.MaxChoices = int(most)
	rules, err := object.Object("rules")
	if err != nil {
		return motion, err
	}
	if motion.Rules, err = m.parseRules(rules, &motion); err != nil {
		return motion, err
	}
	if motion.Election != nil {
		err = motion.parseSeats(object)
	}
	return motion, err
}

func (m *Motion) parseSeats(object canonical.Object) (err error) {
	seats, err := object.Integer("seats")
	if err != nil {
		return err
	}
	candidates := len(m.Choices) - len(m.Rules.Abstain)
	if seats < 1 || seats > int64(candidates) {
		return errors.New("seats is not between 1 and the number of candidates")
	}
	m.Election.Seats = int(seats)
	if m.Election.By, err = object.Text("by"); err != nil {
		return err
	}
	if m.Election.Tie, err = object.Text("tie"); err != nil {
		return err
	}
	if !slices.Contains([]string{"heads", "fen"}, m.Election.By) {
		return errors.New("by is neither heads nor fen")
	}
	if !slices.Contains([]string{"unfilled", "heads", "fen"}, m.Election.Tie) {
		return errors.New("tie is none of unfilled, heads, fen")
	}
	return nil
}

func (m *Meeting) parseRules(object canonical.Object, motion *Motion) (rules Rules, err error) {
	if err := object.Only([]string{"profile", "yes", "abstain", "tests"}); err != nil {
		return rules, err
	}
	if rules.Profile, err = object.Text("profile"); err != nil {
		return rules, err
	}
	if !canonical.IsName(rules.Profile, nameLimit) {
		return rules, errors.New("profile is not a name")
	}
	if rules.Yes, err = object.Texts("yes"); err != nil {
		return rules, err
	}
	if rules.Abstain, err = object.Texts("abstain"); err != nil {
		return rules, err
	}
	least, most := 1, maxChoices
	if motion.Election != nil { // every candidate is voted on
		least, most = 0, 0
	}
	if err := checkNames(rules.Yes, "yes", least, most); err != nil {
		return rules, err
	}
	if err := checkNames(rules.Abstain, "abstain", 0, maxChoices); err != nil {
		return rules, err
	}
	for _, choice := range slices.Concat(rules.Yes, rules.Abstain) {
		if !slices.Contains(motion.Choices, choice) {
			return rules, fmt.Errorf("yes or abstain: %q is not a choice", choice)
		}
		if slices.Contains(rules.Yes, choice) && slices.Contains(rules.Abstain, choice) {
			return rules, fmt.Errorf("%q is both in yes and in abstain", choice)
		}
	}
	tests, err := object.Objects("tests")
	if err != nil {
		return rules, err
	}
	if len(tests) < 1 || len(tests) > maxTests {
		return rules, fmt.Errorf("not 1 to %d tests", maxTests)
	}
	names := map[string]bool{}
	for _, item := range tests {
		test, err := m.parseTest(item)
		if err != nil {
			return rules, fmt.Errorf("test: %w", err)
		}
		if names[test.Name] {
			return rules, errors.New("a test's name is given twice")
		}
		names[test.Name] = true
		rules.Tests = append(rules.Tests, test)
	}
	return rules, nil
}

func (m *Meeting) parseTest(object canonical.Object) (test Test, err error) {
	if err := object.Only([]string{"name", "scope", "count", "base", "unit", "comparator", "fraction"}); err != nil {
		return test, err
	}
	for _, member := range []struct {
		name    string
		target  *string
		allowed []string
	}{
		{"name", &test.Name, nil},
		{"scope", &test.Scope, nil},
		{"count", &test.Count, []string{"yes", "no", "present", "voted"}},
		{"base", &test.Base, []string{"eligible", "present", "voted"}},
		{"unit", &test.Unit, []string{"heads", "fen"}},
		{"comparator", &test.Comparator, []string{">", ">="}},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return test, err
		}
		if member.allowed != nil && !slices.Contains(member.allowed, *member.target) {
			return test, fmt.Errorf("%s is none of %v", member.name, member.allowed)
		}
	}
	if !canonical.IsName(test.Name, nameLimit) {
		return test, errors.New("name is not a name")
	}
	if _, known := m.Roll.ClassIndex(test.Scope); !known && test.Scope != AllClasses && test.Scope != EachClass {
		return test, errors.New("scope is neither all, each nor a class of the roll")
	}
	fraction, err := object.List("fraction")
	if err != nil || len(fraction) != 2 {
		return test, errors.New("fraction is not [n, d]")
	}
	if test.Numerator, err = canonical.Integer(fraction[0]); err != nil {
		return test, err
	}
	if test.Denominator, err = canonical.Integer(fraction[1]); err != nil {
		return test, err
	}
	if test.Numerator < 1 || test.Numerator > test.Denominator {
		return test, errors.New("fraction is not [n, d] with 0 < n <= d")
	}
	return test, nil
}
