package canonical

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

const (
	maxItems = 131072 // elements of one CBOR array
	maxLevel = 8      // arrays within arrays
)

var (
	cborDecoder = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  maxLevel,
		MaxArrayElements: maxItems,
		MaxMapPairs:      16,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode())
	// Nil slices are written empty, so that null read for one is caught when
	// the value is written again.
	cborEncoder = must(cborOptions().EncMode())
)

func cborOptions() cbor.EncOptions {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty
	return options
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// ErrNotDeterministic says that bytes are not one item of deterministic CBOR.
var ErrNotDeterministic = errors.New("not deterministic CBOR (RFC 8949 §4.2.1)")

// UnmarshalCBOR decodes deterministic CBOR and nothing else: what the value
// encodes to must be the very bytes given, so no longer-than-needed integer,
// null for zero or wrong length passes.
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

// DecodeCBOR decodes without asking whether the bytes are deterministic, for
// parts of an item that CheckCBOR has passed.
func DecodeCBOR(data []byte, value any) error { return cborDecoder.Unmarshal(data, value) }

// CBOR's major types in Concordat's batches.
const (
	majorUnsigned = 0
	majorBytes    = 2
	majorText     = 3
	majorArray    = 4
)

// CheckCBOR demands that data is one item of unsigned integers, byte strings,
// UTF-8 text and arrays of definite length, each head in its shortest form,
// with nothing after it. A walk over the bytes finds that out without
// decoding them twice, as comparing with the encoder's output would.
func CheckCBOR(data []byte) error {
	rest, ok := skipCBOR(data, 0)
	if !ok || len(rest) != 0 {
		return ErrNotDeterministic
	}
	return nil
}

// skipCBOR returns what follows the first item.
func skipCBOR(data []byte, level int) (rest []byte, ok bool) {
	major, argument, rest, ok := cborHead(data)
	if !ok {
		return nil, false
	}
	switch major {
	case majorUnsigned:
		return rest, true
	case majorBytes, majorText:
		if argument > uint64(len(rest)) {
			return nil, false
		}
		text := rest[:argument]
		return rest[argument:], major == majorBytes || utf8.Valid(text)
	case majorArray:
		// Each item has at least one byte, which bounds the loop by the input.
		if argument > maxItems || argument > uint64(len(rest)) || level == maxLevel {
			return nil, false
		}
		for range argument {
			if rest, ok = skipCBOR(rest, level+1); !ok {
				return nil, false
			}
		}
		return rest, true
	}
	return nil, false
}

// cborHead reads an item's head, which must be the shortest for its argument.
func cborHead(data []byte) (major byte, argument uint64, rest []byte, ok bool) {
	if len(data) == 0 {
		return 0, 0, nil, false
	}
	major, low := data[0]>>5, data[0]&0x1f
	data = data[1:]
	if low < 24 {
		return major, uint64(low), data, true
	}
	if low > 27 {
		return 0, 0, nil, false
	}
	size := 1 << (low - 24)
	if len(data) < size {
		return 0, 0, nil, false
	}
	var wide [8]byte
	copy(wide[8-size:], data[:size])
	argument = binary.BigEndian.Uint64(wide[:])
	least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[low-24]
	return major, argument, data[size:], argument >= least
}
