package canonical

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Only demands that an object has exactly the members named, apart from
// those that may be absent.
func (o Object) Only(required []string, optional ...string) error {
	for _, name := range required {
		if _, ok := o[name]; !ok {
			return fmt.Errorf("member %q is missing", name)
		}
	}
	var foreign []string
	for name := range o {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			foreign = append(foreign, name)
		}
	}
	if len(foreign) > 0 {
		// The smallest, so that every endorser words the refusal alike.
		return fmt.Errorf("member %q is not known here", slices.Min(foreign))
	}
	return nil
}

// Text reads a string member.
func (o Object) Text(name string) (string, error) {
	text, ok := o[name].(string)
	if !ok {
		return "", fmt.Errorf("%q is not a string", name)
	}
	return text, nil
}

// Integer reads a member that is an integer in 0..MaxInteger, written in
// plain digits.
func (o Object) Integer(name string) (int64, error) {
	number, err := Integer(o[name])
	if err != nil {
		return 0, fmt.Errorf("%q %w", name, err)
	}
	return number, nil
}

// Integer reads a parsed JSON value as an integer in 0..MaxInteger, written
// in plain digits.
func Integer(value any) (int64, error) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, fmt.Errorf("is not a number")
	}
	parsed, err := strconv.ParseUint(string(number), 10, 63)
	if err != nil || parsed > MaxInteger {
		return 0, fmt.Errorf("is not an integer from 0 to 2^53-1")
	}
	return int64(parsed), nil
}

// List reads an array member.
func (o Object) List(name string) ([]any, error) {
	items, ok := o[name].([]any)
	if !ok {
		return nil, fmt.Errorf("%q is not an array", name)
	}
	return items, nil
}

// Texts reads a member that is an array of strings.
func (o Object) Texts(name string) ([]string, error) {
	items, err := o.List(name)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%q holds something that is not a string", name)
		}
		texts[i] = text
	}
	return texts, nil
}

// Object reads a member that is an object.
func (o Object) Object(name string) (Object, error) {
	object, ok := o[name].(Object)
	if !ok {
		return nil, fmt.Errorf("%q is not an object", name)
	}
	return object, nil
}

// Objects reads a member that is an array of objects.
func (o Object) Objects(name string) ([]Object, error) {
	items, err := o.List(name)
	if err != nil {
		return nil, err
	}
	objects := make([]Object, len(items))
	for i, item := range items {
		object, ok := item.(Object)
		if !ok {
			return nil, fmt.Errorf("%q holds something that is not an object", name)
		}
		objects[i] = object
	}
	return objects, nil
}

// Version demands that member "v" is the integer given.
func (o Object) Version(due int64) error {
	version, err := o.Integer("v")
	if err != nil {
		return err
	}
	if version != due {
		return fmt.Errorf("version %d where %d is due", version, due)
	}
	return nil
}
