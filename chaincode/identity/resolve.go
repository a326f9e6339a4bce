package identity

import (
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"

	"concordat/chaincode/canonical"
	"concordat/chaincode/directory"
	"concordat/chaincode/ledger"
	"concordat/chaincode/parallel"
	"concordat/chaincode/refusal"
)

// resolve answers for each voter and session what identity holds. It reads
// all records at once and parses them side by side.
func resolve(tx ledger.Tx, data []byte) ([]byte, error) {
	questions, err := directory.DecodeQuestions(data)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	keys := make([]string, 0, 2*len(questions))
	for _, question := range questions {
		keys = append(keys,
			enrolmentKey(canonical.Base64(question.Sub)),
			sessionKey(canonical.Base64(question.Session)))
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return nil, err
	}
	answers := make([]directory.Answer, len(questions))
	failures := make([]error, len(questions))
	parallel.Each(len(questions), func(i int) {
		answers[i].Enrolment, failures[i] = enrolmentAnswer(values[2*i])
		if failures[i] == nil {
			answers[i].Session, failures[i] = sessionAnswer(values[2*i+1])
		}
	})
	for _, failure := range failures {
		if failure != nil {
			return nil, failure
		}
	}
	return directory.EncodeAnswers(answers)
}

func enrolmentAnswer(value []byte) (*directory.Enrolment, error) {
	enrolment, err := decode[Enrolment](value)
	if enrolment == nil || err != nil {
		return nil, err
	}
	der, err := canonical.FromStandardBase64(enrolment.Certificate)
	if err != nil {
		return nil, fmt.Errorf("stored certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("stored certificate: %w", err)
	}
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("stored certificate of %s has no ECDSA key", enrolment.Sub)
	}
	point, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("stored certificate: %w", err)
	}
	thumbprint, err := canonical.FromBase64Sized(enrolment.Thumbprint, 32)
	if err != nil {
		return nil, fmt.Errorf("stored thumbprint: %w", err)
	}
	return &directory.Enrolment{
		Revision:    enrolment.Revision,
		Active:      enrolment.Status == active,
		Institution: enrolment.Institution,
		Thumbprint:  thumbprint,
		Point:       point,
	}, nil
}

func sessionAnswer(value []byte) (*directory.Session, error) {
	session, err := decode[Session](value)
	if session == nil || err != nil {
		return nil, err
	}
	expires, err := canonical.FromTime(session.Expires)
	if err != nil {
		return nil, fmt.Errorf("stored session: %w", err)
	}
	return &directory.Session{
		Sub:         session.Sub,
		Act:         session.Act,
		Thumbprint:  session.Thumbprint,
		Institution: session.Institution,
		Meeting:     session.Meeting,
		Method:      session.Method,
		Outcome:     session.Outcome,
		Expires:     uint64(expires),
	}, nil
}
