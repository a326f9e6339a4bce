package canonical

import (
	"bytes"
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// maxItems bounds the elements of one CBOR array.
const maxItems = 131072

var (
	cborDecoder = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  8,
		MaxArrayElements: maxItems,
		MaxMapPairs:      16,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode())
	cborEncoder = must(cbor.CoreDetEncOptions().EncMode())
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// ErrNotDeterministic says that CBOR decodes but is not in the deterministic
// form.
var ErrNotDeterministic = errors.New("not deterministic CBOR (RFC 8949 §4.2.1)")

// UnmarshalCBOR decodes deterministic CBOR of definite lengths and nothing
// else: what the value encodes to must be the very bytes given, so no
// longer-than-needed integer, null for zero or wrong length passes.
func UnmarshalCBOR(data []byte, value any) error {
	if err := cborDecoder.Unmarshal(data, value); err != nil {
		return err
	}
	form, err := cborEncoder.Marshal(value)
	if err != nil {
		return err
	}
	if !bytes.Equal(form, data) {
		return ErrNotDeterministic
	}
	return nil
}

// MarshalCBOR encodes deterministically.
func MarshalCBOR(value any) ([]byte, error) { return cborEncoder.Marshal(value) }
