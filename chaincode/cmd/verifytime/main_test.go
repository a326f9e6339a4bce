package main

import "testing"

func TestAForgedSignatureIsNotMeasured(t *testing.T) {
	made, err := newSample()
	if err != nil {
		t.Fatal(err)
	}
	if took, err := measure([]sample{made}, 300); err != nil || took <= 0 {
		t.Fatalf("genuine: %v, %v", took, err)
	}
	made.signed.SigningInput[0] ^= 1
	if _, err := measure([]sample{made}, 3); err == nil {
		t.Fatal("forged: no error")
	}
}

func TestNothingIsNoMeasurement(t *testing.T) {
	if err := run(0, 5); err == nil {
		t.Fatal("no verifications: no error")
	}
}
