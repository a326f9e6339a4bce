package identity_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/directory"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
)

const none = `"held":[],"pending":[],"refused":[],"v":1}`

func refused(t *testing.T, s *scene.Scene, code refusal.Code, caller ledgertest.Caller, function string, args ...string) {
	t.Helper()
	_, err := s.Network.Submit("identity", caller, function, args...)
	if err == nil || !strings.HasPrefix(err.Error(), string(code)+": "+refusal.Sentence(code)) {
		t.Errorf("%s: error %v, want %s", function, err, code)
	}
}

func issuer(institution string, der []byte) string {
	return fmt.Sprintf(`{"v":1,"institution":%q,"certificate":%q}`, institution, scene.Base64(der))
}

func TestIssuerIsProposedThenConfirmed(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 1})
	lender := s.Lenders[0]
	refused(t, s, refusal.IssuerNotFound, scene.RegulatorOfficer, "ConfirmIssuer", scene.Institution, s.CA.X5t())
	if answer := s.Enrol(s.Enrolment(lender.Sub, lender.Holder)); answer != `{"accepted":0,"held":[],"pending":[],"refused":[[0,"ISSUER_NOT_FOUND",0]],"v":1}` {
		t.Error(answer)
	}
	mistaken := scene.NewCA(t, "mistaken")
	s.Do("identity", scene.InstitutionOfficer, "ProposeIssuer", issuer(scene.Institution, mistaken.DER))
	s.Do("identity", scene.InstitutionOfficer, "ProposeIssuer", issuer(scene.Institution, s.CA.DER))
	if answer := s.Enrol(s.Enrolment(lender.Sub, lender.Holder)); answer != `{"accepted":0,"held":[],"pending":[],"refused":[[0,"ISSUER_NOT_CONFIRMED",0]],"v":1}` {
		t.Error(answer)
	}
	refused(t, s, refusal.StepMismatch, scene.RegulatorOfficer, "ConfirmIssuer", scene.Institution, mistaken.X5t())
	confirmed := s.Do("identity", scene.RegulatorOfficer, "ConfirmIssuer", scene.Institution, s.CA.X5t())
	want := fmt.Sprintf(`{"certificate":%q,"institution":"InstitutionAMSP","status":"confirmed","tx":%q,"v":1,"x5t":%q}`,
		scene.Base64(s.CA.DER), confirmed.ID, s.CA.X5t())
	if got := string(s.Do("identity", scene.Auditor, "GetIssuer", scene.Institution).Payload); got != want || string(confirmed.Payload) != want {
		t.Errorf("issuer %s\nwant %s", got, want)
	}
	refused(t, s, refusal.IssuerExists, scene.InstitutionOfficer, "ProposeIssuer", issuer(scene.Institution, mistaken.DER))
	refused(t, s, refusal.IssuerExists, scene.RegulatorOfficer, "ConfirmIssuer", scene.Institution, s.CA.X5t())
	refused(t, s, refusal.IssuerNotFound, scene.Auditor, "GetIssuer", "InstitutionBMSP")
	refused(t, s, refusal.IssuerNotFound, scene.Auditor, "GetIssuer", authority.Regulator)
}

func TestIssuerRefusals(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 1})
	propose := func(code refusal.Code, document string) {
		t.Helper()
		refused(t, s, code, scene.InstitutionOfficer, "ProposeIssuer", document)
	}
	good := issuer(scene.Institution, s.CA.DER)
	propose(refusal.IssuerFormat, "no JSON")
	propose(refusal.IssuerFormat, strings.Replace(good, `"v":1`, `"v":2`, 1))
	propose(refusal.IssuerFormat, strings.Replace(good, `"v":1`, `"v":1,"v":1`, 1))
	propose(refusal.IssuerFormat, strings.Replace(good, `"v":1`, `"v":1,"note":"x"`, 1))
	propose(refusal.IssuerFormat, issuer(scene.Institution, []byte("no certificate")))
	propose(refusal.IssuerFormat, issuer(scene.Institution, append(append([]byte{}, s.CA.DER...), 0)))
	propose(refusal.IssuerFormat, issuer(scene.Institution, s.Lenders[0].DER))
	propose(refusal.NotAuthorised, issuer("InstitutionBMSP", s.CA.DER))

	intermediate := s.CA.Sign(t, scene.Template("intermediate", true), scene.NewKey(t, elliptic.P256()))
	propose(refusal.IssuerFormat, issuer(scene.Institution, intermediate.DER))
	key := scene.NewKey(t, elliptic.P384())
	template := scene.Template("other curve", true)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	propose(refusal.IssuerFormat, issuer(scene.Institution, der))
}

