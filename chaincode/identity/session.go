package identity

import (
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/refusal"
	"concordat/chaincode/verdict"
)

// recordSessions records each identity check that names an enrolled lender
// and its key. A session id is recorded once; the same session again is held.
func recordSessions(tx ledger.Tx, documents []byte) ([]byte, error) {
	objects, err := parseDocuments(documents)
	if err != nil {
		return nil, err
	}
	sessions := make([]*Session, len(objects))
	refusals := make([]error, len(objects))
	var lenderKeys, sessionKeys []string
	seen := map[string]bool{}
	add := func(keys *[]string, key string) {
		if !seen[key] {
			seen[key] = true
			*keys = append(*keys, key)
		}
	}
	for i, object := range objects {
		if sessions[i], refusals[i] = parseSession(object); refusals[i] == nil {
			add(&lenderKeys, enrolmentKey(sessions[i].Sub))
			add(&sessionKeys, sessionKey(sessions[i].Session))
		}
	}
	enrolled, err := readMany[Enrolment](tx, lenderKeys)
	if err != nil {
		return nil, err
	}
	recorded, err := readMany[Session](tx, sessionKeys)
	if err != nil {
		return nil, err
	}
	var verdicts verdict.List
	for i, session := range sessions {
		if refusals[i] != nil {
			verdicts.Refuse(i, refusal.SessionFormat, 0)
			continue
		}
		if err := session.judge(tx, i, enrolled, recorded, &verdicts); err != nil {
			return nil, err
		}
	}
	return verdicts.JSON(), nil
}

// judge gives a well-formed session its verdict and writes it if accepted.
func (s *Session) judge(tx ledger.Tx, index int, enrolled map[string]*Enrolment, recorded map[string]*Session, verdicts *verdict.List) error {
	lender := enrolled[enrolmentKey(s.Sub)]
	held := recorded[sessionKey(s.Session)]
	switch {
	case held != nil && held.equal(s):
		verdicts.Hold(index)
	case held != nil:
		verdicts.Refuse(index, refusal.SessionExists, lender.revision())
	case lender == nil:
		verdicts.Wait(index, refusal.EnrolmentNotFound)
	case lender.Institution != s.Institution:
		verdicts.Refuse(index, refusal.EnrolmentForeign, lender.Revision)
	case lender.Status != active:
		verdicts.Refuse(index, refusal.KeyRevoked, lender.Revision)
	case lender.Thumbprint != s.Thumbprint:
		verdicts.Refuse(index, refusal.KeyForeign, lender.Revision)
	default:
		verdicts.Accept()
		s.Transaction = tx.ID()
		recorded[sessionKey(s.Session)] = s
		_, err := write(tx, sessionKey(s.Session), s)
		return err
	}
	return nil
}

// equal compares two sessions apart from the transactions that recorded them.
func (s *Session) equal(other *Session) bool {
	left, right := *s, *other
	left.Transaction, right.Transaction = "", ""
	return left == right
}

func getSession(tx ledger.Tx, id string) ([]byte, error) {
	if !canonical.IsRandomID(id) {
		return nil, refusal.New(refusal.ArgumentFormat, "a session id is 16 bytes in base64url")
	}
	session, err := read[Session](tx, sessionKey(id))
	if err != nil {
		return nil, err
	}
	if session == nil {
		return nil, refusal.New(refusal.SessionNotFound, "%s", id)
	}
	return canonical.Marshal(session)
}
