// Package refusal holds the stable codes under which Concordat's chaincode
// says no, and the error that carries one.
//
// The codes and their sentences are shared with the Python side through
// tests/vectors/codes.json; a test holds this table to that file.
package refusal

//go:generate go run ./generate

import (
	"errors"
	"fmt"
)

// Code names one reason for a refusal. Codes never change their meaning.
type Code string

// Error is a refusal: a code of the registry, its sentence, and what in
// particular was wrong. The text contains no data that endorsers could see
// differently.
type Error struct {
	Code   Code
	Detail string
}

// Error gives "CODE: sentence (detail)", the form that clients parse.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Code, Sentence(e.Code))
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// New makes a refusal; format and args describe the particular case and may
// be empty.
func New(code Code, format string, args ...any) error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Because makes a refusal that carries another error's text as its detail.
func Because(code Code, err error) error {
	return &Error{Code: code, Detail: err.Error()}
}

// CodeOf returns the code that err carries; false if it carries none, which
// means that something failed rather than that something was refused.
func CodeOf(err error) (Code, bool) {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code, true
	}
	return "", false
}

// Sentence is the registry's sentence for a code.
func Sentence(code Code) string {
	return sentences[code]
}

// Registry returns a copy of the whole table.
func Registry() map[Code]string {
	table := make(map[Code]string, len(sentences))
	for code, sentence := range sentences {
		table[code] = sentence
	}
	return table
}
