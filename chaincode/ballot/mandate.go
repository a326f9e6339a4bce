package ballot

import (
	"errors"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

const (
	mandateType = "concordat-mandate+jws"
	maxMandate  = 2048
	maxNumber   = 1000
)

// Mandate is a lender's word that another may cast its ballot (Enterprise
// Bankruptcy Law, article 59).
type Mandate struct {
	MeetingHash string
	Meeting     string
	Motions     []string // in ascending order; nil for all of them
	Sub         string   // the principal
	Proxy       string
	IssuedAt    string // the sender's time
	Number      int64  // 1 to 1,000: counts the principal's mandates at the meeting; a higher one replaces
}

// SignedMandate is a mandate with its signature, which Verify checks.
type SignedMandate struct {
	Mandate
	Thumbprint   string // x5t#S256 of the principal's certificate, base64url
	Signature    []byte
	SigningInput []byte
}

// Covers says whether the proxy may answer a motion.
func (m *Mandate) Covers(motion string) bool {
	return m.Motions == nil || slices.Contains(m.Motions, motion)
}

// Digest is the mandate's name, which the proxy's ballots carry.
func (s *SignedMandate) Digest() string {
	sum := canonical.Hash("concordat/mandate/v1", s.SigningInput)
	return canonical.Base64(sum[:])
}

// Verify refuses (SIGNATURE_INVALID) a mandate that the key did not sign.
func (s *SignedMandate) Verify(point []byte) error {
	return verify(point, s.Signature, s.SigningInput)
}

// ParseMandate reads a compact JWS. It refuses with MANDATE_FORMAT over 2,048
// bytes, then with the JWS codes, then with MANDATE_FORMAT, and looks at
// everything but the signature's truth.
func ParseMandate(compact string) (*SignedMandate, error) {
	if len(compact) > maxMandate {
		return nil, refusal.New(refusal.MandateFormat, "%d bytes", len(compact))
	}
	parsed, err := parseJWS(compact, mandateType)
	if err != nil {
		return nil, err
	}
	mandate, err := parseMandate(parsed.payload)
	if err != nil {
		return nil, refusal.Because(refusal.MandateFormat, err)
	}
	return &SignedMandate{
		Mandate: *mandate, Thumbprint: parsed.thumbprint, Signature: parsed.signature, SigningInput: parsed.signingInput,
	}, nil
}

func parseMandate(payload []byte) (*Mandate, error) {
	object, err := canonical.ParseObject(payload)
	if err != nil {
		return nil, err
	}
	if !canonical.IsCanonical(payload) {
		return nil, errors.New("not in the canonical form of RFC 8785")
	}
	if err := object.Only([]string{"v", "mh", "mtg", "motions", "sub", "proxy", "iat", "no"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	mandate := &Mandate{}
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mh", &mandate.MeetingHash},
		{"mtg", &mandate.Meeting},
		{"sub", &mandate.Sub},
		{"proxy", &mandate.Proxy},
		{"iat", &mandate.IssuedAt},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return nil, err
		}
	}
	if mandate.Number, err = object.Integer("no"); err != nil {
		return nil, err
	}
	if object["motions"] != "*" {
		if mandate.Motions, err = object.Texts("motions"); err != nil {
			return nil, err
		}
		if err := checkMotions(mandate.Motions); err != nil {
			return nil, err
		}
	}
	return mandate, mandate.check()
}

func checkMotions(motions []string) error {
	if len(motions) < 1 || len(motions) > meeting.MaxMotions {
		return errors.New("motions is neither * nor 1 to 20 of them")
	}
	for i, motion := range motions {
		if !canonical.IsName(motion, meeting.MotionLimit) || i > 0 && motion <= motions[i-1] {
			return errors.New("a motion is malformed or out of order")
		}
	}
	return nil
}

func (m *Mandate) check() error {
	_, err := canonical.FromTime(m.IssuedAt)
	switch {
	case err != nil:
		return err
	case !canonical.IsDigest(m.MeetingHash), !canonical.IsName(m.Meeting, 40):
		return errors.New("mh or mtg is malformed")
	case !canonical.IsRandomID(m.Sub), !canonical.IsRandomID(m.Proxy), m.Sub == m.Proxy:
		return errors.New("sub and proxy are not two pseudonyms")
	case m.Number < 1, m.Number > maxNumber:
		return errors.New("no is not between 1 and 1000")
	}
	return nil
}
