package ballot

import (
	"errors"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

const revocationType = "concordat-revocation+jws"

// Revocation is a lender's word that a mandate of its own ends.
type Revocation struct {
	MeetingHash string
	Meeting     string
	Sub         string // the principal
	Mandate     string // the digest of the mandate
	IssuedAt    string // the sender's time
}

// SignedRevocation is a revocation with its signature, which Verify checks.
type SignedRevocation struct {
	Revocation
	Thumbprint   string // x5t#S256 of the principal's certificate, base64url
	Signature    []byte
	SigningInput []byte
}

// Verify refuses (SIGNATURE_INVALID) a revocation that the key did not sign.
func (s *SignedRevocation) Verify(point []byte) error {
	return verify(point, s.Signature, s.SigningInput)
}

// ParseRevocation reads a compact JWS. It refuses as ParseMandate does.
func ParseRevocation(compact string) (*SignedRevocation, error) {
	if len(compact) > maxMandate {
		return nil, refusal.New(refusal.MandateFormat, "%d bytes", len(compact))
	}
	parsed, err := parseJWS(compact, revocationType)
	if err != nil {
		return nil, err
	}
	revocation, err := parseRevocation(parsed.payload)
	if err != nil {
		return nil, refusal.Because(refusal.MandateFormat, err)
	}
	return &SignedRevocation{
		Revocation: *revocation, Thumbprint: parsed.thumbprint, Signature: parsed.signature,
		SigningInput: parsed.signingInput,
	}, nil
}

func parseRevocation(payload []byte) (*Revocation, error) {
	object, err := canonical.ParseObject(payload)
	if err != nil {
		return nil, err
	}
	if !canonical.IsCanonical(payload) {
		return nil, errors.New("not in the canonical form of RFC 8785")
	}
	if err := object.Only([]string{"v", "mh", "mtg", "sub", "mandate", "iat"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	r := &Revocation{}
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mh", &r.MeetingHash},
		{"mtg", &r.Meeting},
		{"sub", &r.Sub},
		{"mandate", &r.Mandate},
		{"iat", &r.IssuedAt},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return nil, err
		}
	}
	if _, err := canonical.FromTime(r.IssuedAt); err != nil {
		return nil, err
	}
	if !canonical.IsDigest(r.MeetingHash) || !canonical.IsName(r.Meeting, 40) ||
		!canonical.IsRandomID(r.Sub) || !canonical.IsDigest(r.Mandate) {
		return nil, errors.New("mh, mtg, sub or mandate is malformed")
	}
	return r, nil
}
