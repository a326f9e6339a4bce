package arbitration_test

import (
	"encoding/json"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
)

// successor is a meeting in the place of a scene's.
func successor(t *testing.T, before *scene.Scene, why string, options scene.Options) *scene.Scene {
	t.Helper()
	options.ID, options.Beside = "exit-2", before
	options.Replaces = map[string]any{"mtg": before.Meeting.ID, "mh": before.Meeting.Hash, "why": why}
	return scene.New(t, options)
}

// notInItsPlace demands that a successor is refused.
func notInItsPlace(t *testing.T, s *scene.Scene) {
	t.Helper()
	refused(t, s, refusal.MeetingReplaces, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
}

func TestAPostponedMeetingIsVoid(t *testing.T) {
	before := scene.New(t, scene.Options{})
	s := successor(t, before, meeting.Postponed, scene.Options{})
	notInItsPlace(t, s)
	before.Announce()
	notInItsPlace(t, s)
	before.Step(map[string]any{"to": "void", "at": scene.Opens, "reason": "延期召开"})
	another := scene.New(t, scene.Options{ID: "exit-2", Beside: before, Replaces: map[string]any{
		"mtg": before.Meeting.ID, "mh": s.Meeting.Hash, "why": meeting.Postponed,
	}})
	notInItsPlace(t, another)
	notInItsPlace(t, successor(t, before, meeting.SecondVote, scene.Options{}))
	s.Announce()
	if got := state(t, s); got != meeting.Announced {
		t.Errorf("state %s", got)
	}
}

func TestASecondVoteIsOnMotionsThatFailed(t *testing.T) {
	before := scene.New(t, scene.Options{Motions: []map[string]any{scene.Motion("m1"), scene.Motion("m2")}}).Open(1)
	for _, lender := range before.Lenders {
		before.Submit(scene.AssociationRelay, before.Compact(scene.Cast{
			Lender: lender, Votes: map[string]any{"m1": "reject", "m2": "approve"},
		}))
	}
	again := successor(t, before, meeting.SecondVote, scene.Options{})
	notInItsPlace(t, again)
	before.Close(len(before.Lenders), len(before.Lenders))
	for _, motions := range [][]string{{"m2"}, {"m1", "m2"}, {"m1", "m3"}} {
		options := scene.Options{}
		for _, id := range motions {
			options.Motions = append(options.Motions, scene.Motion(id))
		}
		notInItsPlace(t, successor(t, before, meeting.SecondVote, options))
	}
	notInItsPlace(t, successor(t, before, meeting.Postponed, scene.Options{}))
	again.Announce()

	// A result that is void is nobody's.
	before.Step(map[string]any{"to": "void", "at": scene.Closes, "reason": "程序有误"})
	third := scene.New(t, scene.Options{ID: "exit-3", Beside: before, Replaces: map[string]any{
		"mtg": before.Meeting.ID, "mh": before.Meeting.Hash, "why": meeting.SecondVote,
	}})
	notInItsPlace(t, third)
}

// beside is a further meeting in the place of a scene's.
func beside(t *testing.T, before *scene.Scene, id, why string) *scene.Scene {
	t.Helper()
	return scene.New(t, scene.Options{ID: id, Beside: before, Replaces: map[string]any{
		"mtg": before.Meeting.ID, "mh": before.Meeting.Hash, "why": why,
	}})
}

func TestOneMeetingAloneIsInThePlaceOfAnother(t *testing.T) {
	before := scene.New(t, scene.Options{})
	before.Announce()
	before.Step(map[string]any{"to": "void", "at": scene.Opens, "reason": "延期召开"})
	first, rival := beside(t, before, "exit-2", meeting.Postponed), beside(t, before, "exit-3", meeting.Postponed)
	for _, s := range []*scene.Scene{first, rival} { // a draft binds nobody
		s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
	}
	first.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmMeeting", first.Meeting.ID, first.Meeting.Hash)
	refused(t, rival, refusal.MeetingReplaces, scene.RegulatorOfficer, "ConfirmMeeting", rival.Meeting.ID, rival.Meeting.Hash)
	notInItsPlace(t, beside(t, before, "exit-4", meeting.Postponed))

	// Postponed again, it is the successor that is replaced.
	first.Step(map[string]any{"to": "void", "at": scene.Opens, "reason": "再次延期"})
	notInItsPlace(t, beside(t, before, "exit-5", meeting.Postponed))
	second := beside(t, first, "exit-6", meeting.Postponed)
	second.Announce()
	if got := state(t, second); got != meeting.Announced {
		t.Errorf("state %s", got)
	}
}

func TestOfTwoSuccessorsConfirmedAtOnceOneIsInvalid(t *testing.T) {
	before := scene.New(t, scene.Options{})
	before.Announce()
	before.Step(map[string]any{"to": "void", "at": scene.Opens, "reason": "延期召开"})
	var endorsed []*ledgertest.Proposal
	for _, id := range []string{"exit-2", "exit-3"} {
		s := beside(t, before, id, meeting.Postponed)
		s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
		proposal, err := s.Network.Endorse(scene.Channel, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
		if err != nil {
			t.Fatal(err)
		}
		endorsed = append(endorsed, proposal)
	}
	if err := before.Network.Commit(endorsed[0]); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := before.Network.Commit(endorsed[1]); err == nil {
		t.Error("the second is valid, too")
	}
}

func TestWhatIsReplacedIsLookedAtAgainWhenTheSuccessorIsConfirmed(t *testing.T) {
	before := scene.New(t, scene.Options{}).Open(1)
	for _, lender := range before.Lenders {
		before.Submit(scene.AssociationRelay, before.Compact(scene.Cast{
			Lender: lender, Votes: map[string]any{"m1": "reject"},
		}))
	}
	before.Close(len(before.Lenders), len(before.Lenders))
	again := beside(t, before, "exit-2", meeting.SecondVote)
	again.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(again.Record), string(again.Cap))
	before.Step(map[string]any{"to": "void", "at": scene.Closes, "reason": "程序有误"})
	refused(t, again, refusal.MeetingReplaces, scene.RegulatorOfficer, "ConfirmMeeting", again.Meeting.ID, again.Meeting.Hash)
}

// TestMeetingsDoNotBlockEachOther plays two meetings of one channel in lock
// step: every pair of transactions is endorsed on the same state, and both
// commit.
func TestMeetingsDoNotBlockEachOther(t *testing.T) {
	one := scene.New(t, scene.Options{}).Open(1)
	two := scene.New(t, scene.Options{ID: "exit-2", Beside: one})
	two.Announce()
	two.Step(map[string]any{"to": "open", "at": scene.Opens})
	for _, lender := range two.Lenders {
		two.RecordSessions(two.Session(lender, 2)) // a session is of one meeting
	}
	both := func(function string, caller ledgertest.Caller, args func(*scene.Scene) []string) {
		t.Helper()
		var endorsed []*ledgertest.Proposal
		for _, s := range []*scene.Scene{one, two} {
			proposal, err := s.Network.Endorse(scene.Channel, caller, function, args(s)...)
			if err != nil {
				t.Fatalf("%s of %s: %v", function, s.Meeting.ID, err)
			}
			endorsed = append(endorsed, proposal)
		}
		for _, proposal := range endorsed {
			if err := one.Network.Commit(proposal); err != nil {
				t.Errorf("%s: %v", function, err)
			}
		}
	}
	both("SubmitBallots", scene.AssociationRelay, func(s *scene.Scene) []string {
		check := map[*scene.Scene]int{one: 1, two: 2}[s]
		var entries [][]byte
		for _, lender := range s.Lenders {
			entries = append(entries, s.Compact(scene.Cast{Lender: lender, Check: check}))
		}
		return []string{s.Batch(entries...)}
	})
	document := func(s *scene.Scene) string { return s.AmendmentBytes(1, change(s.Lenders[0], individual(5))) }
	both("ProposeAmendment", scene.InstitutionOfficer, func(s *scene.Scene) []string { return []string{document(s)} })
	both("ConfirmAmendment", scene.RegulatorOfficer, func(s *scene.Scene) []string {
		return []string{s.Meeting.ID, ballot.AmendmentDigest([]byte(document(s)))}
	})
	for _, step := range []map[string]any{
		{"to": "closing", "at": scene.Closes},
		{"to": "closed", "at": scene.Closes, "ballots": 4, "subtotals": 2},
	} {
		both("ProposeStep", scene.InstitutionOfficer, func(s *scene.Scene) []string {
			return []string{s.Meeting.ID, scene.StepBytes(s, step)}
		})
		both("ConfirmStep", scene.RegulatorOfficer, func(s *scene.Scene) []string {
			return []string{s.Meeting.ID, meeting.StepDigest([]byte(scene.StepBytes(s, step)))}
		})
	}
	first, second := resultOf(t, one), resultOf(t, two)
	first.Meeting, first.Hash = second.Meeting, second.Hash
	if a, b := text(t, first), text(t, second); a != b {
		t.Errorf("the same ballots give %s and %s", a, b)
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
