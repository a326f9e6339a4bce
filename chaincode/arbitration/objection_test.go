package arbitration_test

import (
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
	"concordat/chaincode/vectors"
)

// dispute is what GetObjection answers.
type dispute struct {
	Objection struct {
		JWS      string `json:"objection"`
		Door     string `json:"door"`
		AckTime  string `json:"ack_time"`
		Revision uint64 `json:"enr"`
		TX       string `json:"tx"`
	} `json:"objection"`
	Answer *struct {
		Position string `json:"position"`
	} `json:"answer"`
	Award *struct {
		Award  string `json:"award"`
		Anchor string `json:"anchor"`
	} `json:"award"`
}

func disputeOf(t *testing.T, s *scene.Scene, name string) dispute {
	t.Helper()
	payload := s.Do(scene.Channel, scene.Auditor, "GetObjection", s.Meeting.ID, scene.ObjectionID(name)).Payload
	var found dispute
	if err := json.Unmarshal(payload, &found); err != nil || !canonical.IsCanonical(payload) {
		t.Fatalf("%s: %v", payload, err)
	}
	return found
}

func TestAnObjectionIsFiledAnsweredAndDecided(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	text := s.Objection(s.Lenders[0], "a", nil)
	filed := s.Do(scene.Channel, scene.AssociationRelay, "FileObjection", text, scene.During)
	if filed.Event != "objection" ||
		filed.EventPayload != `{"mtg":"exit-1","obj":"`+scene.ObjectionID("a")+`","v":1,"what":"filed"}` {
		t.Errorf("event %s %s", filed.Event, filed.EventPayload)
	}
	found := disputeOf(t, s, "a")
	if o := found.Objection; o.JWS != text || o.Door != "AssociationMSP" || o.AckTime != scene.During || o.Revision != 1 ||
		o.TX != filed.ID || found.Answer != nil || found.Award != nil {
		t.Errorf("%+v", found)
	}
	// The very objection again, by whatever door and however late, and its signature's twin.
	for _, again := range []string{text, twin(t, text)} {
		payload := s.Do(scene.Channel, scene.RegulatorRelay, "FileObjection", again, "2030-01-01T00:00:00Z").Payload
		if string(payload) != string(filed.Payload) {
			t.Errorf("again %s, was %s", payload, filed.Payload)
		}
	}
	for range 2 {
		s.Do(scene.Channel, scene.InstitutionOfficer, "AnswerObjection", s.Answer("a", "contests"))
	}
	refused(t, s, refusal.ObjectionAnswered, scene.InstitutionOfficer, "AnswerObjection", s.Answer("a", "accepts"))
	anchor := s.Do(scene.Channel, scene.Auditor, "AnchorAudit", s.Anchor(0, nil))
	for range 2 {
		s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "upheld", "amend"))
	}
	refused(t, s, refusal.ObjectionDecided, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "dismissed", "none"))
	s.Do(scene.Channel, scene.InstitutionOfficer, "AnswerObjection", s.Answer("a", "contests")) // the same is there
	found = disputeOf(t, s, "a")
	if found.Answer.Position != "contests" || found.Award.Award != "upheld" || found.Award.Anchor != anchor.ID {
		t.Errorf("%+v %+v", found.Answer, found.Award)
	}
}

func TestTheListOfObjections(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	list := func() []dispute {
		t.Helper()
		var found []dispute
		payload := s.Do(scene.Channel, scene.Auditor, "ListObjections", s.Meeting.ID).Payload
		if err := json.Unmarshal(payload, &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := list(); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	for i, name := range []string{"a", "b", "c"} {
		s.File(s.Lenders[i], name)
	}
	s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award("b", "dismissed", "none"))
	refused(t, s, refusal.ObjectionDecided, scene.InstitutionOfficer, "AnswerObjection", s.Answer("b", "contests"))
	s.Do(scene.Channel, scene.InstitutionOfficer, "AnswerObjection", s.Answer("c", "accepts"))
	for _, one := range list() {
		signed, err := ballot.ParseObjection(one.Objection.JWS)
		if err != nil {
			t.Fatal(err)
		}
		if (one.Award != nil) != (signed.ID == scene.ObjectionID("b")) ||
			(one.Answer != nil) != (signed.ID == scene.ObjectionID("c")) {
			t.Errorf("%+v", one)
		}
	}
	refused(t, s, refusal.MeetingNotFound, scene.Auditor, "ListObjections", "nowhere")
	refused(t, s, refusal.MeetingNotFound, scene.Auditor, "GetObjection", "nowhere", scene.ObjectionID("a"))
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "GetObjection", s.Meeting.ID, "a")
	refused(t, s, refusal.ObjectionNotFound, scene.Auditor, "GetObjection", s.Meeting.ID, scene.ObjectionID("d"))
}

