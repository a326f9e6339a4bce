package arbitration_test

import (
	"errors"
	"strings"
	"testing"

	"concordat/chaincode/authority"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
)

// counting plays a meeting with two ballots up to its period for objections.
func counting(t *testing.T, options scene.Options) *scene.Scene {
	t.Helper()
	s := scene.New(t, options).Open(1)
	for _, lender := range s.Lenders[:2] {
		s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender}))
	}
	s.Close(2, 2)
	s.Step(map[string]any{"to": "objections", "at": scene.Closes})
	return s
}

// notCertified demands that certification is refused with a code.
func notCertified(t *testing.T, s *scene.Scene, code refusal.Code) {
	t.Helper()
	step := scene.StepBytes(s, map[string]any{"to": "certified", "at": scene.Objections})
	refused(t, s, code, scene.InstitutionOfficer, "ProposeStep", s.Meeting.ID, step)
}

func certify(s *scene.Scene) {
	s.T.Helper()
	s.Step(map[string]any{"to": "certified", "at": scene.Objections})
}

func anchored(s *scene.Scene, size int, changes map[string]any) string {
	s.T.Helper()
	return string(s.Do(scene.Channel, scene.Auditor, "AnchorAudit", s.Anchor(size, changes)).Payload)
}

func TestAnchorsWhileTheMeetingGoesOn(t *testing.T) {
	s := scene.New(t, scene.Options{})
	s.RegisterIssuer()
	s.EnrolAll()
	s.CheckAll(1)
	s.Announce()
	refused(t, s, refusal.MeetingState, scene.Auditor, "AnchorAudit", s.Anchor(0, nil))
	s.Step(map[string]any{"to": "open", "at": scene.Opens})
	anchored(s, 0, nil)
	s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: s.Lenders[0]}))
	answer := anchored(s, 1, nil)
	if stored := string(s.Network.State(scene.Channel, "audit", s.Meeting.ID)); stored != answer {
		t.Errorf("stored %s, answered %s", stored, answer)
	}
	refused(t, s, refusal.AuditSize, scene.Auditor, "AnchorAudit", s.Anchor(0, nil))
	anchored(s, 1, map[string]any{"verdict": "inconsistent"})
	s.Close(1, 1)
	anchored(s, 1, nil)
	s.Step(map[string]any{"to": "objections", "at": scene.Closes})
	anchored(s, 1, nil)
	certify(s)
	refused(t, s, refusal.MeetingState, scene.Auditor, "AnchorAudit", s.Anchor(1, nil))
}

func TestAnchorsOfAnotherForm(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	for name, changes := range map[string]map[string]any{
		"version 1":          {"v": 1},
		"a member more":      {"note": "x"},
		"a negative size":    {"size": -1},
		"a root in hex":      {"root": strings.Repeat("ab", 32)},
		"a report in base64": {"report": s.Meeting.Hash},
		"a result in base64": {"result": s.Meeting.Hash},
		"another verdict":    {"verdict": "perhaps"},
		"no head":            {"head": ""},
		"a long head":        {"head": strings.Repeat("a", 2049)},
		"a head's version":   {"head": s.Head(map[string]any{"v": 2})},
		"a head's member":    {"head": s.Head(map[string]any{"note": "x"})},
		"a head's size":      {"head": s.Head(map[string]any{"size": "0"})},
		"an objection":       {"head": s.Objection(s.Lenders[0], "a", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s, refusal.ArgumentFormat, scene.Auditor, "AnchorAudit", s.Anchor(0, changes))
		})
	}
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "AnchorAudit", `{"v":2}`)
	refused(t, s, refusal.MeetingNotFound, scene.Auditor, "AnchorAudit", s.Anchor(0, map[string]any{"mtg": "nowhere"}))
	for name, changes := range map[string]map[string]any{
		"meeting": {"mtg": "exit-2"},
		"record":  {"mh": s.Anchor(0, nil)},
		"channel": {"channel": "arbitration-institutionb"},
		"size":    {"size": 1},
		"root":    {"root": s.Meeting.Hash},
	} {
		t.Run("another "+name, func(t *testing.T) {
			head := s.Head(changes)
			refused(t, s, refusal.AuditMismatch, scene.Auditor, "AnchorAudit", s.Anchor(0, map[string]any{"head": head}))
		})
	}
}

func TestOnlyAConsistentAuditOfThisResultCertifies(t *testing.T) {
	s := counting(t, scene.Options{})
	notCertified(t, s, refusal.AuditMissing)
	anchored(s, 1, nil)
	notCertified(t, s, refusal.AuditSize)
	anchored(s, 2, map[string]any{"verdict": "inconsistent"})
	notCertified(t, s, refusal.AuditNegative)
	anchored(s, 2, map[string]any{"result": strings.Repeat("00", 32)})
	notCertified(t, s, refusal.AuditMismatch)
	anchored(s, 2, map[string]any{"result": ""})
	notCertified(t, s, refusal.AuditMismatch)
	// One more than counts: a ballot that was replaced stays in the log.
	anchored(s, 3, nil)
	step := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "certified", "at": scene.Objections})
	anchored(s, 3, map[string]any{"verdict": "inconsistent"})
	refused(t, s, refusal.AuditNegative, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, step)
	anchored(s, 3, nil)
	certify(s)
}

