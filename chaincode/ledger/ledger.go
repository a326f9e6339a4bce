// Package ledger is the little that Concordat's transitions need from a
// ledger, and the shim's way of giving it.
//
// A transition that is written against Tx can be run on a peer or in memory;
// it cannot reach a clock, a random source or private data.
package ledger

import (
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// Tx is one transaction on one channel. Reads see the state before the
// transaction, never its own writes. Errors are the peer's, not refusals.
type Tx interface {
	// ID is the transaction's id in lower-case hexadecimal.
	ID() string
	// Channel is the name of the channel that the transaction is on.
	Channel() string
	// Get returns a key's value, nil if there is none.
	Get(key string) ([]byte, error)
	// GetMany returns the values of keys, in their order, nil where there is none.
	GetMany(keys []string) ([][]byte, error)
	// Put writes a value.
	Put(key string, value []byte) error
	// Delete removes a key.
	Delete(key string) error
	// Scan calls visit with the value of each key under a partial composite
	// key, in key order, and returns how many there were.
	Scan(object string, attributes []string, visit func(value []byte) error) (int, error)
	// History returns the versions that a key ever had, the oldest first. It
	// is not validated when the transaction is committed, so it is for
	// queries alone.
	History(key string) ([]Version, error)
	// Query runs a read-only function of a chaincode on another channel.
	Query(chaincode, channel string, args ...[]byte) ([]byte, error)
	// Emit sets the transaction's one event.
	Emit(name string, payload []byte) error
}

// Version is a value that a key had, and the transaction that wrote it.
type Version struct {
	Transaction string
	Value       []byte // nil if the key was deleted
}

// Key makes the composite key of a record. Attributes come from checked
// values, which makes the error impossible; it is reported as a panic so that
// a mistake in this code cannot pass for a refusal.
func Key(object string, attributes ...string) string {
	key, err := shim.CreateCompositeKey(object, attributes)
	if err != nil {
		panic(fmt.Sprintf("composite key %s: %v", object, err))
	}
	return key
}

// stubTx is a Tx on a peer's stub.
type stubTx struct {
	stub shim.ChaincodeStubInterface
}

// OnStub makes a Tx of a shim stub. From here on writes are collected and go
// to the peer together, where the peer allows that; the shim sends them when
// the function has returned.
func OnStub(stub shim.ChaincodeStubInterface) Tx {
	stub.StartWriteBatch()
	return &stubTx{stub: stub}
}

func (t *stubTx) ID() string      { return t.stub.GetTxID() }
func (t *stubTx) Channel() string { return t.stub.GetChannelID() }

func (t *stubTx) Get(key string) ([]byte, error) {
	value, err := t.stub.GetState(key)
	if err != nil || len(value) == 0 {
		return nil, err
	}
	return value, nil
}

func (t *stubTx) GetMany(keys []string) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	values, err := t.stub.GetMultipleStates(keys...)
	if err != nil {
		return nil, err
	}
	if len(values) != len(keys) {
		return nil, fmt.Errorf("peer returned %d values for %d keys", len(values), len(keys))
	}
	for i, value := range values {
		if len(value) == 0 {
			values[i] = nil
		}
	}
	return values, nil
}

func (t *stubTx) Put(key string, value []byte) error { return t.stub.PutState(key, value) }
func (t *stubTx) Delete(key string) error            { return t.stub.DelState(key) }

func (t *stubTx) Scan(object string, attributes []string, visit func([]byte) error) (count int, err error) {
	iterator, err := t.stub.GetStateByPartialCompositeKey(object, attributes)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := iterator.Close(); err == nil {
			err = closeErr
		}
	}()
	for iterator.HasNext() {
		entry, err := iterator.Next()
		if err != nil {
			return count, err
		}
		count++
		if err := visit(entry.GetValue()); err != nil {
			return count, err
		}
	}
	return count, nil
}

func (t *stubTx) History(key string) (versions []Version, err error) {
	iterator, err := t.stub.GetHistoryForKey(key)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := iterator.Close(); err == nil {
			err = closeErr
		}
	}()
	for iterator.HasNext() {
		entry, err := iterator.Next()
		if err != nil {
			return nil, err
		}
		version := Version{Transaction: entry.GetTxId()}
		if !entry.GetIsDelete() {
			version.Value = entry.GetValue()
		}
		versions = append(versions, version)
	}
	slices.Reverse(versions) // a peer begins with the newest
	return versions, nil
}

func (t *stubTx) Query(chaincode, channel string, args ...[]byte) ([]byte, error) {
	response := t.stub.InvokeChaincode(chaincode, args, channel)
	if response.GetStatus() != shim.OK {
		return nil, fmt.Errorf("%s on %s answered %d: %s", chaincode, channel, response.GetStatus(), response.GetMessage())
	}
	return response.GetPayload(), nil
}

func (t *stubTx) Emit(name string, payload []byte) error { return t.stub.SetEvent(name, payload) }
