package canonical_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"concordat/chaincode/canonical"
)

func TestBase64HasOneForm(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(r, "data")
		back, err := canonical.FromBase64(canonical.Base64(data))
		if err != nil || string(back) != string(data) {
			r.Errorf("%x comes back as %x, %v", data, back, err)
		}
	})
	for _, wrong := range []string{"A", "AB==", "AB\n", "A\rB", "AB", "A+BC", "A/BC", "AAB", " AAA", "AA=="} {
		if data, err := canonical.FromBase64(wrong); err == nil {
			t.Errorf("%q decodes to %x", wrong, data)
		}
	}
	if _, err := canonical.FromStandardBase64("AAAA\n"); err == nil {
		t.Error("a line break passes in standard base64")
	}
}

func TestTimeHasOneForm(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seconds := rapid.Uint64Range(0, 253402300799).Draw(r, "seconds")
		text, err := canonical.Time(seconds)
		if err != nil {
			r.Fatal(err)
		}
		back, err := canonical.FromTime(text)
		if err != nil || uint64(back) != seconds {
			r.Errorf("%d is %s is %d, %v", seconds, text, back, err)
		}
	})
	for _, wrong := range []string{
		"", "2026-03-03", "2026-03-03T08:30:00", "2026-03-03T08:30:00z", "2026-03-03t08:30:00Z", "2026-03-03T08:30:00.0Z",
		"2026-03-03T08:30:00+00:00", "2026-02-29T08:30:00Z", "2026-03-03T24:00:00Z", "2026-03-03T08:60:00Z",
		"2026-03-03T08:30:60Z", "1969-12-31T23:59:59Z", "02026-03-03T08:30:00Z", "2026-3-03T08:30:00Z", "２026-03-03T08:30:00Z",
	} {
		if seconds, err := canonical.FromTime(wrong); err == nil {
			t.Errorf("%q is taken for %d", wrong, seconds)
		}
	}
	if text, err := canonical.Time(253402300800); err == nil {
		t.Errorf("the year 10000 is written %s", text)
	}
}

func TestParseRefusesWhatHasTwoMeanings(t *testing.T) {
	for _, wrong := range []string{
		``, `{`, `{}x`, `{} {}`, "\ufeff{}", "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":1.0}`, `{"a":1e2}`, `{"a":-1}`, `{"a":-0}`,
		`{"a":9007199254740992}`, `{"a":123456789012345678901234567890}`, `{"a":NaN}`, `{"a":"\ud800"}`, `{"a":"\udc00"}`,
		`{"a":"\ud800\u0041"}`, `{"a":"\ud800x"}`, `{"\ud83d":1}`, `{"a":"` + "\x01" + `"}`,
		strings.Repeat("[", 17) + strings.Repeat("]", 17),
	} {
		if value, err := canonical.Parse([]byte(wrong)); err == nil {
			t.Errorf("%q is taken for %v", wrong, value)
		}
	}
	for _, right := range []string{
		`{}`, ` {"a" : [1, "x", null, true]} `, `{"a":9007199254740991}`, `{"a":"\ud83d\ude00"}`, `{"a":"\\ud800"}`,
		strings.Repeat("[", 16) + strings.Repeat("]", 16),
	} {
		if _, err := canonical.Parse([]byte(right)); err != nil {
			t.Errorf("%q: %v", right, err)
		}
	}
	for _, duplicate := range []string{`{"a":1,"a":1}`, `{"b":{"a":1,"\u0061":2}}`, `{"b":[{"":1,"":2}]}`} {
		if _, err := canonical.Parse([]byte(duplicate)); !errors.Is(err, canonical.ErrDuplicate) {
			t.Errorf("%s: %v", duplicate, err)
		}
	}
	if _, err := canonical.Parse([]byte(`{"a":1,"a":1.5}`)); err == nil || errors.Is(err, canonical.ErrDuplicate) {
		t.Errorf("a duplicate is told before a bad number: %v", err)
	}
}

func TestMarshalIsCanonical(t *testing.T) {
	got, err := canonical.Marshal(map[string]any{"\u20ac": 1, "\r": "<&>\u2028", "1": []int{3, -2}, "\U0001F600": 9007199254740991})
	if err != nil {
		t.Fatal(err)
	}
	want := "{\"\\r\":\"<&>\u2028\",\"1\":[3,-2],\"\u20ac\":1,\"\U0001F600\":9007199254740991}"
	if string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if canonical.IsCanonical([]byte(`{"b":1,"a":2}`)) || !canonical.IsCanonical([]byte(`{"a":2,"b":1}`)) {
		t.Error("order of members")
	}
}

// TestCheckCBORAgreesWithTheLibrary holds the walk over the bytes to decoding
// and encoding again.
func TestCheckCBORAgreesWithTheLibrary(t *testing.T) {
	value := rapid.Custom(func(r *rapid.T) any { return drawCBOR(r, 4) })
	rapid.Check(t, func(r *rapid.T) {
		data, err := canonical.MarshalCBOR(value.Draw(r, "value"))
		if err != nil {
			r.Fatal(err)
		}
		if err := canonical.CheckCBOR(data); err != nil {
			r.Errorf("%x: %v", data, err)
		}
		if len(data) > 0 {
			position := rapid.IntRange(0, len(data)-1).Draw(r, "position")
			data[position] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
			var decoded any
			strict := canonical.UnmarshalCBOR(data, &decoded) == nil && plainCBOR(decoded)
			if walked := canonical.CheckCBOR(data) == nil; walked != strict {
				r.Errorf("%x: walk says %v, library %v", data, walked, strict)
			}
		}
	})
}

func drawCBOR(r *rapid.T, depth int) any {
	kinds := 3
	if depth == 0 {
		kinds = 2
	}
	switch rapid.IntRange(0, kinds).Draw(r, "kind") {
	case 0:
		return rapid.Uint64().Draw(r, "unsigned")
	case 1:
		return rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")
	case 2:
		return rapid.String().Draw(r, "text")
	}
	items := make([]any, rapid.IntRange(0, 30).Draw(r, "items"))
	for i := range items {
		items[i] = drawCBOR(r, depth-1)
	}
	return items
}

// plainCBOR says whether a value has only the kinds of a batch.
func plainCBOR(value any) bool {
	switch value := value.(type) {
	case uint64, []byte, string:
		return true
	case []any:
		for _, item := range value {
			if !plainCBOR(item) {
				return false
			}
		}
		return true
	}
	return false
}

// FuzzParse compares the strict reader with encoding/json: what it takes, the
// other takes too.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"\u20ac"}]}`))
	f.Add([]byte(`{"a":"\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := canonical.Parse(data); err == nil && !json.Valid(data) {
			t.Errorf("%q is taken and no JSON", data)
		}
	})
}