func TestAnUndecidedObjectionHoldsUpTheCertification(t *testing.T) {
	s := counting(t, scene.Options{})
	anchored(s, 2, nil)
	for _, name := range []string{"a", "b"} {
		s.File(s.Lenders[3], name)
	}
	notCertified(t, s, refusal.ObjectionOpen)
	s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "dismissed", "none"))
	notCertified(t, s, refusal.ObjectionOpen)
	s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("b", "partial", "amend"))
	certify(s)
}

func TestACertificationThatAnObjectionOvertakesIsInvalid(t *testing.T) {
	s := counting(t, scene.Options{})
	anchored(s, 2, nil)
	digest := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "certified", "at": scene.Objections})
	step, err := s.Network.Endorse(scene.Channel, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
	if err != nil {
		t.Fatal(err)
	}
	s.File(s.Lenders[0], "a")
	if err := s.Network.Commit(step); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("certified over an objection: %v", err)
	}
	notCertified(t, s, refusal.ObjectionOpen)
}

func TestARecountIsAnAuditAfterTheAward(t *testing.T) {
	s := counting(t, scene.Options{})
	anchored(s, 2, nil)
	s.File(s.Lenders[0], "a")
	s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "upheld", "recount"))
	notCertified(t, s, refusal.AwardUnmet)
	anchored(s, 2, nil)
	certify(s)
}

func TestANewVoteIsAnotherMeeting(t *testing.T) {
	s := counting(t, scene.Options{})
	anchored(s, 2, nil)
	s.File(s.Lenders[0], "a")
	s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "upheld", "revote"))
	anchored(s, 2, nil)
	notCertified(t, s, refusal.AwardUnmet)
	s.Step(map[string]any{"to": "void", "at": scene.Objections, "reason": "裁决重新表决"})
	again := scene.New(t, scene.Options{
		ID: "exit-2", Beside: s, Replaces: map[string]any{"mtg": s.Meeting.ID, "mh": s.Meeting.Hash, "why": "postponed"},
	})
	again.Announce()
}

// TestNoNumberOfObjectionsHoldsUpTheCertificationForGood: what was decided is
// not looked at again, so a range query that ends early hides nothing that counts.
func TestNoNumberOfObjectionsHoldsUpTheCertificationForGood(t *testing.T) {
	s := counting(t, scene.Options{RangeLimit: 4})
	anchored(s, 2, nil)
	s.Network.TotalQueryLimit = 4
	names := []string{"a", "b", "c", "d", "e"}
	for _, name := range names {
		s.File(s.Lenders[0], name)
	}
	refused(t, s, refusal.RangeLimit, scene.Auditor, "ListObjections", s.Meeting.ID)
	for _, name := range names {
		notCertified(t, s, refusal.ObjectionOpen)
		s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award(name, "dismissed", "none"))
	}
	certify(s)
}

func TestNoNumberOfRemediesHoldsUpTheCertificationForGood(t *testing.T) {
	s := counting(t, scene.Options{RangeLimit: 4})
	anchored(s, 2, nil)
	s.Network.TotalQueryLimit = 4
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		s.File(s.Lenders[0], name)
		s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award(name, "upheld", "recount"))
	}
	notCertified(t, s, refusal.AwardUnmet)
	anchored(s, 2, nil)
	certify(s)
}

func TestACertificationThatAnAwardOvertakesIsInvalid(t *testing.T) {
	for _, remedy := range []string{"recount", "revote"} {
		t.Run(remedy, func(t *testing.T) {
			s := counting(t, scene.Options{})
			anchored(s, 2, nil)
			digest := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "certified", "at": scene.Objections})
			step, err := s.Network.Endorse(scene.Channel, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
			if err != nil {
				t.Fatal(err)
			}
			s.File(s.Lenders[0], "a")
			s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "upheld", remedy))
			if err := s.Network.Commit(step); !errors.Is(err, ledgertest.ErrConflict) {
				t.Errorf("certified over an award: %v", err)
			}
			notCertified(t, s, refusal.AwardUnmet)
		})
	}
}

func TestEachRecountIsAnAuditAfterItsOwnAward(t *testing.T) {
	s := counting(t, scene.Options{})
	for _, name := range []string{"a", "b"} {
		s.File(s.Lenders[0], name)
		s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award(name, "upheld", "recount"))
		if name == "b" { // the audit that met the first was there before the second
			notCertified(t, s, refusal.AwardUnmet)
		}
		anchored(s, 2, nil)
	}
	certify(s)
}

func TestWhoAnchors(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	for _, caller := range []ledgertest.Caller{
		scene.RegulatorOfficer, scene.AssociationRelay, {MSP: authority.Association, Role: authority.Auditor},
	} {
		refused(t, s, refusal.NotAuthorised, caller, "AnchorAudit", s.Anchor(0, nil))
	}
}
