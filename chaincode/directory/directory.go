// Package directory is the question that arbitration asks identity about the
// voters of a batch, and the answer: deterministic CBOR on both ways.
//
// The answer carries what a ballot is checked against and not the
// certificate, whose chain identity verified when it enrolled the lender.
package directory

import (
	"fmt"

	"concordat/chaincode/canonical"
)

// Question names a voter and the session that its ballot claims.
type Question struct {
	_       struct{} `cbor:",toarray"`
	Sub     []byte   // 16 bytes
	Session []byte   // 16 bytes
}

// Enrolment is what identity holds about a voter.
type Enrolment struct {
	_           struct{} `cbor:",toarray"`
	Revision    uint64   // rises with every change, from 1
	Active      bool     // false once revoked
	Institution string   // MSP whose lender CA issued the certificate
	Thumbprint  []byte   // SHA-256 of the certificate's DER
	Point       []byte   // the P-256 public key, SEC 1 uncompressed
}

// Session is what identity holds about a passed identity check.
type Session struct {
	_           struct{} `cbor:",toarray"`
	Sub         string
	Thumbprint  string
	Institution string
	Meeting     string
	Method      string
	Outcome     string
	Expires     uint64 // Unix seconds
	Act         string // for whom a proxy's ballot will be cast, or ""
}

// Answer to one question; a nil part is a record that identity does not have.
type Answer struct {
	_         struct{} `cbor:",toarray"`
	Enrolment *Enrolment
	Session   *Session
}

// EncodeQuestions makes the argument of Resolve.
func EncodeQuestions(questions []Question) ([]byte, error) {
	return canonical.MarshalCBOR(questions)
}

// DecodeQuestions reads the argument of Resolve.
func DecodeQuestions(data []byte) ([]Question, error) {
	var questions []Question
	if err := canonical.UnmarshalCBOR(data, &questions); err != nil {
		return nil, err
	}
	for i, question := range questions {
		if len(question.Sub) != 16 || len(question.Session) != 16 {
			return nil, fmt.Errorf("question %d: pseudonym and session id have 16 bytes each", i)
		}
	}
	return questions, nil
}

// EncodeAnswers makes the response of Resolve, in the order of the questions.
func EncodeAnswers(answers []Answer) ([]byte, error) {
	return canonical.MarshalCBOR(answers)
}

// DecodeAnswers reads the response to a number of questions.
func DecodeAnswers(data []byte, questions int) ([]Answer, error) {
	var answers []Answer
	if err := canonical.UnmarshalCBOR(data, &answers); err != nil {
		return nil, err
	}
	if len(answers) != questions {
		return nil, fmt.Errorf("%d answers to %d questions", len(answers), questions)
	}
	return answers, nil
}
