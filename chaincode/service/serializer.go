package service

import (
	"fmt"
	"reflect"

	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"
)

// rawSerializer hands strings and byte slices through as they are.
//
// The contract API's own serializer would validate each argument against a
// JSON schema, turning a 4 MB batch into JSON and back; our functions parse
// their arguments themselves, more strictly than a schema could.
type rawSerializer struct{}

// FromString makes a string parameter.
func (rawSerializer) FromString(text string, kind reflect.Type, _ *metadata.ParameterMetadata, _ *metadata.ComponentMetadata) (reflect.Value, error) {
	if kind.Kind() != reflect.String {
		return reflect.Value{}, fmt.Errorf("parameters are strings, not %s", kind)
	}
	return reflect.ValueOf(text), nil
}

// ToString makes the response of a returned byte slice.
func (rawSerializer) ToString(result reflect.Value, kind reflect.Type, _ *metadata.ReturnMetadata, _ *metadata.ComponentMetadata) (string, error) {
	if kind.Kind() != reflect.Slice || kind.Elem().Kind() != reflect.Uint8 {
		return "", fmt.Errorf("results are bytes, not %s", kind)
	}
	return string(result.Bytes()), nil
}
