package arbitration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
)

var twoMotions = []map[string]any{scene.Motion("m1"), scene.Motion("m2")}

func approving(motions ...string) map[string]any {
	votes := map[string]any{}
	for _, motion := range motions {
		votes[motion] = "approve"
	}
	return votes
}

// counted is the ballot that stands for a lender.
func counted(t *testing.T, s *scene.Scene, lender *scene.Lender) *ballot.Record {
	t.Helper()
	value := s.Network.State(scene.Channel, "ballot", s.Meeting.ID, lender.Sub)
	if value == nil {
		return nil
	}
	record, err := ballot.DecodeRecord(value, s.Meeting)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// TestAProxyVotesForItsPrincipals has one lawyer vote for two lenders, and
// another lender for a third; each ballot counts with its principal's claims.
func TestAProxyVotesForItsPrincipals(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	lawyer := s.Lawyer("Li")
	first := s.Give(s.Lenders[0], lawyer, 1)
	second := s.Give(s.Lenders[1], lawyer, 1)
	third := s.Give(s.Lenders[2], s.Lenders[3], 1)
	wantVerdicts(t, s.Submit(scene.AssociationRelay,
		s.Compact(scene.Cast{Lender: s.Lenders[0], Mandate: first}),
		s.Raw(scene.Cast{Lender: s.Lenders[1], Mandate: second}),
		s.Compact(scene.Cast{Lender: s.Lenders[2], Mandate: third}),
		s.Compact(scene.Cast{Lender: s.Lenders[3]}),
	), "", "", "", "")
	for i, proxy := range []string{lawyer.Sub, lawyer.Sub, s.Lenders[3].Sub, ""} {
		record := counted(t, s, s.Lenders[i])
		if record.Proxy != proxy || !slices.Equal(record.Claims, s.Lenders[i].Leaf.Claims) {
			t.Errorf("lender %d: %+v", i, record)
		}
	}
	s.Close(4, 1)
}

// TestTheOwnBallotPrevails plays every order of an own and a proxy's ballot
// under every rule for revotes.
func TestTheOwnBallotPrevails(t *testing.T) {
	again := map[string]string{"none": "REVOTE_NOT_ALLOWED", "first": "FIRST_STANDS", "last": ""}
	for revote, second := range again {
		t.Run(revote, func(t *testing.T) {
			type cast struct {
				proxied bool
				seq     int
				want    string
			}
			for _, order := range [][]cast{
				{{true, 5, ""}, {false, 1, ""}, {true, 6, "PRINCIPAL_VOTED"}},
				{{false, 1, ""}, {true, 9, "PRINCIPAL_VOTED"}, {false, 2, second}},
				{{true, 1, ""}, {true, 2, second}, {false, 1, ""}},
				{{true, 1, ""}, {true, 1, "held"}, {false, 1, ""}, {false, 1, "held"}, {true, 1, "PRINCIPAL_VOTED"}},
				{{true, 2, ""}, {true, 1, "SEQ_STALE"}, {false, 2, ""}, {false, 1, "SEQ_STALE"}},
			} {
				s := scene.New(t, scene.Options{Proxies: true, Revote: revote}).Open(9)
				principal := s.Lenders[0]
				lawyer := s.Lawyer("Li")
				mandate := s.Give(principal, lawyer, 1)
				for seq := 4; seq < 10; seq++ {
					s.RecordSessions(s.ActingSession(lawyer, principal, seq))
				}
				for step, one := range order {
					ballot := scene.Cast{Lender: principal, Seq: one.seq}
					if one.proxied {
						ballot.Mandate = mandate
					}
					if got := s.Submit(scene.AssociationRelay, s.Compact(ballot)); got[0] != one.want {
						t.Fatalf("%v, step %d: %q", order, step, got[0])
					}
				}
				if record := counted(t, s, principal); record.Proxy != "" {
					t.Errorf("%v: the proxy's stands", order)
				}
			}
		})
	}
}

// TestTwoProxies: a new mandate to another takes the place of the first; the
// first proxy's ballot stays until the second's replaces it.
func TestTwoProxies(t *testing.T) {
	for revote, want := range map[string]string{"none": "REVOTE_NOT_ALLOWED", "first": "FIRST_STANDS", "last": ""} {
		s := scene.New(t, scene.Options{Proxies: true, Revote: revote}).Open(1)
		principal := s.Lenders[0]
		one, other := s.Lawyer("Li"), s.Lawyer("Wu")
		first := s.Give(principal, one, 1)
		cast := scene.Cast{Lender: principal, Mandate: first, Seq: 3}
		jws := s.JWS(cast)
		wantVerdicts(t, s.Submit(scene.AssociationRelay, s.RawJWS(cast, jws)), "")
		second := s.Give(principal, other, 2)
		// The very ballot is known again although its mandate is gone.
		wantVerdicts(t, s.Submit(scene.RegulatorRelay, s.RawJWS(cast, jws)), "held")
		wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: first, Seq: 1})), "MANDATE_REVOKED")
		wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: second, Seq: 1})), want)
		proxy, subtotals := one.Sub, 1
		if want == "" {
			proxy, subtotals = other.Sub, 2
		}
		if got := counted(t, s, principal).Proxy; got != proxy {
			t.Errorf("%s: %s's ballot stands", revote, got)
		}
		s.Close(1, subtotals)
	}
}

