package arbitration_test

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"google.golang.org/protobuf/proto"

	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/scene"
)

// setSize is how many bytes a block spends on what a transaction read and
// wrote.
func setSize(proposal *ledgertest.Proposal) int {
	set := &kvrwset.KVRWSet{}
	for key, version := range proposal.Reads {
		read := &kvrwset.KVRead{Key: key}
		if version > 0 {
			read.Version = &kvrwset.Version{BlockNum: uint64(version)}
		}
		set.Reads = append(set.Reads, read)
	}
	for key, value := range proposal.Writes {
		set.Writes = append(set.Writes, &kvrwset.KVWrite{Key: key, Value: value})
	}
	return proto.Size(set)
}

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
			var last *ledgertest.Proposal
			for range b.N {
				proposal, err := s.Network.Endorse(scene.Channel, scene.AssociationRelay, "SubmitBallots", batch)
				if err != nil {
					b.Fatal(err)
				}
				if len(proposal.Writes) != len(s.Lenders)+1 {
					b.Fatalf("%s", proposal.Payload)
				}
				last = proposal
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(b.N*len(entries))/seconds, "ballots/s")
			b.ReportMetric(float64(len(batch))/float64(len(entries)), "batch-bytes/ballot")
			b.ReportMetric(float64(setSize(last))/float64(len(entries)), "rwset-bytes/ballot")
		})
	}
}
