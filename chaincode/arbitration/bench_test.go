package arbitration_test

import (
	"testing"

	"concordat/chaincode/scene"
)

// BenchmarkSubmitBallots endorses 1,000 compact ballots of a roll of 40,000,
// the look-up on identity included, without a peer. A P-256 verification alone
// is about 50 µs.
func BenchmarkSubmitBallots(b *testing.B) {
	s := scene.New(b, scene.Options{Lenders: 1000, Fillers: 39000}).Open(1)
	for _, form := range []struct {
		name string
		make func(scene.Cast) []byte
	}{{"compact", s.Compact}, {"raw", s.Raw}} {
		b.Run(form.name, func(b *testing.B) {
			var entries [][]byte
			for i, lender := range s.Lenders {
				entries = append(entries, form.make(scene.Cast{Lender: lender, AckNo: i + 1}))
			}
			batch := s.Batch(entries...)
			b.ResetTimer()
			for range b.N {
				proposal, err := s.Network.Endorse(scene.Channel, scene.AssociationRelay, "SubmitBallots", batch)
				if err != nil {
					b.Fatal(err)
				}
				if len(proposal.Writes) != 2001 {
					b.Fatalf("%s", proposal.Payload)
				}
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(b.N*len(entries))/seconds, "ballots/s")
			b.ReportMetric(float64(len(batch))/float64(len(entries)), "bytes/ballot")
		})
	}
}