func TestALenderFilesSoManyObjectionsAndNoMore(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	lender, other := s.Lenders[0], s.Lenders[1]
	name := func(i int) string { return strconv.Itoa(i) }
	for i := range 16 {
		s.File(lender, name(i))
	}
	again := s.Objection(lender, name(0), nil)
	s.Do(scene.Channel, scene.AssociationRelay, "FileObjection", again, scene.During)
	more := s.Objection(lender, name(16), nil)
	refused(t, s, refusal.ObjectionLimit, scene.AssociationRelay, "FileObjection", more, scene.During)
	s.Do(scene.Channel, scene.ArbitrationOfficer, "DecideObjection", s.Award(name(3), "dismissed", "none"))
	refused(t, s, refusal.ObjectionLimit, scene.AssociationRelay, "FileObjection", more, scene.During)
	// Another meeting counts for itself, and so does another lender.
	s.File(other, "other")
	if count := s.Network.State(scene.Channel, "objector", s.Meeting.ID, lender.Sub); string(count) != `{"n":16,"v":1}` {
		t.Errorf("counted %s", count)
	}
}

func TestObjectionsConflictWithTheSameLendersAlone(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	endorse := func(lender int, name string) *ledgertest.Proposal {
		t.Helper()
		text := s.Objection(s.Lenders[lender], name, nil)
		tx, err := s.Network.Endorse(scene.Channel, scene.AssociationRelay, "FileObjection", text, scene.During)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	first, second, third := endorse(0, "a"), endorse(1, "b"), endorse(0, "c")
	for _, tx := range []*ledgertest.Proposal{first, second} {
		if err := s.Network.Commit(tx); err != nil {
			t.Error(err)
		}
	}
	if err := s.Network.Commit(third); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("both of one lender's in a block: %v", err)
	}
}

// TestWhoIsNotOnTheRollMayObject: being left out is a ground.
func TestWhoIsNotOnTheRollMayObject(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	s.File(s.Lawyer("Zhao"), "a")
}

func TestObjectionsThatAreNotFiled(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	lender, other := s.Lenders[0], s.Lenders[1]
	file := func(code refusal.Code, text, at string) {
		t.Helper()
		refused(t, s, code, scene.AssociationRelay, "FileObjection", text, at)
	}
	good := s.Objection(lender, "a", nil)
	file(refusal.ObjectionFormat, s.Objection(lender, "a", map[string]any{"ground": "anything"}), scene.During)
	file(refusal.JWSTyp, s.Mandate(lender, other, 1).JWS, scene.During)
	file(refusal.AckTime, good, "yesterday")
	file(refusal.MeetingNotFound, s.Objection(lender, "a", map[string]any{"mtg": "nowhere"}), scene.During)
	file(refusal.ObjectionMeeting, s.Objection(lender, "a", map[string]any{"mh": canonical.Base64(scene.Seeded("x"))}), scene.During)
	file(refusal.ObjectionLate, good, "2026-03-24T10:00:01Z")
	file(refusal.EnrolmentNotFound, s.Objection(lender, "a", map[string]any{"sub": scene.ID("nobody")}), scene.During)
	file(refusal.KeyForeign, s.Objection(lender, "a", map[string]any{"sub": other.Sub}), scene.During)
	parts := strings.Split(good, ".")
	forged := parts[0] + "." + parts[1] + "." + canonical.Base64(scene.Sign(s, other.Holder, parts[0]+"."+parts[1]))
	file(refusal.SignatureInvalid, forged, scene.During)
	s.Do(scene.Channel, scene.AssociationRelay, "FileObjection", good, scene.Objections) // that second is in time
	file(refusal.ObjectionExists, s.Objection(lender, "a", map[string]any{"ground": "claim"}), scene.During)
	file(refusal.ObjectionExists, s.Objection(other, "a", nil), scene.During)
	s.Do("identity", scene.RegulatorOfficer, "Revoke", `{"reason":"lost","sub":"`+lender.Sub+`"}`)
	file(refusal.KeyRevoked, s.Objection(lender, "b", nil), scene.During)
	s.Step(map[string]any{"to": "void", "at": scene.During, "reason": "撤回"})
	file(refusal.MeetingState, s.Objection(other, "b", nil), scene.During)
}