func TestEnrolVerifiesEachCertificate(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 1})
	s.RegisterIssuer()
	sub := func(name string) string { return scene.ID("enrol", name) }
	signed := func(name string, change func(*x509.Certificate)) map[string]any {
		template := scene.Template(sub(name), false)
		if change != nil {
			change(template)
		}
		return s.Enrolment(sub(name), s.CA.Sign(t, template, scene.NewKey(t, elliptic.P256())))
	}
	altered := func(name string, changes map[string]any) map[string]any {
		item := signed(name, nil)
		for member, value := range changes {
			item[member] = value
			if value == nil {
				delete(item, member)
			}
		}
		return item
	}
	rogue := scene.NewCA(t, "lender-ca") // the right name, another key
	for _, test := range []struct {
		name string
		code string
		item map[string]any
	}{
		{"good", "", signed("good", nil)},
		{"expired long ago, in order when issued", "", signed("expired", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Second) })},
		{"never valid", "CERT_FORMAT", signed("never", func(c *x509.Certificate) { c.NotAfter = c.NotBefore })},
		{"issued before its issuer was valid", "CERT_CHAIN", signed("before", func(c *x509.Certificate) { c.NotBefore = c.NotBefore.Add(-time.Hour) })},
		{"a CA", "CERT_KEY", signed("ca", func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage = x509.KeyUsageCertSign })},
		{"another curve", "CERT_KEY", s.Enrolment(sub("curve"), s.CA.Sign(t, scene.Template(sub("curve"), false), scene.NewKey(t, elliptic.P384())))},
		{"another's CN", "CERT_SUBJECT", s.Enrolment(sub("cn"), s.CA.Issue(t, sub("other")))},
		{"two CNs", "CERT_SUBJECT", signed("two", func(c *x509.Certificate) {
			c.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
				{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "somebody"},
				{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: sub("two")},
			}}
		})},
		{"another CA", "CERT_CHAIN", s.Enrolment(sub("rogue"), rogue.Issue(t, sub("rogue")))},
		{"self-signed", "CERT_KEY", s.Enrolment(sub("self"), &scene.NewCA(t, sub("self")).Holder)},
		{"no DER", "CERT_FORMAT", altered("der", map[string]any{"certificate": scene.Base64([]byte("x"))})},
		{"no base64", "CERT_FORMAT", altered("base64", map[string]any{"certificate": "*"})},
		{"an unknown institution", "ISSUER_NOT_FOUND", altered("unknown", map[string]any{"institution": "InstitutionBMSP"})},
		{"an office for an institution", "ENROLMENT_FORMAT", altered("office", map[string]any{"institution": "RegulatorMSP"})},
		{"no pseudonym", "ENROLMENT_FORMAT", altered("name", map[string]any{"sub": "Zhang San"})},
		{"no commitment", "ENROLMENT_FORMAT", altered("commitment", map[string]any{"commitment": nil})},
		{"a plain hash in hex", "ENROLMENT_FORMAT", altered("hex", map[string]any{"commitment": strings.Repeat("ab", 32)})},
		{"no method", "ENROLMENT_FORMAT", altered("method", map[string]any{"method": "Face!"})},
		{"a member too many", "ENROLMENT_FORMAT", altered("many", map[string]any{"name": "x"})},
		{"another version", "ENROLMENT_FORMAT", altered("version", map[string]any{"v": 2})},
		{"this version", "", altered("v1", map[string]any{"v": 1})},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := `{"accepted":1,` + none
			if test.code != "" {
				want = fmt.Sprintf(`{"accepted":0,"held":[],"pending":[],"refused":[[0,%q,0]],"v":1}`, test.code)
			}
			if answer := s.Enrol(test.item); answer != want {
				t.Errorf("answer %s, want %s", answer, want)
			}
		})
	}
}

