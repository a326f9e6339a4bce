// Command generate writes refusal's table of codes from the registry that Go
// and Python share. Run it by "go generate ./refusal".
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"log"
	"os"
	"strings"
)

const (
	registry = "../../tests/vectors/codes.json"
	target   = "codes.go"
)

// upper are the parts of codes that Go names write in capitals.
var upper = map[string]bool{"JWS": true, "JSON": true, "JWK": true, "JKU": true, "ID": true, "B64": true}

func main() {
	log.SetFlags(0)
	data, err := os.ReadFile(registry)
	if err != nil {
		log.Fatal(err)
	}
	source, err := generate(data)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(target, source, 0o644); err != nil {
		log.Fatal(err)
	}
}

// generate keeps the registry's order, in which the checks apply.
func generate(data []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var names, sentences strings.Builder
	for decoder.More() {
		code, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		sentence, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := goName(code.(string))
		fmt.Fprintf(&names, "%s Code = %q\n", name, code)
		fmt.Fprintf(&sentences, "%s: %q,\n", name, sentence)
	}
	return format.Source(fmt.Appendf(nil, `// Code generated from tests/vectors/codes.json; DO NOT EDIT.

package refusal

// The registry, in the order in which checks apply within each group.
const (
%s)

var sentences = map[Code]string{
%s}
`, names.String(), sentences.String()))
}

// goName makes JWS_HEADER_JSON into JWSHeaderJSON.
func goName(code string) string {
	var name strings.Builder
	for part := range strings.SplitSeq(code, "_") {
		if upper[part] {
			name.WriteString(part)
		} else {
			name.WriteString(part[:1] + strings.ToLower(part[1:]))
		}
	}
	return name.String()
}
