package arbitration

import (
	"slices"

	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// checkSupported refuses (MEETING_UNSUPPORTED) a record that asks for what
// this chaincode does not do: better than to announce a meeting and then count
// it otherwise than it says.
func checkSupported(m *meeting.Meeting) error {
	unsupported := func(what string) error { return refusal.New(refusal.MeetingUnsupported, "%s", what) }
	switch {
	case m.Replaces != nil:
		return unsupported("replaces")
	case len(m.Roll.Excluded) > 0:
		return unsupported("roll.excluded")
	case len(m.Roll.Disputed) > 0:
		return unsupported("roll.disputed")
	}
	for _, motion := range m.Motions {
		if motion.Election != nil {
			return unsupported("an election")
		}
		if slices.ContainsFunc(motion.Rules.Tests, func(test meeting.Test) bool { return test.Count == "no" }) {
			return unsupported("a count of no")
		}
		if slices.ContainsFunc(motion.Rules.Tests, func(test meeting.Test) bool { return test.Scope == meeting.EachClass }) {
			return unsupported("the scope each")
		}
	}
	return nil
}
