package arbitration_test

import (
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
	"concordat/chaincode/scene"
)

// cpu is the time that this process has had on processors: unlike time on the
// clock it means something while others use the machine too.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkCapHeight asks which layer of the tree of 390,000 leaves the channel
// should hold (ADR 0015): a wide cap makes short proofs, and is read with every
// batch. For caps of at most 4,096, 16,384 and 32,768 nodes it reports what
// endorsing a batch of 2,500 ballots costs without a peer, what sending the
// cap from a peer to its chaincode costs besides (a message marshalled, sent
// over loopback and parsed), and the bytes a ballot.
func BenchmarkCapHeight(b *testing.B) {
	const lenders, all = 2500, 390_000
	for _, height := range []uint{7, 5, 4} {
		b.Run(fmt.Sprintf("height-%d", height), func(b *testing.B) {
			s := scene.New(b, scene.Options{Lenders: lenders, Fillers: all - lenders, CapHeight: height}).Open(1)
			var entries [][]byte
			for i, lender := range s.Lenders {
				entries = append(entries, s.Compact(scene.Cast{Lender: lender, AckNo: i + 1}))
			}
			batch := s.Batch(entries...)
			var last *ledgertest.Proposal
			b.ResetTimer()
			before := cpu(b)
			for range b.N {
				proposal, err := s.Network.Endorse(scene.Channel, scene.AssociationRelay, "SubmitBallots", batch)
				if err != nil {
					b.Fatal(err)
				}
				if len(proposal.Writes) != lenders+1 {
					b.Fatalf("%s", proposal.Payload)
				}
				last = proposal
			}
			endorsed := cpu(b)
			for range b.N {
				send(b, s.Cap)
			}
			sent := cpu(b)
			b.StopTimer()
			each := func(spent time.Duration) float64 { return spent.Seconds() * 1000 / float64(b.N) }
			b.ReportMetric(each(endorsed-before), "cpu-ms/batch")
			b.ReportMetric(each(sent-endorsed), "cap-cpu-ms/batch")
			b.ReportMetric(float64(meeting.Cap(s.Cap).Len()), "nodes")
			b.ReportMetric(float64(len(batch))/lenders, "batch-bytes/ballot")
			b.ReportMetric(float64(setSize(last))/lenders, "rwset-bytes/ballot")
		})
	}
}

// send takes a value from one end of a connection to the other, as a peer
// sends a state to its chaincode.
func send(b *testing.B, value []byte) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	done := make(chan error, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer connection.Close()
		data, err := io.ReadAll(connection)
		if err == nil {
			err = proto.Unmarshal(data, &peer.ChaincodeMessage{})
		}
		done <- err
	}()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	data, err := proto.Marshal(&peer.ChaincodeMessage{Type: peer.ChaincodeMessage_RESPONSE, Payload: value})
	if err == nil {
		_, err = connection.Write(data)
	}
	if err != nil {
		b.Fatal(err)
	}
	if err := connection.Close(); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