func TestEnrolmentLife(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 2})
	s.RegisterIssuer()
	lender := s.Lenders[0]
	item := s.Enrolment(lender.Sub, lender.Holder)
	other := s.Enrolment(lender.Sub, s.CA.Issue(t, lender.Sub))
	expect := func(want string, items ...map[string]any) {
		t.Helper()
		if answer := s.Enrol(items...); answer != want {
			t.Errorf("answer %s, want %s", answer, want)
		}
	}
	// In one batch, the same twice is held once; another certificate is late.
	expect(`{"accepted":1,"held":[1],"pending":[],"refused":[[2,"ENROLMENT_EXISTS",1]],"v":1}`, item, item, other)
	expect(`{"accepted":0,"held":[0],"pending":[],"refused":[[1,"ENROLMENT_EXISTS",1]],"v":1}`, item, other)

	revoke := func(reason string) string { return fmt.Sprintf(`{"v":1,"sub":%q,"reason":%q}`, lender.Sub, reason) }
	refused(t, s, refusal.EnrolmentNotFound, scene.RegulatorOfficer, "Revoke", strings.Replace(revoke("x"), lender.Sub, s.Lenders[1].Sub, 1))
	for _, wrong := range []string{"", "{}", revoke(""), revoke(strings.Repeat("x", 501)), strings.Replace(revoke("x"), lender.Sub, "me", 1)} {
		refused(t, s, refusal.RevokeFormat, scene.RegulatorOfficer, "Revoke", wrong)
	}
	s.Do("identity", scene.InstitutionOfficer, "Revoke", revoke("phone lost"))
	refused(t, s, refusal.KeyRevoked, scene.InstitutionOfficer, "Revoke", revoke("again"))
	expect(`{"accepted":0,"held":[],"pending":[],"refused":[[0,"KEY_REVOKED",2]],"v":1}`, item)
	expect(`{"accepted":1,`+none, other)

	var record struct {
		Rev    int    `json:"rev"`
		Status string `json:"status"`
		Reason string `json:"reason"`
	}
	payload := s.Do("identity", scene.AssociationRelay, "GetEnrolment", lender.Sub).Payload
	if err := json.Unmarshal(payload, &record); err != nil {
		t.Fatal(err)
	}
	if record.Rev != 3 || record.Status != "active" || record.Reason != "" || !canonical.IsCanonical(payload) {
		t.Errorf("record %s", payload)
	}
	refused(t, s, refusal.EnrolmentNotFound, scene.Auditor, "GetEnrolment", s.Lenders[1].Sub)
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "GetEnrolment", "nobody")
}

func TestAnInstitutionCannotTouchAnothersLenders(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 1})
	s.RegisterIssuer()
	s.EnrolAll()
	other := ledgertest.Caller{MSP: "InstitutionBMSP", Role: authority.Officer}
	refused(t, s, refusal.NotAuthorised, other, "Revoke", fmt.Sprintf(`{"sub":%q,"reason":"x"}`, s.Lenders[0].Sub))
	// Nor take a pseudonym over, even when revoked.
	ca := scene.NewCA(t, "other lender-ca")
	s.Do("identity", other, "ProposeIssuer", issuer("InstitutionBMSP", ca.DER))
	s.Do("identity", scene.RegulatorOfficer, "ConfirmIssuer", "InstitutionBMSP", ca.X5t())
	item := s.Enrolment(s.Lenders[0].Sub, ca.Issue(t, s.Lenders[0].Sub))
	item["institution"] = "InstitutionBMSP"
	for _, status := range []uint64{1, 2} {
		want := fmt.Sprintf(`{"accepted":0,"held":[],"pending":[],"refused":[[0,"ENROLMENT_FOREIGN",%d]],"v":1}`, status)
		if answer := s.Enrol(item); answer != want {
			t.Errorf("answer %s, want %s", answer, want)
		}
		if status == 1 {
			s.Do("identity", scene.RegulatorOfficer, "Revoke", fmt.Sprintf(`{"sub":%q,"reason":"x"}`, s.Lenders[0].Sub))
		}
	}
}

