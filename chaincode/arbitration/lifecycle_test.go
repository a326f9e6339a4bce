package arbitration_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
	"concordat/chaincode/tally"
)

// refused demands that a transaction is refused with a code.
func refused(t *testing.T, s *scene.Scene, code refusal.Code, caller ledgertest.Caller, function string, args ...string) {
	t.Helper()
	_, err := s.Network.Submit(scene.Channel, caller, function, args...)
	if err == nil || !strings.HasPrefix(err.Error(), string(code)+": "+refusal.Sentence(code)) {
		t.Errorf("%s: error %v, want %s", function, err, code)
	}
}

func state(t *testing.T, s *scene.Scene) meeting.State {
	t.Helper()
	var view struct {
		State meeting.State `json:"state"`
	}
	payload := s.Do(scene.Channel, scene.RegulatorRelay, "GetMeeting", s.Meeting.ID).Payload
	if err := json.Unmarshal(payload, &view); err != nil {
		t.Fatal(err)
	}
	return view.State
}

func TestMeetingFromDraftToCertified(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	var entries [][]byte
	for _, lender := range s.Lenders {
		entries = append(entries, s.Compact(scene.Cast{Lender: lender}))
	}
	for i, verdict := range s.Submit(scene.AssociationRelay, entries...) {
		if verdict != "" {
			t.Errorf("ballot %d: %s", i, verdict)
		}
	}
	s.Close(len(entries), 1)
	var result tally.Result
	payload := s.Do(scene.Channel, scene.Auditor, "GetResult", s.Meeting.ID).Payload
	if err := json.Unmarshal(payload, &result); err != nil {
		t.Fatal(err)
	}
	everybody := tally.Weight{int64(s.Meeting.Roll.Size), s.Meeting.Roll.Fen}
	if result.Present["*"] != everybody || result.Motions["m1"].Choices["approve"]["*"] != everybody ||
		!result.Motions["m1"].Passed || result.Ballots != int64(len(entries)) {
		t.Errorf("result %s", payload)
	}
	s.Do(scene.Channel, scene.Auditor, "AnchorAudit", s.Anchor(len(entries), nil))
	s.Step(map[string]any{"to": "objections", "at": scene.Closes})
	s.Step(map[string]any{"to": "certified", "at": scene.Objections})
	if got := state(t, s); got != meeting.Certified {
		t.Errorf("state %s", got)
	}
}

func TestStepsInEveryOtherOrderAreRefused(t *testing.T) {
	s := scene.New(t, scene.Options{})
	steps := map[meeting.State]map[string]any{
		meeting.Open:       {"to": "open", "at": scene.Objections},
		meeting.Closing:    {"to": "closing", "at": scene.Objections},
		meeting.Closed:     {"to": "closed", "at": scene.Objections, "ballots": 0, "subtotals": 0},
		meeting.Objections: {"to": "objections", "at": scene.Objections},
		meeting.Certified:  {"to": "certified", "at": scene.Objections},
		meeting.Void:       {"to": "void", "at": scene.Objections, "reason": "withdrawn"},
	}
	tryOthers := func(present meeting.State, legal ...meeting.State) {
		t.Helper()
		for to, step := range steps {
			allowed := false
			for _, state := range legal {
				allowed = allowed || state == to
			}
			if !allowed {
				refused(t, s, refusal.MeetingState, scene.InstitutionOfficer, "ProposeStep", s.Meeting.ID, scene.StepBytes(s, step))
			}
		}
		if got := state(t, s); got != present {
			t.Fatalf("state %s, want %s", got, present)
		}
	}
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
	tryOthers(meeting.Draft, meeting.Void)
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
	tryOthers(meeting.Announced, meeting.Open, meeting.Void)
	s.Step(steps[meeting.Open])
	tryOthers(meeting.Open, meeting.Closing, meeting.Void)
	s.Step(steps[meeting.Closing])
	tryOthers(meeting.Closing, meeting.Closed, meeting.Void)
	s.Step(steps[meeting.Closed])
	tryOthers(meeting.Closed, meeting.Objections, meeting.Void)
	s.Step(steps[meeting.Objections])
	s.Do(scene.Channel, scene.Auditor, "AnchorAudit", s.Anchor(0, nil))
	tryOthers(meeting.Objections, meeting.Certified, meeting.Void)
	s.Step(steps[meeting.Certified])
	tryOthers(meeting.Certified)
}

