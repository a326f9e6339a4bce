package canonical_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"concordat/chaincode/canonical"
)

// TestCursorReadsWhatTheLibraryWrites writes values with the library and with
// the appenders, which agree, and reads them back.
func TestCursorReadsWhatTheLibraryWrites(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		numbers := rapid.SliceOf(rapid.Uint64()).Draw(r, "numbers")
		blob := rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")
		text := rapid.String().Draw(r, "text")
		number := rapid.Uint64().Draw(r, "number")
		want, err := canonical.MarshalCBOR([]any{number, blob, numbers, text})
		if err != nil {
			r.Fatal(err)
		}
		got := canonical.AppendBytes(canonical.AppendUint(canonical.AppendArray(nil, 4), number), blob)
		got = canonical.AppendArray(got, len(numbers))
		for _, item := range numbers {
			got = canonical.AppendUint(got, item)
		}
		if !bytes.HasPrefix(want, got) {
			r.Fatalf("%x, the library has %x", got, want)
		}
		cursor := canonical.NewCursor(want)
		if cursor.Array() != 4 || cursor.Uint() != number || !bytes.Equal(cursor.Bytes(), blob) || !cursor.AtArray() {
			r.Fatal("the first members")
		}
		read := cursor.Uints()
		if len(read) != len(numbers) || cursor.AtArray() || cursor.Text() != text || !cursor.Done() {
			r.Fatal("the last members")
		}
		for i, item := range numbers {
			if read[i] != item {
				r.Fatalf("number %d is %d, want %d", i, read[i], item)
			}
		}
	})
}

// TestCursorFailsForGood reads what is not there; nothing after it helps.
func TestCursorFailsForGood(t *testing.T) {
	for name, test := range map[string]struct {
		data string
		read func(*canonical.Cursor)
	}{
		"nothing":                   {"", func(c *canonical.Cursor) { c.Uint() }},
		"another kind":              {"\x41a", func(c *canonical.Cursor) { c.Uint() }},
		"a head longer than due":    {"\x18\x01", func(c *canonical.Cursor) { c.Uint() }},
		"a string cut short":        {"\x42a", func(c *canonical.Cursor) { c.Bytes() }},
		"another size":              {"\x42ab", func(c *canonical.Cursor) { c.Sized(3) }},
		"a text that is not UTF-8":  {"\x61\xff", func(c *canonical.Cursor) { c.Text() }},
		"more items than bytes":     {"\x9a\xff\xff\xff\xff\x00", func(c *canonical.Cursor) { c.Array() }},
		"an indefinite length":      {"\x9f\x00\xff", func(c *canonical.Cursor) { c.Array() }},
		"a byte left over":          {"\x00\x00", func(c *canonical.Cursor) { c.Uint() }},
		"a value that is not taken": {"\x00", func(c *canonical.Cursor) { c.Uint(); c.Fail() }},
	} {
		cursor := canonical.NewCursor([]byte(test.data))
		if test.read(cursor); cursor.Done() {
			t.Errorf("%s: read", name)
		}
		if cursor.Fail(); cursor.Uint() != 0 || cursor.Bytes() != nil || cursor.Array() != 0 || cursor.Done() {
			t.Errorf("%s: it reads on", name)
		}
	}
}
