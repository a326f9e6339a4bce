package meeting

import (
	"errors"
	"slices"
	"unicode/utf8"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// State of a meeting.
type State string

// The states, in the order in which they follow each other; Void ends any of
// them before Certified.
const (
	Draft      State = "draft"
	Announced  State = "announced"
	Open       State = "open"
	Closing    State = "closing"
	Closed     State = "closed"
	Objections State = "objections"
	Certified  State = "certified"
	Void       State = "void"
)

// before lists, for each state that a step leads to, the states it may follow.
var before = map[State][]State{
	Open:       {Announced},
	Closing:    {Open},
	Closed:     {Closing},
	Objections: {Closed},
	Certified:  {Objections},
	Void:       {Draft, Announced, Open, Closing, Closed, Objections},
}

// maxReason is the longest reason of a step, in characters.
const maxReason = 500

// Step is a proposed transition.
type Step struct {
	To        State
	At        int64 // Unix seconds
	Reason    string
	Ballots   int64 // closed: the ballots that the subtotals sum to
	Subtotals int64 // closed: the subtotals that the range query finds
}

// ParseStep reads a step's canonical bytes; it refuses with STEP_FORMAT.
func ParseStep(data []byte) (*Step, error) {
	object, err := canonical.ParseObject(data)
	if err != nil {
		return nil, refusal.Because(refusal.StepFormat, err)
	}
	if !canonical.IsCanonical(data) {
		return nil, refusal.New(refusal.StepFormat, "not in the canonical form of RFC 8785")
	}
	step, err := parseStep(object)
	if err != nil {
		return nil, refusal.Because(refusal.StepFormat, err)
	}
	return step, nil
}

func parseStep(object canonical.Object) (*Step, error) {
	to, err := object.Text("to")
	if err != nil {
		return nil, err
	}
	step := &Step{To: State(to)}
	if before[step.To] == nil {
		return nil, errors.New("the state is none that a step leads to")
	}
	required := []string{"to", "at"}
	switch step.To {
	case Void:
		required = append(required, "reason")
	case Closed:
		required = append(required, "ballots", "subtotals")
	}
	if err := object.Only(required); err != nil {
		return nil, err
	}
	if step.At, err = timeOf(object, "at"); err != nil {
		return nil, err
	}
	switch step.To {
	case Void:
		if step.Reason, err = object.Text("reason"); err != nil {
			return nil, err
		}
		return step, CheckReason(step.Reason)
	case Closed:
		if step.Ballots, err = object.Integer("ballots"); err != nil {
			return nil, err
		}
		step.Subtotals, err = object.Integer("subtotals")
	}
	return step, err
}

// CheckReason finds a reason that is empty, longer than 500 characters or not
// printable.
func CheckReason(reason string) error {
	if count := utf8.RuneCountInString(reason); count < 1 || count > maxReason {
		return errors.New("the reason is empty or too long")
	}
	for _, character := range reason {
		if character < ' ' || character == 0x7f {
			return errors.New("the reason has a control character")
		}
	}
	return nil
}

// StepDigest names a step's canonical bytes for the one who confirms it.
func StepDigest(step []byte) string {
	sum := canonical.Hash("concordat/step/v1", step)
	return canonical.Base64(sum[:])
}

// Check says whether a meeting in a state may take a step: it refuses
// MEETING_STATE, and STEP_EARLY for a step dated before its announced time.
func (m *Meeting) Check(state State, step *Step) error {
	if !slices.Contains(before[step.To], state) {
		return refusal.New(refusal.MeetingState, "%s is %s; %s does not follow", m.ID, state, step.To)
	}
	earliest := int64(0)
	switch step.To {
	case Open:
		earliest = m.Opens
	case Closing:
		earliest = m.Closes
	case Certified:
		earliest = m.Objections
	}
	if step.At < earliest {
		return refusal.New(refusal.StepEarly, "%s is announced for a later time", step.To)
	}
	return nil
}
