package canonical

import (
	"encoding/binary"
	"unicode/utf8"
)

// Cursor reads the parts of CBOR one after the other, where the shape is
// known and a decoder by reflection would cost more than the reading. Heads
// must be the shortest. A part that is not of the kind asked for makes it
// fail; from then on it reads zeros, and Done is false.
type Cursor struct {
	rest   []byte
	failed bool
}

// NewCursor starts at the first byte.
func NewCursor(data []byte) *Cursor { return &Cursor{rest: data} }

func (c *Cursor) head(wanted byte) uint64 {
	major, argument, rest, ok := cborHead(c.rest)
	if c.failed || !ok || major != wanted {
		c.failed = true
		return 0
	}
	c.rest = rest
	return argument
}

// Uint reads an unsigned integer.
func (c *Cursor) Uint() uint64 { return c.head(majorUnsigned) }

func (c *Cursor) text(major byte) []byte {
	length := c.head(major)
	if c.failed || length > uint64(len(c.rest)) {
		c.failed = true
		return nil
	}
	text := c.rest[:length:length]
	c.rest = c.rest[length:]
	return text
}

// Bytes reads a byte string.
func (c *Cursor) Bytes() []byte { return c.text(majorBytes) }

// Sized reads a byte string of a size.
func (c *Cursor) Sized(size int) []byte {
	text := c.Bytes()
	if len(text) != size {
		c.failed = true
		return nil
	}
	return text
}

// Text reads a text string.
func (c *Cursor) Text() string {
	text := c.text(majorText)
	if !utf8.Valid(text) {
		c.failed = true
		return ""
	}
	return string(text)
}

// Array reads an array's head; its items follow, as many as are returned.
func (c *Cursor) Array() int {
	length := c.head(majorArray)
	if length > uint64(len(c.rest)) { // each item has at least one byte
		c.failed = true
		return 0
	}
	return int(length)
}

// Uints reads an array of unsigned integers.
func (c *Cursor) Uints() []uint64 {
	numbers := make([]uint64, c.Array())
	for i := range numbers {
		numbers[i] = c.Uint()
	}
	return numbers
}

// AtArray says whether an array comes next.
func (c *Cursor) AtArray() bool { return len(c.rest) > 0 && c.rest[0]>>5 == majorArray }

// Fail makes it fail, for a value that its reader does not take.
func (c *Cursor) Fail() { c.failed = true }

// Done says whether all was read and nothing failed.
func (c *Cursor) Done() bool { return !c.failed && len(c.rest) == 0 }

// AppendUint appends an unsigned integer in CBOR.
func AppendUint(data []byte, number uint64) []byte { return appendHead(data, majorUnsigned, number) }

// AppendBytes appends a byte string in CBOR.
func AppendBytes(data, text []byte) []byte {
	return append(appendHead(data, majorBytes, uint64(len(text))), text...)
}

// AppendArray appends the head of an array in CBOR.
func AppendArray(data []byte, items int) []byte { return appendHead(data, majorArray, uint64(items)) }

// appendHead writes a head in its shortest form.
func appendHead(data []byte, major byte, argument uint64) []byte {
	major <<= 5
	switch {
	case argument < 24:
		return append(data, major|byte(argument))
	case argument < 1<<8:
		return append(data, major|24, byte(argument))
	case argument < 1<<16:
		return binary.BigEndian.AppendUint16(append(data, major|25), uint16(argument))
	case argument < 1<<32:
		return binary.BigEndian.AppendUint32(append(data, major|26), uint32(argument))
	}
	return binary.BigEndian.AppendUint64(append(data, major|27), argument)
}
