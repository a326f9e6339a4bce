package ballot

import (
	"errors"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

const (
	objectionType = "concordat-objection+jws"
	maxObjection  = 2048
)

// Grounds are the words for what is objected to. What there is to say about it
// is in the evidence, which no chain holds.
var Grounds = []string{"left-out", "claim", "notice", "not-my-ballot", "not-counted", "count", "procedure"}

// Objection is a lender's word that something about a meeting is wrong.
type Objection struct {
	MeetingHash string
	Meeting     string
	Sub         string
	ID          string // made by the lender
	IssuedAt    string // the sender's time
	Ground      string
	Evidence    string // a salted commitment
}

// SignedObjection is an objection with its signature, which Verify checks.
type SignedObjection struct {
	Objection
	Thumbprint   string // x5t#S256 of the lender's certificate, base64url
	Signature    []byte
	SigningInput []byte
}

// Digest tells the objection from another under the same id.
func (s *SignedObjection) Digest() string {
	sum := canonical.Hash("concordat/objection/v1", s.SigningInput)
	return canonical.Base64(sum[:])
}

// Verify refuses (SIGNATURE_INVALID) an objection that the key did not sign.
func (s *SignedObjection) Verify(point []byte) error {
	return verify(point, s.Signature, s.SigningInput)
}

// ParseObjection reads a compact JWS. It refuses with OBJECTION_FORMAT over
// 2,048 bytes, then with the JWS codes, then with OBJECTION_FORMAT, and looks
// at everything but the signature's truth.
func ParseObjection(compact string) (*SignedObjection, error) {
	if len(compact) > maxObjection {
		return nil, refusal.New(refusal.ObjectionFormat, "%d bytes", len(compact))
	}
	parsed, err := parseJWS(compact, objectionType)
	if err != nil {
		return nil, err
	}
	objection, err := parseObjection(parsed.payload)
	if err != nil {
		return nil, refusal.Because(refusal.ObjectionFormat, err)
	}
	return &SignedObjection{
		Objection: *objection, Thumbprint: parsed.thumbprint, Signature: parsed.signature,
		SigningInput: parsed.signingInput,
	}, nil
}

func parseObjection(payload []byte) (*Objection, error) {
	object, err := canonical.ParseObject(payload)
	if err != nil {
		return nil, err
	}
	if !canonical.IsCanonical(payload) {
		return nil, errors.New("not in the canonical form of RFC 8785")
	}
	if err := object.Only([]string{"v", "mh", "mtg", "sub", "obj", "iat", "ground", "evidence"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	o := &Objection{}
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mh", &o.MeetingHash},
		{"mtg", &o.Meeting},
		{"sub", &o.Sub},
		{"obj", &o.ID},
		{"iat", &o.IssuedAt},
		{"ground", &o.Ground},
		{"evidence", &o.Evidence},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return nil, err
		}
	}
	return o, o.check()
}

func (o *Objection) check() error {
	_, err := canonical.FromTime(o.IssuedAt)
	switch {
	case err != nil:
		return err
	case !canonical.IsDigest(o.MeetingHash), !canonical.IsName(o.Meeting, 40):
		return errors.New("mh or mtg is malformed")
	case !canonical.IsRandomID(o.Sub), !canonical.IsRandomID(o.ID):
		return errors.New("sub or obj is malformed")
	case !slices.Contains(Grounds, o.Ground):
		return errors.New("ground is not one of the words for it")
	case !canonical.IsDigest(o.Evidence):
		return errors.New("evidence is no commitment")
	}
	return nil
}
