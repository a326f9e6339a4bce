// Command verifytime says how much processor time an endorser takes to verify
// one ballot's signature: the floor under any design that verifies all.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"concordat/chaincode/ballot"
)

// signingInputSize is that of a ballot on two motions, in bytes.
const signingInputSize = 480

// signers have keys of their own: an endorser rarely meets one twice.
const signers = 64

// report is what is printed. Processor time is measured, so that whatever else
// runs doesn't count, and of several rounds the fastest.
type report struct {
	Verifications int     `json:"verifications"`
	Rounds        int     `json:"rounds"`
	Microseconds  float64 `json:"verify_us"`
	PerSecond     float64 `json:"per_s"`
	Go            string  `json:"go"`
}

// sample is one signed ballot with its signer's key as endorsers hold it.
type sample struct {
	signed ballot.Signed
	point  []byte
}

func main() {
	count := flag.Int("count", 4000, "verifications a round")
	rounds := flag.Int("rounds", 5, "rounds, of which the fastest counts")
	flag.Parse()
	if err := run(*count, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "verifytime:", err)
		os.Exit(1)
	}
}

func run(count, rounds int) error {
	if count < 1 || rounds < 1 {
		return fmt.Errorf("%d verifications in %d rounds measure nothing", count, rounds)
	}
	samples := make([]sample, signers)
	for i := range samples {
		made, err := newSample()
		if err != nil {
			return err
		}
		samples[i] = made
	}
	best := time.Duration(0)
	for range rounds {
		took, err := measure(samples, count)
		if err != nil {
			return err
		}
		if best == 0 || took < best {
			best = took
		}
	}
	each := best.Seconds() / float64(count)
	return json.NewEncoder(os.Stdout).Encode(report{
		Verifications: count,
		Rounds:        rounds,
		Microseconds:  each * 1e6,
		PerSecond:     1 / each,
		Go:            runtime.Version(),
	})
}

// measure verifies count signatures one after another, as an endorser does it:
// the key parsed from its point, the signing input hashed.
func measure(samples []sample, count int) (time.Duration, error) {
	begin, err := processorTime()
	if err != nil {
		return 0, err
	}
	for i := range count {
		s := &samples[i%len(samples)]
		if err := s.signed.Verify(s.point); err != nil {
			return 0, err
		}
	}
	end, err := processorTime()
	return end - begin, err
}

// processorTime is what this process has used so far, in user and kernel mode.
func processorTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

func newSample() (sample, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return sample{}, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return sample{}, err
	}
	input := make([]byte, signingInputSize)
	if _, err := rand.Read(input); err != nil {
		return sample{}, err
	}
	sum := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return sample{}, err
	}
	signature := make([]byte, ballot.SignatureSize)
	r.FillBytes(signature[:ballot.SignatureSize/2])
	s.FillBytes(signature[ballot.SignatureSize/2:])
	return sample{ballot.Signed{Signature: signature, SigningInput: input}, point}, nil
}
