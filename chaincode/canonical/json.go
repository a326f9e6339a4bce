package canonical

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// ParseObject reads one JSON object. It refuses invalid UTF-8, data after the
// object, nesting beyond 16 and duplicate members (wrapping ErrDuplicate),
// none of which encoding/json refuses by itself.
func ParseObject(data []byte) (Object, error) {
	value, err := Parse(data)
	if err != nil {
		return nil, err
	}
	object, ok := value.(Object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}

// Parse reads one JSON value as strictly as ParseObject.
//
// A duplicate is reported only for text that is otherwise valid JSON, so that
// the two mistakes have one code each whatever their order in the text.
func Parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	if !json.Valid(data) {
		return nil, errors.New("not JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("data after the JSON value")
	}
	return value, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delimiter, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == maxDepth {
		return nil, errors.New("nested too deeply")
	}
	if delimiter == '[' {
		return parseArray(decoder, depth)
	}
	return parseMembers(decoder, depth)
}

func parseArray(decoder *json.Decoder, depth int) (any, error) {
	items := []any{}
	for decoder.More() {
		item, err := parseValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := decoder.Token()
	return items, err
}

func parseMembers(decoder *json.Decoder, depth int) (any, error) {
	object := Object{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("member name is not a string")
		}
		value, err := parseValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		if _, taken := object[name]; taken {
			return nil, fmt.Errorf("%w %q", ErrDuplicate, name)
		}
		object[name] = value
	}
	_, err := decoder.Token()
	return object, err
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
