package canonical

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// ErrDuplicate is wrapped by the error of an object that names a member twice.
var ErrDuplicate = errors.New("duplicate member")

// maxDepth bounds the nesting of JSON that anybody may hand us.
const maxDepth = 16

// Object is a JSON object: members by name. Values are Object, []any, string,
// json.Number, bool or nil.
type Object map[string]any

// ParseObject reads one JSON object as strictly as Parse.
func ParseObject(data []byte) (Object, error) {
	return asObject(Parse(data))
}

// ParseTolerant reads one JSON object as ParseObject does, except that it
// takes any number and, as U+FFFD, half a surrogate pair: for a caller that
// has a more telling name for the mistake. Integer refuses such numbers, and
// neither is ever canonical.
func ParseTolerant(data []byte) (Object, error) {
	return asObject(parse(data, true))
}

func asObject(value any, err error) (Object, error) {
	if err != nil {
		return nil, err
	}
	object, ok := value.(Object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}

// Parse reads one JSON value. It refuses invalid UTF-8, half a surrogate
// pair, data after the value, nesting beyond 16, duplicate members (wrapping
// ErrDuplicate) and numbers other than integers from 0 to 2^53-1 in plain
// digits, none of which encoding/json refuses by itself.
//
// A duplicate is reported only for text that is otherwise acceptable, so that
// each mistake has one code whatever comes first in the text.
func Parse(data []byte) (any, error) { return parse(data, false) }

func parse(data []byte, tolerant bool) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	if !json.Valid(data) {
		return nil, errors.New("not JSON")
	}
	if !tolerant && hasLoneSurrogate(data) {
		return nil, errors.New("a lone surrogate")
	}
	reader := reader{decoder: json.NewDecoder(bytes.NewReader(data)), tolerant: tolerant}
	reader.decoder.UseNumber()
	value, err := reader.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := reader.decoder.Token(); err != io.EOF {
		return nil, errors.New("data after the JSON value")
	}
	return value, reader.duplicate
}

// reader builds a value from tokens and remembers the first duplicate.
type reader struct {
	decoder   *json.Decoder
	tolerant  bool
	duplicate error
}

func (r *reader) value(depth int) (any, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	delimiter, ok := token.(json.Delim)
	if !ok {
		if _, isNumber := token.(json.Number); isNumber && !r.tolerant {
			if _, err := Integer(token); err != nil {
				return nil, fmt.Errorf("a number %w", err)
			}
		}
		return token, nil
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	if delimiter == '[' {
		return r.array(depth)
	}
	return r.members(depth)
}

func (r *reader) array(depth int) (any, error) {
	items := []any{}
	for r.decoder.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := r.decoder.Token()
	return items, err
}

func (r *reader) members(depth int) (any, error) {
	object := Object{}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("member name is not a string")
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, taken := object[name]; taken && r.duplicate == nil {
			r.duplicate = fmt.Errorf("%w %q", ErrDuplicate, name)
		}
		object[name] = value
	}
	_, err := r.decoder.Token()
	return object, err
}

// hasLoneSurrogate finds an escape, in valid JSON, of half a surrogate pair,
// which encoding/json would replace in silence.
func hasLoneSurrogate(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++
		if data[i] != 'u' {
			continue
		}
		unit := escapedUnit(data[i+1:])
		i += 4
		switch {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			rest := data[i+1:]
			if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
				return true
			}
			if low := escapedUnit(rest[2:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 6
		}
	}
	return false
}

// escapedUnit reads the four hexadecimal digits after \u.
func escapedUnit(digits []byte) uint64 {
	unit, _ := strconv.ParseUint(string(digits[:4]), 16, 32) // valid JSON has four
	return unit
}

// IsCanonical says whether data, valid JSON, is byte-equal to its RFC 8785
// form.
func IsCanonical(data []byte) bool {
	form, err := jcs.Transform(data)
	return err == nil && bytes.Equal(form, data)
}

// Marshal writes a value made of structs, maps, slices, strings and integers
// in its RFC 8785 form. It fails for what JSON cannot carry.
func Marshal(value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(data)
}
