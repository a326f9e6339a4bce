package identity

import (
	"encoding/json"

	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// maxDocuments is the size in bytes of the largest batch of enrolments or
// sessions.
const maxDocuments = 4_000_000

// nameLimit is the longest method, meeting or outcome.
const nameLimit = 40

// implicitVersion stands for "v":1 in the two documents whose first form has
// no version member of its own.
const implicitVersion = json.Number("1")

// parseDocuments reads a batch: a JSON array of at least one item. An item
// that is no object is left nil, for its own verdict. It refuses
// (ARGUMENT_FORMAT) anything else.
func parseDocuments(data []byte) ([]canonical.Object, error) {
	if len(data) > maxDocuments {
		return nil, refusal.New(refusal.ArgumentFormat, "%d bytes where %d are the limit", len(data), maxDocuments)
	}
	value, err := canonical.Parse(data)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	items, ok := value.([]any)
	if !ok || len(items) == 0 {
		return nil, refusal.New(refusal.ArgumentFormat, "a JSON array of at least one object is due")
	}
	objects := make([]canonical.Object, len(items))
	for i, item := range items {
		objects[i], _ = item.(canonical.Object)
	}
	return objects, nil
}

// fields reads the string members named, in that order, after checking that
// the object has them, "v":1, and nothing else.
func fields(object canonical.Object, names ...string) ([]string, error) {
	if err := object.Only(append([]string{"v"}, names...)); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	values := make([]string, len(names))
	for i, name := range names {
		value, err := object.Text(name)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

// parseEnrolment reads an item of Enrol, its certificate unverified. It
// refuses with ENROLMENT_FORMAT.
func parseEnrolment(object canonical.Object) (*Enrolment, []byte, error) {
	if _, ok := object["v"]; !ok && object != nil {
		object["v"] = implicitVersion
	}
	values, err := fields(object, "sub", "certificate", "institution", "method", "commitment")
	if err != nil {
		return nil, nil, refusal.Because(refusal.EnrolmentFormat, err)
	}
	enrolment := &Enrolment{
		Version:     1,
		Sub:         values[0],
		Certificate: values[1],
		Institution: values[2],
		Method:      values[3],
		Commitment:  values[4],
		Status:      active,
	}
	switch {
	case !canonical.IsRandomID(enrolment.Sub):
		err = refusal.New(refusal.EnrolmentFormat, "sub is not 16 bytes in base64url")
	case !authority.IsInstitution(enrolment.Institution):
		err = refusal.New(refusal.EnrolmentFormat, "institution is not the MSP of one")
	case !canonical.IsName(enrolment.Method, nameLimit):
		err = refusal.New(refusal.EnrolmentFormat, "method is not a name")
	case !canonical.IsDigest(enrolment.Commitment):
		err = refusal.New(refusal.EnrolmentFormat, "commitment is not a digest")
	}
	if err != nil {
		return nil, nil, err
	}
	der, err := canonical.FromStandardBase64(enrolment.Certificate)
	if err != nil {
		return nil, nil, refusal.Because(refusal.CertFormat, err)
	}
	enrolment.Thumbprint = thumbprint(der)
	return enrolment, der, nil
}

// outcomes that an identity check can have.
var outcomes = map[string]bool{"accept": true, "retry": true, "review": true, "reject": true}

// parseSession reads an item of RecordSessions. It refuses with SESSION_FORMAT.
func parseSession(object canonical.Object) (*Session, error) {
	act, proxied := object["act"].(string)
	if _, ok := object["act"]; ok && !proxied {
		return nil, refusal.New(refusal.SessionFormat, "act is not a string")
	}
	delete(object, "act")
	values, err := fields(object, "ses", "sub", "x5t", "institution", "mtg", "method", "outcome",
		"commitment", "issued_at", "expires_at")
	if err != nil {
		return nil, refusal.Because(refusal.SessionFormat, err)
	}
	session := &Session{
		Version:     1,
		Session:     values[0],
		Sub:         values[1],
		Thumbprint:  values[2],
		Institution: values[3],
		Meeting:     values[4],
		Method:      values[5],
		Outcome:     values[6],
		Commitment:  values[7],
		Issued:      values[8],
		Expires:     values[9],
		Act:         act,
	}
	issued, issuedErr := canonical.FromTime(session.Issued)
	expires, expiresErr := canonical.FromTime(session.Expires)
	switch {
	case !canonical.IsRandomID(session.Session), !canonical.IsRandomID(session.Sub):
		return nil, refusal.New(refusal.SessionFormat, "ses or sub is not 16 bytes in base64url")
	case proxied && (!canonical.IsRandomID(act) || act == session.Sub):
		return nil, refusal.New(refusal.SessionFormat, "act is not another's pseudonym")
	case !canonical.IsDigest(session.Thumbprint), !canonical.IsDigest(session.Commitment):
		return nil, refusal.New(refusal.SessionFormat, "x5t or commitment is not a digest")
	case !authority.IsInstitution(session.Institution):
		return nil, refusal.New(refusal.SessionFormat, "institution is not the MSP of one")
	case !canonical.IsName(session.Meeting, nameLimit), !canonical.IsName(session.Method, nameLimit):
		return nil, refusal.New(refusal.SessionFormat, "mtg or method is not a name")
	case !outcomes[session.Outcome]:
		return nil, refusal.New(refusal.SessionFormat, "outcome is not accept, retry, review or reject")
	case issuedErr != nil, expiresErr != nil, issued >= expires, issued < 0:
		return nil, refusal.New(refusal.SessionFormat, "issued_at and expires_at are not two times in that order")
	}
	return session, nil
}
