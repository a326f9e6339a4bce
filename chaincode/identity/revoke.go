package identity

import (
	"unicode/utf8"

	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/refusal"
)

// reasonLimit is the longest reason for a revocation, in bytes.
const reasonLimit = 500

// revoke ends an enrolment's validity. Its institution or the Regulator may;
// the pseudonym can enrol again with another certificate.
func revoke(tx ledger.Tx, caller authority.Caller, document []byte) ([]byte, error) {
	sub, reason, err := parseRevocation(document)
	if err != nil {
		return nil, err
	}
	enrolment, err := findEnrolment(tx, sub)
	if err != nil {
		return nil, err
	}
	if caller.MSP != authority.Regulator {
		if err := authority.CheckSame(caller, enrolment.Institution); err != nil {
			return nil, err
		}
	}
	if enrolment.Status == revoked {
		return nil, refusal.New(refusal.KeyRevoked, "%s", enrolment.Reason)
	}
	enrolment.Status = revoked
	enrolment.Reason = reason
	// Each change has a revision of its own, so that a verdict that names a
	// revision says what it relied on.
	enrolment.Revision++
	enrolment.Transaction = tx.ID()
	return write(tx, enrolmentKey(sub), enrolment)
}

func parseRevocation(document []byte) (sub, reason string, err error) {
	object, err := canonical.ParseObject(document)
	if err != nil {
		return "", "", refusal.Because(refusal.RevokeFormat, err)
	}
	if _, ok := object["v"]; !ok {
		object["v"] = implicitVersion
	}
	values, err := fields(object, "sub", "reason")
	if err != nil {
		return "", "", refusal.Because(refusal.RevokeFormat, err)
	}
	sub, reason = values[0], values[1]
	if !canonical.IsRandomID(sub) || reason == "" || len(reason) > reasonLimit || !utf8.ValidString(reason) {
		return "", "", refusal.New(refusal.RevokeFormat, "sub is a pseudonym, reason has 1 to %d bytes", reasonLimit)
	}
	return sub, reason, nil
}

func findEnrolment(tx ledger.Tx, sub string) (*Enrolment, error) {
	if !canonical.IsRandomID(sub) {
		return nil, refusal.New(refusal.ArgumentFormat, "a pseudonym is 16 bytes in base64url")
	}
	enrolment, err := read[Enrolment](tx, enrolmentKey(sub))
	if err != nil {
		return nil, err
	}
	if enrolment == nil {
		return nil, refusal.New(refusal.EnrolmentNotFound, "%s", sub)
	}
	return enrolment, nil
}

func getEnrolment(tx ledger.Tx, sub string) ([]byte, error) {
	enrolment, err := findEnrolment(tx, sub)
	if err != nil {
		return nil, err
	}
	return canonical.Marshal(enrolment)
}
