package arbitration

import (
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// checkSupported refuses (MEETING_UNSUPPORTED) a record that asks for what
// this chaincode does not do: better than to announce a meeting and then count
// it otherwise than it says.
func checkSupported(m *meeting.Meeting) error {
	unsupported := func(what string) error { return refusal.New(refusal.MeetingUnsupported, "%s", what) }
	switch {
	case m.Proxies:
		return unsupported("proxies")
	}
	return nil
}