func TestVoidFromEveryStateBeforeCertified(t *testing.T) {
	void := map[string]any{"to": "void", "at": scene.Opens, "reason": "名册有误"}
	path := []map[string]any{
		{"to": "open", "at": scene.Opens},
		{"to": "closing", "at": scene.Closes},
		{"to": "closed", "at": scene.Closes, "ballots": 0, "subtotals": 0},
		{"to": "objections", "at": scene.Closes},
	}
	for length := -1; length <= len(path); length++ {
		s := scene.New(t, scene.Options{})
		s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
		if length >= 0 {
			s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
			for _, step := range path[:length] {
				s.Step(step)
			}
		}
		s.Step(void)
		if got := state(t, s); got != meeting.Void {
			t.Errorf("after %d steps: %s", length, got)
		}
		refused(t, s, refusal.MeetingState, scene.InstitutionOfficer, "ProposeStep", s.Meeting.ID, scene.StepBytes(s, void))
	}
}

func TestNothingHappensWithoutTheRegulatorsConfirmation(t *testing.T) {
	s := scene.New(t, scene.Options{})
	refused(t, s, refusal.MeetingNotFound, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
	refused(t, s, refusal.NotAuthorised, scene.InstitutionOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
	refused(t, s, refusal.StepMismatch, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, canonical.Base64(scene.Seeded("other")))
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
	refused(t, s, refusal.MeetingState, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)

	refused(t, s, refusal.StepNotProposed, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, s.Meeting.Hash)
	digest := s.ProposeStep(scene.AssociationOfficer, map[string]any{"to": "open", "at": scene.Opens})
	if got := state(t, s); got != meeting.Announced {
		t.Errorf("a proposal alone moved the meeting to %s", got)
	}
	refused(t, s, refusal.MeetingNotOpen, scene.AssociationRelay, "SubmitBallots", s.Batch(s.Compact(scene.Cast{Lender: s.Lenders[0]})))
	refused(t, s, refusal.NotAuthorised, scene.AssociationOfficer, "ConfirmStep", s.Meeting.ID, digest)
	refused(t, s, refusal.StepMismatch, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, s.Meeting.Hash)
	other := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "open", "at": scene.During})
	refused(t, s, refusal.StepMismatch, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, other)
	refused(t, s, refusal.StepNotProposed, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, other)
}

func TestConfirmationChecksAgain(t *testing.T) {
	s := scene.New(t, scene.Options{})
	s.Announce()
	// A step that was legal when proposed and no longer is when confirmed.
	digest := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "open", "at": scene.Opens})
	s.Network.SetState([]byte(`{"state":"void","tx":"","v":1}`), scene.Channel, "state", s.Meeting.ID)
	refused(t, s, refusal.MeetingState, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
}

func TestStepsHaveTheirTimes(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	early := func(step map[string]any) {
		t.Helper()
		refused(t, s, refusal.StepEarly, scene.InstitutionOfficer, "ProposeStep", s.Meeting.ID, scene.StepBytes(s, step))
	}
	early(map[string]any{"to": "closing", "at": "2026-03-09T09:59:59Z"})
	s.Close(0, 0)
	s.Step(map[string]any{"to": "objections", "at": scene.Closes})
	early(map[string]any{"to": "certified", "at": "2026-03-24T09:59:59Z"})
	certified := scene.StepBytes(s, map[string]any{"to": "certified", "at": scene.Objections})
	refused(t, s, refusal.AuditMissing, scene.InstitutionOfficer, "ProposeStep", s.Meeting.ID, certified)

	fresh := scene.New(t, scene.Options{})
	fresh.Announce()
	refused(t, fresh, refusal.StepEarly, scene.InstitutionOfficer, "ProposeStep", fresh.Meeting.ID,
		scene.StepBytes(fresh, map[string]any{"to": "open", "at": "2026-03-02T00:59:59Z"}))
}