func TestRevokingAMandate(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true, Revote: "last"}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	mandate := s.Give(principal, lawyer, 1)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: mandate})), "")
	before := s.Network.State(scene.Channel, "ballot", s.Meeting.ID, principal.Sub)
	s.Revoke(principal, mandate)
	again := s.Do(scene.Channel, scene.AssociationRelay, "RevokeMandate", s.Meeting.ID, s.Revocation(principal, mandate))
	if len(again.Writes) != 0 {
		t.Errorf("revoked twice: %d writes", len(again.Writes))
	}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: mandate, Seq: 2})), "MANDATE_REVOKED")
	// What was cast while the mandate was in force stays.
	if after := s.Network.State(scene.Channel, "ballot", s.Meeting.ID, principal.Sub); string(after) != string(before) {
		t.Error("the revocation changed the ballot")
	}
	wantVerdicts(t, s.RecordMandates(mandate.JWS), "held")
	wantVerdicts(t, s.RecordMandates(s.Mandate(principal, lawyer, 1, "m1").JWS), "MANDATE_REVOKED")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal})), "")
	s.Close(1, 2)
}

// TestRevokedBetweenEndorsementAndCommit: the mandate is in the read set, so
// that a ballot endorsed before does not come in after the revocation.
func TestRevokedBetweenEndorsementAndCommit(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	mandate := s.Give(principal, lawyer, 1)
	entry := s.Compact(scene.Cast{Lender: principal, Mandate: mandate})
	endorsed, err := s.Network.Endorse(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(entry))
	if err != nil {
		t.Fatal(err)
	}
	s.Revoke(principal, mandate)
	if err := s.Network.Commit(endorsed); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("committed: %v", err)
	}
	if counted(t, s, principal) != nil {
		t.Error("a ballot stands")
	}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, entry), "MANDATE_REVOKED")
}

// TestAMandateForOneMotion: the other is answered with no vote, exactly.
func TestAMandateForOneMotion(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true, Motions: twoMotions}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	mandate := s.Give(principal, lawyer, 1, "m2")
	for _, votes := range []map[string]any{
		approving("m1", "m2"),
		{"m1": "approve", "m2": []string{}},
		{"m1": []string{}, "m2": []string{}},
	} {
		cast := scene.Cast{Lender: principal, Mandate: mandate, Votes: votes}
		wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(cast)), "MANDATE_SCOPE")
		wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Raw(cast)), "MANDATE_SCOPE")
	}
	votes := map[string]any{"m1": []string{}, "m2": "reject"}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Votes: votes})), "CHOICE_COUNT")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Raw(scene.Cast{Lender: principal, Votes: votes})), "CHOICE_COUNT")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: mandate, Votes: votes})), "")
	record := counted(t, s, principal)
	if !slices.Equal(record.Excluded, []string{"m1"}) || record.Votes[0].Chose([]string{"approve", "reject", "abstain"}) {
		t.Errorf("counted %+v", record)
	}
	answer := string(s.Do(scene.Channel, scene.Auditor, "GetBallot", s.Meeting.ID, principal.Sub).Payload)
	if !strings.Contains(answer, `"excluded":["m1"],"proxy":"`+lawyer.Sub+`"`) || !strings.Contains(answer, `"votes":{"m1":[],"m2":"reject"}`) {
		t.Errorf("GetBallot %s", answer)
	}
}