func TestSessions(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 3})
	s.RegisterIssuer()
	s.Enrol(s.Enrolment(s.Lenders[0].Sub, s.Lenders[0].Holder), s.Enrolment(s.Lenders[1].Sub, s.Lenders[1].Holder))
	s.Do("identity", scene.RegulatorOfficer, "Revoke", fmt.Sprintf(`{"sub":%q,"reason":"x"}`, s.Lenders[1].Sub))
	lender := s.Lenders[0]
	number := 10
	with := func(changes map[string]any) map[string]any {
		number++
		item := s.Session(lender, number)
		maps.Copy(item, changes)
		return item
	}
	for _, test := range []struct {
		name string
		want string
		item map[string]any
	}{
		{"good", `{"accepted":1,` + none, s.Session(lender, 1)},
		{"the same again", `{"accepted":0,"held":[0],"pending":[],"refused":[],"v":1}`, s.Session(lender, 1)},
		{"another with its id", `[[0,"SESSION_EXISTS",1]]`, with(map[string]any{"ses": scene.SessionID(lender, 1)})},
		{"a failed check", `{"accepted":1,` + none, with(map[string]any{"outcome": "reject"})},
		{"not enrolled", `"pending":[[0,"ENROLMENT_NOT_FOUND"]]`, s.Session(s.Lenders[2], 1)},
		{"revoked", `[[0,"KEY_REVOKED",2]]`, s.Session(s.Lenders[1], 1)},
		{"another key", `[[0,"KEY_FOREIGN",1]]`, with(map[string]any{"x5t": s.CA.X5t()})},
		{"another institution", `[[0,"ENROLMENT_FOREIGN",1]]`, with(map[string]any{"institution": "InstitutionBMSP"})},
		{"an unknown outcome", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"outcome": "maybe"})},
		{"no end", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"expires_at": "2026-03-03T08:25:00Z"})},
		{"local time", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"issued_at": "2026-03-03T08:25:00+08:00"})},
		{"a date that is none", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"issued_at": "2026-02-30T08:25:00Z"})},
		{"a short id", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"ses": "AAAA"})},
		{"no meeting", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"mtg": ""})},
		{"version 2", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"v": 2})},
		{"a picture", `[[0,"SESSION_FORMAT",0]]`, with(map[string]any{"frame": "x"})},
	} {
		t.Run(test.name, func(t *testing.T) {
			if answer := s.RecordSessions(test.item); !strings.Contains(answer, test.want) {
				t.Errorf("answer %s, want %s", answer, test.want)
			}
		})
	}
	stored := s.Do("identity", scene.Auditor, "GetSession", scene.SessionID(lender, 1)).Payload
	if !canonical.IsCanonical(stored) || !strings.Contains(string(stored), `"outcome":"accept"`) {
		t.Errorf("session %s", stored)
	}
	refused(t, s, refusal.SessionNotFound, scene.Auditor, "GetSession", scene.SessionID(lender, 99))
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "GetSession", "x")
	for _, wrong := range []string{"", "[]", "{}", "[1", strings.Repeat(" ", 4_000_001)} {
		refused(t, s, refusal.ArgumentFormat, scene.Verifier, "RecordSessions", wrong)
		refused(t, s, refusal.ArgumentFormat, scene.Verifier, "Enrol", wrong)
	}
	if answer := string(s.Do("identity", scene.Verifier, "Enrol", `[1,null]`).Payload); !strings.Contains(answer, `[[0,"ENROLMENT_FORMAT",0],[1,"ENROLMENT_FORMAT",0]]`) {
		t.Errorf("answer %s", answer)
	}
}

func TestResolveAnswersInOrder(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 2})
	s.RegisterIssuer()
	s.EnrolAll()
	s.CheckAll(1)
	s.Do("identity", scene.RegulatorOfficer, "Revoke", fmt.Sprintf(`{"sub":%q,"reason":"x"}`, s.Lenders[1].Sub))
	question := func(sub, session string) directory.Question {
		subBytes, _ := canonical.FromBase64(sub)
		sessionBytes, _ := canonical.FromBase64(session)
		return directory.Question{Sub: subBytes, Session: sessionBytes}
	}
	questions := []directory.Question{
		question(scene.ID("nobody"), scene.ID("nothing")),
		question(s.Lenders[1].Sub, scene.SessionID(s.Lenders[0], 1)),
		question(s.Lenders[0].Sub, scene.ID("nothing")),
	}
	query, err := directory.EncodeQuestions(questions)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := directory.DecodeAnswers(s.Do("identity", scene.Auditor, "Resolve", string(query)).Payload, 3)
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Enrolment != nil || answers[0].Session != nil || answers[2].Session != nil {
		t.Errorf("answers to unknown ids: %+v", answers)
	}
	if e := answers[1].Enrolment; e == nil || e.Active || e.Revision != 2 || canonical.Base64(e.Thumbprint) != s.Lenders[1].X5t() {
		t.Errorf("revoked lender: %+v", e)
	}
	if e := answers[2].Enrolment; e == nil || !e.Active || e.Revision != 1 || e.Institution != scene.Institution || len(e.Point) != 65 {
		t.Errorf("lender: %+v", e)
	}
	if c := answers[1].Session; c == nil || c.Sub != s.Lenders[0].Sub || c.Meeting != s.Meeting.ID || c.Expires != 1772527200 {
		t.Errorf("session: %+v", c)
	}
	for _, wrong := range []string{"", "\x80\x00", "\x9f\xff", "\x81\x82\x40\x40", "\x81\x82\x41\x00\x41\x00", "\xf6"} {
		refused(t, s, refusal.ArgumentFormat, scene.Auditor, "Resolve", wrong)
	}
}