func TestAnswersAndAwardsThatAreNotTaken(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	s.File(s.Lenders[0], "a")
	acts := map[string]func(string) string{
		"AnswerObjection": func(name string) string { return s.Answer(name, "contests") },
		"DecideObjection": func(name string) string { return s.Award(name, "upheld", "none") },
	}
	callers := map[string]ledgertest.Caller{
		"AnswerObjection": scene.InstitutionOfficer, "DecideObjection": scene.ArbitrationOfficer,
	}
	for function, act := range acts {
		for from, to := range map[string]string{
			`"v":1`:                `"v":2`,
			`"evidence":"`:         `"evidence":"a`,
			`"at":"2026`:           `"at":"26`,
			`"obj":"`:              `"obj":"a`,
			`"mtg":"exit-1"`:       `"mtg":"exit-1","x":1`,
			`"award":"upheld"`:     `"award":"dropped"`,
			`"remedy":"none"`:      `"remedy":"apology"`,
			`"position":"contest`:  `"position":"protest`,
			`"mtg":"exit-1",`:      `"mtg":1,`,
			scene.ObjectionID("a"): "",
		} {
			document := act("a")
			if changed := strings.Replace(document, from, to, 1); changed != document {
				refused(t, s, refusal.ArgumentFormat, callers[function], function, changed)
			}
		}
		refused(t, s, refusal.MeetingNotFound, callers[function], function, strings.Replace(act("a"), "exit-1", "exit-9", 1))
		refused(t, s, refusal.ObjectionNotFound, callers[function], function, act("b"))
		for _, caller := range []ledgertest.Caller{scene.AssociationOfficer, scene.RegulatorOfficer, scene.Auditor} {
			refused(t, s, refusal.NotAuthorised, caller, function, act("a"))
		}
	}
	refused(t, s, refusal.NotAuthorised, scene.ArbitrationOfficer, "AnswerObjection", acts["AnswerObjection"]("a"))
	refused(t, s, refusal.NotAuthorised, scene.InstitutionOfficer, "DecideObjection", acts["DecideObjection"]("a"))
	refused(t, s, refusal.ArgumentFormat, scene.ArbitrationOfficer, "DecideObjection", s.Award("a", "dismissed", "recount"))
	s.Step(map[string]any{"to": "void", "at": scene.During, "reason": "撤回"})
	for function, act := range acts {
		refused(t, s, refusal.MeetingState, callers[function], function, act("a"))
	}
}

// TestDocumentVectors: a document of the right form gets as far as a meeting
// that isn't there.
func TestDocumentVectors(t *testing.T) {
	type document struct {
		Name     string `json:"name"`
		Function string `json:"function"`
		Document string `json:"document"`
	}
	var file struct {
		Documents struct {
			Accept []document `json:"accept"`
			Reject []document `json:"reject"`
		} `json:"documents"`
	}
	vectors.Load(t, "objection.json", &file)
	callers := map[string]ledgertest.Caller{
		"AnswerObjection": scene.InstitutionOfficer, "DecideObjection": scene.ArbitrationOfficer, "AnchorAudit": scene.Auditor,
	}
	s := scene.New(t, scene.Options{})
	for code, documents := range map[refusal.Code][]document{
		refusal.MeetingNotFound: file.Documents.Accept, refusal.ArgumentFormat: file.Documents.Reject,
	} {
		for _, one := range documents {
			t.Run(one.Name, func(t *testing.T) {
				refused(t, s, code, callers[one.Function], one.Function, one.Document)
			})
		}
	}
}

// twin is the JWS with its signature's other form, (r, n-s).
func twin(t *testing.T, text string) string {
	t.Helper()
	parts := strings.Split(text, ".")
	signature, err := canonical.FromBase64(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	other := new(big.Int).SetBytes(signature[32:])
	other.Sub(elliptic.P256().Params().N, other).FillBytes(signature[32:])
	parts[2] = canonical.Base64(signature)
	return strings.Join(parts, ".")
}