func TestAMandateThatIsNotThereYetIsPending(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	for number := range 2 { // nothing there, then an older one
		mandate := s.Mandate(principal, lawyer, number+1)
		wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: principal, Mandate: mandate})), "MANDATE_NOT_FOUND")
		wantVerdicts(t, s.RecordMandates(mandate.JWS), "")
	}
}

func TestAProxyIsJudgedByItsOwnKeyAndCheck(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	principal, proxy := s.Lenders[0], s.Lenders[1]
	mandate := s.Give(principal, proxy, 1)
	submit := func(cast scene.Cast) string {
		cast.Lender, cast.Mandate = principal, mandate
		return s.Submit(scene.AssociationRelay, s.Raw(cast))[0]
	}
	if got := submit(scene.Cast{Signer: principal.Holder}); got != "KEY_FOREIGN" {
		t.Errorf("the principal's key: %s", got)
	}
	if got := submit(scene.Cast{Check: 4}); got != "SESSION_NOT_FOUND" {
		t.Errorf("no check: %s", got)
	}
	for name, act := range map[string]string{"itself": "", "another": s.Lenders[2].Sub} {
		check := map[string]int{"itself": 5, "another": 6}[name]
		item := s.ActingSession(proxy, principal, check)
		item["act"] = act
		if act == "" {
			delete(item, "act")
		}
		s.RecordSessions(item)
		if got := submit(scene.Cast{Check: check}); got != "SESSION_FOREIGN_LENDER" {
			t.Errorf("a check for %s: %s", name, got)
		}
	}
	stranger := &scene.Lender{Holder: s.CA.Issue(t, scene.ID("stranger")), Sub: scene.ID("stranger")}
	unknown := s.Mandate(principal, stranger, 2)
	wantVerdicts(t, s.RecordMandates(unknown.JWS), "")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Raw(scene.Cast{Lender: principal, Mandate: unknown})), "ENROLMENT_NOT_FOUND")
}

func TestNoProxiesWhereTheMeetingTakesNone(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	mandate := s.Mandate(principal, lawyer, 1)
	refused(t, s, refusal.MandateScope, scene.AssociationRelay, "RecordMandates", s.Meeting.ID, fmt.Sprintf("[%q]", mandate.JWS))
	refused(t, s, refusal.MandateScope, scene.AssociationRelay, "RevokeMandate", s.Meeting.ID, s.Revocation(principal, mandate))
	proposal := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots",
		s.Batch(s.Compact(scene.Cast{Lender: principal, Mandate: mandate})))
	if string(proposal.Payload) != `{"accepted":0,"held":[],"pending":[],"refused":[[0,"MANDATE_SCOPE",0]],"v":1}` {
		t.Errorf("%s", proposal.Payload)
	}
}

func TestRecordMandatesRefusals(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true, Lenders: 6}).Open(1)
	lender, lawyer := s.Lenders, s.Lawyer("Li")
	stranger := &scene.Lender{Holder: s.CA.Issue(t, scene.ID("stranger")), Sub: scene.ID("stranger")}
	good := s.Mandate(lender[0], lawyer, 2)
	foreign := s.Mandate(lender[1], lawyer, 1)
	parts := strings.Split(s.Mandate(lender[2], lawyer, 1).JWS, ".")
	other := strings.Split(s.Mandate(lender[2], lawyer, 2).JWS, ".")
	s.Do("identity", scene.RegulatorOfficer, "Revoke", fmt.Sprintf(`{"reason":"lost","sub":%q}`, lender[3].Sub))
	wrong := *lender[4]
	wrong.Holder = lender[5].Holder
	elsewhere := scene.New(t, scene.Options{Proxies: true, ID: "exit-2"})
	texts := []string{
		good.JWS,
		s.Mandate(lender[0], lawyer, 3).JWS,
		elsewhere.Mandate(lender[1], lawyer, 1).JWS,
		s.Mandate(lender[2], lawyer, 1, "m9").JWS,
		"mandate",
		s.Mandate(lender[3], lawyer, 1).JWS,
		s.Mandate(&wrong, lawyer, 1).JWS,
		s.Mandate(stranger, lawyer, 1).JWS,
	}
	wantVerdicts(t, s.RecordMandates(texts...),
		"", "BATCH_DUPLICATE_VOTER", "MANDATE_SCOPE", "MANDATE_SCOPE", "JWS_FORMAT", "KEY_REVOKED", "KEY_FOREIGN", "ENROLMENT_NOT_FOUND")
	wantVerdicts(t, s.RecordMandates(parts[0]+"."+parts[1]+"."+other[2]), "SIGNATURE_INVALID")
	wantVerdicts(t, s.RecordMandates(s.Mandate(lender[0], lawyer, 1).JWS), "MANDATE_REVOKED")
	wantVerdicts(t, s.RecordMandates(good.JWS, foreign.JWS), "held", "")
	for _, argument := range []string{"", "[]", "{}", `["a",1]`, "[" + strings.Repeat(" ", 4_000_000) + `"a"]`} {
		refused(t, s, refusal.ArgumentFormat, scene.AssociationRelay, "RecordMandates", s.Meeting.ID, argument)
	}
	refused(t, s, refusal.MeetingNotFound, scene.AssociationRelay, "RecordMandates", "nowhere", `["a"]`)
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	for _, door := range []ledgertest.Caller{scene.AssociationRelay, scene.RegulatorRelay} {
		refused(t, s, refusal.MeetingNotOpen, door, "RecordMandates", s.Meeting.ID, `["a"]`)
		refused(t, s, refusal.MeetingNotOpen, door, "RevokeMandate", s.Meeting.ID, s.Revocation(lender[0], good))
	}
}

