// Package ballot reads ballots: the JWS that a lender signed, the roll leaf
// and proof that go with it, and the batch that a relay submits. It is pure.
//
// JWS is done here on the standard library and not by a JOSE library. A
// ballot is one exact form: a fixed header byte for byte, a payload that is
// its own canonical JSON, ES256 as 64 bytes. JOSE libraries read more than
// that (member order, whitespace, crit, b64, keys in the header), normalise
// what they read, and say less about what was wrong; and a compact batch entry
// carries no JWS at all, only the values from which the signing input is
// rebuilt. What is left for a library is the curve, which crypto/ecdsa has.
package ballot

import (
	"errors"
	"strings"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// SignatureSize is the size of an ES256 signature: r and s, 32 bytes each.
const SignatureSize = 64

const (
	headerStart  = `{"alg":"ES256","typ":"` + ballotType + headerMiddle
	headerMiddle = `","x5t#S256":"`
	headerEnd    = `"}`
	ballotType   = "concordat-ballot+jws"
)

// jws is a compact JWS of the prescribed form, its signature unverified.
type jws struct {
	thumbprint   string // x5t#S256, base64url
	payload      []byte
	signature    []byte
	signingInput []byte
}

// parseJWS reads a compact JWS of a type. The checks and their order are those of the
// registry, from JWS_FORMAT to SIGNATURE_FORM.
func parseJWS(compact, typ string) (*jws, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, refusal.New(refusal.JWSFormat, "%d parts", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		data, err := canonical.FromBase64(part)
		if err != nil {
			return nil, refusal.Because(refusal.JWSFormat, err)
		}
		decoded[i] = data
	}
	thumbprint, err := parseHeader(decoded[0], typ)
	if err != nil {
		return nil, err
	}
	if len(decoded[2]) != SignatureSize {
		return nil, refusal.New(refusal.SignatureForm, "%d bytes", len(decoded[2]))
	}
	return &jws{
		thumbprint:   thumbprint,
		payload:      decoded[1],
		signature:    decoded[2],
		signingInput: []byte(compact[:len(parts[0])+1+len(parts[1])]),
	}, nil
}

func parseHeader(data []byte, typ string) (thumbprint string, err error) {
	header, err := canonical.ParseTolerant(data)
	if errors.Is(err, canonical.ErrDuplicate) {
		return "", refusal.Because(refusal.JWSDuplicateMember, err)
	}
	if err != nil {
		return "", refusal.Because(refusal.JWSHeaderJSON, err)
	}
	for _, forbidden := range []struct {
		member string
		code   refusal.Code
	}{
		{"crit", refusal.JWSCrit},
		{"jwk", refusal.JWSJWK},
		{"jku", refusal.JWSJKU},
		{"b64", refusal.JWSB64},
	} {
		if _, ok := header[forbidden.member]; ok {
			return "", refusal.New(forbidden.code, "")
		}
	}
	algorithm, _ := header["alg"].(string)
	if strings.EqualFold(algorithm, "none") {
		return "", refusal.New(refusal.JWSAlgNone, "")
	}
	if algorithm != "ES256" {
		return "", refusal.New(refusal.JWSAlg, "")
	}
	if header["typ"] != typ {
		return "", refusal.New(refusal.JWSTyp, "not %s", typ)
	}
	thumbprint, _ = header["x5t#S256"].(string)
	if len(header) != 3 || !canonical.IsDigest(thumbprint) {
		return "", refusal.New(refusal.JWSHeaderMember, "")
	}
	if string(data) != `{"alg":"ES256","typ":"`+typ+headerMiddle+thumbprint+headerEnd {
		return "", refusal.New(refusal.JWSHeaderForm, "")
	}
	return thumbprint, nil
}

// signingInput is what a lender signs: header and payload in base64url with a
// dot between (RFC 7515 section 5.1).
func signingInput(thumbprint string, payload []byte) []byte {
	header := headerStart + thumbprint + headerEnd
	input := make([]byte, 0, (len(header)+len(payload))*4/3+8)
	input = canonical.AppendBase64(input, []byte(header))
	input = append(input, '.')
	return canonical.AppendBase64(input, payload)
}
