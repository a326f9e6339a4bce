package refusal_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"concordat/chaincode/refusal"
	"concordat/chaincode/vectors"
)

func TestRegistryEqualsSharedTable(t *testing.T) {
	var shared map[refusal.Code]string
	vectors.Load(t, "codes.json", &shared)
	own := refusal.Registry()
	for _, code := range slices.Sorted(maps.Keys(shared)) {
		if own[code] != shared[code] {
			t.Errorf("%s: Go has %q, tests/vectors/codes.json %q", code, own[code], shared[code])
		}
	}
	for _, code := range slices.Sorted(maps.Keys(own)) {
		if _, ok := shared[code]; !ok {
			t.Errorf("%s is not in tests/vectors/codes.json", code)
		}
	}
}

func TestErrorCarriesCodeAndDetail(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", refusal.New(refusal.MeetingExists, "%s", "exit-1"))
	if code, ok := refusal.CodeOf(err); !ok || code != refusal.MeetingExists {
		t.Errorf("code %q, %v", code, ok)
	}
	want := "wrapped: MEETING_EXISTS: " + refusal.Sentence(refusal.MeetingExists) + " (exit-1)"
	if err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if _, ok := refusal.CodeOf(errors.New("peer gone")); ok {
		t.Error("a failure passes for a refusal")
	}
}