func TestProposeMeetingRefusals(t *testing.T) {
	s := scene.New(t, scene.Options{})
	propose := []string{string(s.Record), string(s.Cap)}
	refused(t, s, refusal.MeetingFormat, scene.InstitutionOfficer, "ProposeMeeting", "{}", propose[1])
	refused(t, s, refusal.MeetingFormat, scene.InstitutionOfficer, "ProposeMeeting", propose[0]+" ", propose[1])
	refused(t, s, refusal.MeetingRoll, scene.InstitutionOfficer, "ProposeMeeting", propose[0], "\x80")
	refused(t, s, refusal.MeetingRoll, scene.InstitutionOfficer, "ProposeMeeting", propose[0], "")
	refused(t, s, refusal.MeetingFormat, scene.InstitutionOfficer, "ProposeMeeting",
		strings.ReplaceAll(strings.ReplaceAll(propose[0], "InstitutionAMSP", "InstitutionBMSP"), "institutiona", "institutionb"), propose[1])
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", propose...)
	refused(t, s, refusal.MeetingExists, scene.InstitutionOfficer, "ProposeMeeting", propose...)
}

func TestRulesOfAllKindsAreTaken(t *testing.T) {
	s := scene.New(t, scene.Options{})
	for _, change := range [][2]string{
		{`"proxies":false`, `"proxies":true`},
		{`"excluded":[]`, `"excluded":[{"class":"*","fen":1,"heads":1,"motion":"m1"},{"class":"individual","fen":1,"heads":1,"motion":"m1"}]`},
		{`"disputed":[]`, `"disputed":[{"class":"*","fen":1,"heads":1},{"class":"individual","fen":1,"heads":1}]`},
		{`"count":"yes"`, `"count":"no"`},
		{`"scope":"all"`, `"scope":"each"`},
	} {
		fresh := scene.New(t, scene.Options{})
		record := strings.Replace(string(s.Record), change[0], change[1], 1)
		fresh.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", record, string(s.Cap))
	}
	election := scene.New(t, scene.Options{Motions: []map[string]any{scene.Election("board", 2)}}).Open(1)
	election.Close(0, 0)
	var result tally.Result
	payload := election.Do(scene.Channel, scene.Auditor, "GetResult", election.Meeting.ID).Payload
	if err := json.Unmarshal(payload, &result); err != nil {
		t.Fatal(err)
	}
	if board := result.Motions["board"]; board.Passed || board.Election.Outcome != tally.Unfilled {
		t.Errorf("result %s", payload)
	}
}

func TestClosingCountsWhatIsThere(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	for _, lender := range s.Lenders[:2] {
		s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender}))
	}
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	count := string(s.Do(scene.Channel, scene.InstitutionOfficer, "GetMeeting", s.Meeting.ID).Payload)
	if !strings.Contains(count, `"count":{"ballots":2,"subtotals":2}`) {
		t.Errorf("GetMeeting while closing: %s", count)
	}
	for _, wrong := range []map[string]any{
		{"to": "closed", "at": scene.Closes, "ballots": 1, "subtotals": 2},
		{"to": "closed", "at": scene.Closes, "ballots": 2, "subtotals": 1},
	} {
		digest := s.ProposeStep(scene.InstitutionOfficer, wrong)
		refused(t, s, refusal.CloseCount, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
	}
	refused(t, s, refusal.MeetingState, scene.InstitutionOfficer, "GetResult", s.Meeting.ID)
	s.Step(map[string]any{"to": "closed", "at": scene.Closes, "ballots": 2, "subtotals": 2})
}

func TestARangeQueryAtThePeersLimitIsRefused(t *testing.T) {
	s := scene.New(t, scene.Options{RangeLimit: 3}).Open(1)
	s.Network.TotalQueryLimit = 3
	for _, lender := range s.Lenders {
		s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender}))
	}
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	// The peer shows 3 of 4 subtotals and says nothing; a count of 3 would pass.
	digest := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "closed", "at": scene.Closes, "ballots": 3, "subtotals": 3})
	refused(t, s, refusal.RangeLimit, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
}

