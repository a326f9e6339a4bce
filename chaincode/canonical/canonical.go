// Package canonical has the encodings that everything in Concordat shares:
// tagged hashes, unpadded base64url, RFC 3339 seconds, identifiers, and
// RFC 8785 canonical JSON read without any leniency.
//
// All functions are pure.
package canonical

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"
)

// MaxInteger is the largest integer that a Concordat JSON object carries
// (2^53-1, the largest that every JSON implementation keeps exact).
const MaxInteger = 1<<53 - 1

// latest is 9999-12-31T23:59:59Z, the last second that the time format holds.
const latest = 253402300799

var rawURL = base64.RawURLEncoding.Strict()

// Hash is SHA-256 over an ASCII tag followed by the data; the tag separates
// the domains.
func Hash(tag string, data []byte) [32]byte {
	hash := sha256.New()
	hash.Write([]byte(tag))
	hash.Write(data)
	var sum [32]byte
	hash.Sum(sum[:0])
	return sum
}

// Base64 is base64url without padding.
func Base64(data []byte) string { return rawURL.EncodeToString(data) }

// AppendBase64 appends Base64(data) to text.
func AppendBase64(text, data []byte) []byte { return rawURL.AppendEncode(text, data) }

// FromBase64 decodes unpadded base64url whose unused trailing bits are zero,
// and nothing else: no line breaks, no padding.
func FromBase64(text string) ([]byte, error) {
	for i := range len(text) {
		if text[i] == '\r' || text[i] == '\n' { // encoding/base64 skips these
			return nil, fmt.Errorf("line break in base64url at %d", i)
		}
	}
	return rawURL.DecodeString(text)
}

// FromBase64Sized decodes as FromBase64 does and demands size bytes.
func FromBase64Sized(text string, size int) ([]byte, error) {
	data, err := FromBase64(text)
	if err != nil {
		return nil, err
	}
	if len(data) != size {
		return nil, fmt.Errorf("%d bytes where %d are due", len(data), size)
	}
	return data, nil
}

// FromStandardBase64 decodes padded standard base64 strictly.
func FromStandardBase64(text string) ([]byte, error) {
	for i := range len(text) {
		if text[i] == '\r' || text[i] == '\n' {
			return nil, fmt.Errorf("line break in base64 at %d", i)
		}
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

// IsHex256 says whether text is 32 bytes in lower-case hexadecimal.
func IsHex256(text string) bool {
	if len(text) != 64 {
		return false
	}
	data, err := hex.DecodeString(text)
	return err == nil && hex.EncodeToString(data) == text
}

// IsRandomID says whether text is 16 bytes in base64url: a pseudonym or a
// session id.
func IsRandomID(text string) bool {
	_, err := FromBase64Sized(text, 16)
	return err == nil
}

// IsDigest says whether text is 32 bytes in base64url.
func IsDigest(text string) bool {
	_, err := FromBase64Sized(text, 32)
	return err == nil
}

// IsName says whether text is 1 to limit characters of [a-z0-9-].
func IsName(text string, limit int) bool {
	if len(text) == 0 || len(text) > limit {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// FromTime reads "YYYY-MM-DDTHH:MM:SSZ" and no other form, as Unix
// seconds; times before 1970 are refused.
func FromTime(text string) (int64, error) {
	const layout = "2006-01-02T15:04:05Z"
	moment, err := time.Parse(layout, text)
	if err != nil || moment.Format(layout) != text || moment.Unix() < 0 {
		return 0, fmt.Errorf("%q is not a time of the form YYYY-MM-DDTHH:MM:SSZ", text)
	}
	return moment.Unix(), nil
}

// Time writes Unix seconds as "YYYY-MM-DDTHH:MM:SSZ"; it fails for seconds
// before 1970 or after 9999.
func Time(seconds uint64) (string, error) {
	if seconds > latest {
		return "", fmt.Errorf("%d seconds are beyond the year 9999", seconds)
	}
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02T15:04:05Z"), nil
}
