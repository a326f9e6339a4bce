package ledgertest_test

import (
	"errors"
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"concordat/chaincode/ledger"
	"concordat/chaincode/ledger/ledgertest"
)

// writer is a chaincode that says what it reads of a key before and after it
// writes it, and how many values a range has.
type writer struct{}

func (writer) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (writer) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	tx := ledger.OnStub(stub)
	function, args := stub.GetFunctionAndParameters()
	switch function {
	case "count":
		count, err := tx.Scan("record", nil, func([]byte) error { return nil })
		if err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success([]byte{byte(count)})
	case "delete":
		if err := tx.Delete(ledger.Key("record", args[0])); err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success(nil)
	}
	before, err := tx.Get(ledger.Key("record", args[0]))
	if err == nil {
		err = tx.Put(ledger.Key("record", args[0]), []byte(args[1]))
	}
	if err != nil {
		return shim.Error(err.Error())
	}
	after, err := tx.Get(ledger.Key("record", args[0]))
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success([]byte(string(before) + "," + string(after)))
}

var caller = ledgertest.Caller{MSP: "AssociationMSP", Role: "relay"}

func network() *ledgertest.Network {
	n := ledgertest.New()
	n.Deploy("identity", "identity", writer{})
	return n
}

func endorse(t *testing.T, n *ledgertest.Network, function string, args ...string) *ledgertest.Proposal {
	t.Helper()
	proposal, err := n.Endorse("identity", caller, function, args...)
	if err != nil {
		t.Fatal(err)
	}
	return proposal
}

func TestATransactionDoesNotReadItsOwnWrites(t *testing.T) {
	n := network()
	for i, want := range []string{",", "x0,x0", "x1,x1"} {
		proposal := endorse(t, n, "write", "a", "x"+string(rune('0'+i)))
		if string(proposal.Payload) != want {
			t.Errorf("read %q, want %q", proposal.Payload, want)
		}
		if err := n.Commit(proposal); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadsAndRangesThatChangedAreConflicts(t *testing.T) {
	n := network()
	first, second, count := endorse(t, n, "write", "a", "1"), endorse(t, n, "write", "a", "2"), endorse(t, n, "count")
	if err := n.Commit(first); err != nil {
		t.Fatal(err)
	}
	for _, stale := range []*ledgertest.Proposal{second, count} {
		if err := n.Commit(stale); !errors.Is(err, ledgertest.ErrConflict) {
			t.Errorf("committed: %v", err)
		}
	}
	if n.State("identity", "record", "a")[0] != '1' {
		t.Error("an invalid transaction wrote")
	}
	if err := n.Commit(endorse(t, n, "delete", "a")); err != nil || n.State("identity", "record", "a") != nil {
		t.Errorf("not deleted: %v", err)
	}
}

func TestARangeEndsAtTheLimitInSilence(t *testing.T) {
	n := network()
	n.TotalQueryLimit = 2
	for _, key := range []string{"a", "b", "c"} {
		if err := n.Commit(endorse(t, n, "write", key, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if count := endorse(t, n, "count").Payload[0]; count != 2 {
		t.Errorf("%d results", count)
	}
}