func TestABallotThatOvertakesTheCloseMakesItInvalid(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	digest := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "closed", "at": scene.Closes, "ballots": 0, "subtotals": 0})
	closed, err := s.Network.Endorse(scene.Channel, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
	if err != nil {
		t.Fatal(err)
	}
	late, err := s.Network.Endorse(scene.Channel, scene.RegulatorRelay, "SubmitBallots", s.Batch(s.Compact(scene.Cast{Lender: s.Lenders[1]})))
	if err != nil {
		t.Fatal(err)
	}
	if verdicts := s.Submit(scene.RegulatorRelay, s.Compact(scene.Cast{Lender: s.Lenders[0]})); verdicts[0] != "" {
		t.Fatal(verdicts)
	}
	if err := s.Network.Commit(closed); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("the close misses a ballot: %v", err)
	}
	s.Step(map[string]any{"to": "closed", "at": scene.Closes, "ballots": 1, "subtotals": 1})
	if err := s.Network.Commit(late); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("a ballot enters a closed meeting: %v", err)
	}
}

func TestQueries(t *testing.T) {
	s := scene.New(t, scene.Options{Revote: "last"}).Open(2)
	list := string(s.Do(scene.Channel, scene.Auditor, "ListMeetings").Payload)
	want := `[{"mh":"` + s.Meeting.Hash + `","mtg":"exit-1","state":"open","title":"出借人会议"}]`
	if list != want {
		t.Errorf("ListMeetings %s, want %s", list, want)
	}
	lender := s.Lenders[0]
	get := func() string {
		return string(s.Do(scene.Channel, scene.AssociationRelay, "GetBallot", s.Meeting.ID, lender.Sub).Payload)
	}
	if got := get(); got != "null" {
		t.Errorf("ballot before the vote: %s", got)
	}
	s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, AckNo: 7}))
	if got := get(); !strings.HasPrefix(got, `{"ack":{"door":"AssociationMSP","no":7,"time":"2026-03-03T08:30:00Z"},"claims":[`) ||
		!canonical.IsCanonical([]byte(got)) {
		t.Errorf("ballot %s", got)
	}
	history := func() string {
		return string(s.Do(scene.Channel, scene.AssociationRelay, "GetBallotHistory", s.Meeting.ID, lender.Sub).Payload)
	}
	first := get()
	if got := history(); !strings.HasPrefix(got, `[{"ballot":`+first+`,"tx":"`) || strings.Count(got, `"tx":"`) != 1 {
		t.Errorf("history %s", got)
	}
	again := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(s.Compact(scene.Cast{Lender: lender, Seq: 2})))
	if got := history(); !strings.HasPrefix(got, `[{"ballot":`+first) || !strings.HasSuffix(got, get()+`,"tx":"`+again.ID+`"}]`) {
		t.Errorf("history of two ballots %s", got)
	}
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "GetBallotHistory", s.Meeting.ID, "nobody")
	refused(t, s, refusal.MeetingNotFound, scene.Auditor, "GetMeeting", "nowhere")
	refused(t, s, refusal.MeetingNotFound, scene.Auditor, "GetMeeting", "No id")
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "GetBallot", s.Meeting.ID, "nobody")
	view := string(s.Do(scene.Channel, scene.Auditor, "GetMeeting", s.Meeting.ID).Payload)
	if view != `{"mh":"`+s.Meeting.Hash+`","record":`+string(s.Record)+`,"state":"open","v":1}` {
		t.Errorf("GetMeeting %s", view)
	}
}

func TestEventsNameWhatHappened(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	ballots := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(s.Compact(scene.Cast{Lender: s.Lenders[0]}), []byte{0}))
	if ballots.Event != "ballots" || ballots.EventPayload != `{"accepted":1,"held":0,"mtg":"exit-1","pending":0,"refused":1,"v":1}` {
		t.Errorf("event %s %s", ballots.Event, ballots.EventPayload)
	}
	digest := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "closing", "at": scene.Closes})
	step := s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
	if step.Event != "step" || step.EventPayload != `{"mtg":"exit-1","state":"closing","v":1}` {
		t.Errorf("event %s %s", step.Event, step.EventPayload)
	}
}
