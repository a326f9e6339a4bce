package scene

import (
	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
)

// Mandate is a lender's, and who may sign by it.
type Mandate struct {
	Proxy  *Lender
	JWS    string
	Digest string
}

// Lawyer is somebody with a key and no leaf, who is enrolled.
func (s *Scene) Lawyer(name string) *Lender {
	s.T.Helper()
	sub := ID("lawyer", name)
	lawyer := &Lender{Holder: s.CA.Issue(s.T, sub), Sub: sub}
	s.Enrol(s.Enrolment(sub, lawyer.Holder))
	return lawyer
}

// Mandate signs a lender's numbered mandate; without motions it is for all.
func (s *Scene) Mandate(principal, proxy *Lender, number int, motions ...string) *Mandate {
	s.T.Helper()
	values := map[string]any{
		"v": 1, "mh": s.Meeting.Hash, "mtg": s.Meeting.ID, "motions": "*", "sub": principal.Sub,
		"proxy": proxy.Sub, "iat": issuedAt, "no": number,
	}
	if len(motions) > 0 {
		values["motions"] = motions
	}
	jws := s.Signed("concordat-mandate+jws", principal.Holder, values)
	signed, err := ballot.ParseMandate(jws)
	must(s.T, err)
	return &Mandate{Proxy: proxy, JWS: jws, Digest: signed.Digest()}
}

// RecordMandates submits mandates at the platform's door and lists the verdicts.
func (s *Scene) RecordMandates(texts ...string) []string {
	s.T.Helper()
	payload := s.Do(Channel, AssociationRelay, "RecordMandates", s.Meeting.ID, encode(s.T, texts)).Payload
	answer := s.ParseAnswer(payload)
	return answer.Verdicts(len(texts))
}

// Give signs and records a mandate, and the proxy's identity checks numbered
// 1 to 3 for it.
func (s *Scene) Give(principal, proxy *Lender, number int, motions ...string) *Mandate {
	s.T.Helper()
	mandate := s.Mandate(principal, proxy, number, motions...)
	if verdicts := s.RecordMandates(mandate.JWS); verdicts[0] != "" {
		s.T.Fatalf("the mandate was answered %s", verdicts[0])
	}
	for check := range 3 {
		s.RecordSessions(s.ActingSession(proxy, principal, check+1))
	}
	return mandate
}

// Revocation signs the end of a mandate.
func (s *Scene) Revocation(principal *Lender, mandate *Mandate) string {
	s.T.Helper()
	return s.Signed("concordat-revocation+jws", principal.Holder, map[string]any{
		"v": 1, "mh": s.Meeting.Hash, "mtg": s.Meeting.ID, "sub": principal.Sub,
		"mandate": mandate.Digest, "iat": issuedAt,
	})
}

// Revoke ends a mandate.
func (s *Scene) Revoke(principal *Lender, mandate *Mandate) {
	s.T.Helper()
	s.Do(Channel, AssociationRelay, "RevokeMandate", s.Meeting.ID, s.Revocation(principal, mandate))
}

// SessionFor is the id of a proxy's numbered identity check for a principal.
func SessionFor(proxy, principal *Lender, number int) string {
	return ID("session for", proxy.Sub, principal.Sub, number)
}

// ActingSession is an item of RecordSessions: a proxy's numbered identity
// check for a principal's ballot.
func (s *Scene) ActingSession(proxy, principal *Lender, number int) map[string]any {
	item := s.Session(proxy, number)
	item["ses"], item["act"] = SessionFor(proxy, principal, number), principal.Sub
	item["commitment"] = canonical.Base64(Seeded("check", proxy.Sub, principal.Sub, number))
	return item
}