func TestRevokeMandateRefusals(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	first, second := s.Mandate(principal, lawyer, 1), s.Mandate(principal, lawyer, 2)
	revoke := func(code refusal.Code, text string) {
		t.Helper()
		refused(t, s, code, scene.RegulatorRelay, "RevokeMandate", s.Meeting.ID, text)
	}
	revoke(refusal.MandateNotFound, s.Revocation(principal, first))
	wantVerdicts(t, s.RecordMandates(first.JWS), "")
	revoke(refusal.MandateNotFound, s.Revocation(principal, second))
	wantVerdicts(t, s.RecordMandates(second.JWS), "")
	revoke(refusal.MandateRevoked, s.Revocation(principal, first))
	revoke(refusal.JWSTyp, second.JWS)
	revoke(refusal.MandateFormat, strings.Repeat("a", 2049))
	elsewhere := scene.New(t, scene.Options{Proxies: true, ID: "exit-2"})
	revoke(refusal.MandateScope, elsewhere.Revocation(principal, second))
	imposter := *principal
	imposter.Holder = lawyer.Holder
	revoke(refusal.KeyForeign, s.Revocation(&imposter, second))
	parts := strings.Split(s.Revocation(principal, second), ".")
	other := strings.Split(s.Revocation(principal, first), ".")
	revoke(refusal.SignatureInvalid, parts[0]+"."+parts[1]+"."+other[2])
	s.Do("identity", scene.RegulatorOfficer, "Revoke", fmt.Sprintf(`{"reason":"lost","sub":%q}`, principal.Sub))
	revoke(refusal.KeyRevoked, s.Revocation(principal, second))
}

func TestThePrincipalSeesItsMandate(t *testing.T) {
	s := scene.New(t, scene.Options{Proxies: true}).Open(1)
	principal, lawyer := s.Lenders[0], s.Lawyer("Li")
	ask := func() string {
		return string(s.Do(scene.Channel, scene.Auditor, "GetMandate", s.Meeting.ID, principal.Sub).Payload)
	}
	if got := ask(); got != "null" {
		t.Errorf("before any: %s", got)
	}
	first, second := s.Mandate(principal, lawyer, 1), s.Mandate(principal, lawyer, 2)
	s.RecordMandates(first.JWS)
	s.RecordMandates(second.JWS)
	s.Revoke(principal, second)
	var got struct {
		Mandate string   `json:"mandate"`
		Past    []string `json:"past"`
		Revoked struct {
			By string `json:"by"`
		} `json:"revoked"`
	}
	if err := json.Unmarshal([]byte(ask()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Mandate != second.JWS || !slices.Equal(got.Past, []string{first.Digest}) {
		t.Errorf("%+v", got)
	}
	if revocation, err := ballot.ParseRevocation(got.Revoked.By); err != nil || revocation.Mandate != second.Digest {
		t.Errorf("revoked by %s: %v", got.Revoked.By, err)
	}
	refused(t, s, refusal.ArgumentFormat, scene.Auditor, "GetMandate", s.Meeting.ID, "somebody")
}
