// Package ledgertest is a network in memory for tests: channels with the
// chaincodes on them, run through the shim's own interface. A transaction is
// endorsed on the state as it is and validated when it is committed, as on a
// peer: reads that changed meanwhile, and ranges that did, make it invalid.
package ledgertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// ErrConflict says that a transaction was invalid when it was committed.
var ErrConflict = errors.New("MVCC_READ_CONFLICT")

type cell struct {
	value   []byte
	version int // 0 where there is no value
}

type channel struct {
	name       string
	chaincodes map[string]shim.Chaincode
	state      map[string]cell // by chaincode, NUL, key
	history    map[string][]*queryresult.KeyModification
}

// Network is the whole of it. It is not safe for concurrent use.
type Network struct {
	TotalQueryLimit int

	channels map[string]*channel
	creators map[string][]byte
	number   int // of transactions endorsed
	height   int // of transactions committed
}

// New makes a network without channels.
func New() *Network {
	return &Network{TotalQueryLimit: 100000, channels: map[string]*channel{}, creators: map[string][]byte{}}
}

// Deploy puts a chaincode on a channel, which it makes if need be.
func (n *Network) Deploy(channelName, name string, chaincode shim.Chaincode) {
	if n.channels[channelName] == nil {
		n.channels[channelName] = &channel{
			name: channelName, chaincodes: map[string]shim.Chaincode{}, state: map[string]cell{},
			history: map[string][]*queryresult.KeyModification{},
		}
	}
	n.channels[channelName].chaincodes[name] = chaincode
}

// Caller is an identity of an MSP; an empty role leaves the attribute out.
type Caller struct {
	MSP  string
	Role string
}

// Proposal is an endorsed transaction: its response and what it read and
// wrote. A nil write is a deletion.
type Proposal struct {
	ID           string
	Payload      []byte
	Reads        map[string]int
	Ranges       map[string]string
	Writes       map[string][]byte
	Queries      int // calls of other chaincodes
	Event        string
	EventPayload string
	channel      *channel
}

// Endorse runs a function on the present state. The error is the chaincode's
// message.
func (n *Network) Endorse(channelName string, caller Caller, function string, args ...string) (*Proposal, error) {
	n.number++
	return n.endorse(transactionID(n.number), channelName, caller, function, args)
}

// EndorseAs is Endorse with a transaction id given, for comparing endorsers.
func (n *Network) EndorseAs(id, channelName string, caller Caller, function string, args ...string) (*Proposal, error) {
	return n.endorse(id, channelName, caller, function, args)
}

func (n *Network) endorse(id, channelName string, caller Caller, function string, args []string) (*Proposal, error) {
	target := n.channels[channelName]
	if target == nil {
		return nil, fmt.Errorf("no channel %s", channelName)
	}
	proposal := &Proposal{
		ID: id, Reads: map[string]int{}, Ranges: map[string]string{}, Writes: map[string][]byte{}, channel: target,
	}
	name := strings.SplitN(channelName, "-", 2)[0] // "identity" or "arbitration"
	call := &stub{
		network: n, channel: target, chaincode: name, id: id, creator: n.creator(caller),
		args: [][]byte{[]byte(function)}, proposal: proposal,
	}
	for _, arg := range args {
		call.args = append(call.args, []byte(arg))
	}
	response := target.chaincodes[name].Invoke(call)
	if response.GetStatus() != shim.OK {
		return nil, errors.New(response.GetMessage())
	}
	proposal.Payload = response.GetPayload()
	return proposal, nil
}

// Commit validates a transaction and applies its writes.
func (n *Network) Commit(proposal *Proposal) error {
	state := proposal.channel.state
	for key, version := range proposal.Reads {
		if state[key].version != version {
			return fmt.Errorf("%w: %q", ErrConflict, key)
		}
	}
	for prefix, found := range proposal.Ranges {
		if strings.Join(proposal.channel.scan(prefix), "|") != found {
			return fmt.Errorf("%w: range %q", ErrConflict, prefix)
		}
	}
	n.height++
	for key, value := range proposal.Writes {
		proposal.channel.history[key] = append(proposal.channel.history[key], &queryresult.KeyModification{
			TxId: proposal.ID, Value: value, IsDelete: value == nil,
		})
		if value == nil {
			delete(state, key)
			continue
		}
		state[key] = cell{value: value, version: n.height}
	}
	return nil
}

// Submit endorses and commits.
func (n *Network) Submit(channelName string, caller Caller, function string, args ...string) (*Proposal, error) {
	proposal, err := n.Endorse(channelName, caller, function, args...)
	if err != nil {
		return nil, err
	}
	return proposal, n.Commit(proposal)
}

// State returns a committed value of a chaincode; the key is composite.
func (n *Network) State(channelName, object string, attributes ...string) []byte {
	key, err := shim.CreateCompositeKey(object, attributes)
	if err != nil {
		panic(err)
	}
	name := strings.SplitN(channelName, "-", 2)[0]
	return n.channels[channelName].state[name+"\x00"+key].value
}

// SetState puts a value there without a transaction.
func (n *Network) SetState(value []byte, channelName, object string, attributes ...string) {
	key, err := shim.CreateCompositeKey(object, attributes)
	if err != nil {
		panic(err)
	}
	name := strings.SplitN(channelName, "-", 2)[0]
	n.height++
	n.channels[channelName].state[name+"\x00"+key] = cell{value: value, version: n.height}
}

// creator makes the serialized identity of a caller, as Fabric CA writes it:
// a certificate with the role in the attributes' extension.
func (n *Network) creator(caller Caller) []byte {
	id := caller.MSP + "/" + caller.Role
	if creator, ok := n.creators[id]; ok {
		return creator
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: caller.Role},
		NotBefore:    time.Unix(1767225600, 0),
		NotAfter:     time.Unix(2082758400, 0),
	}
	if caller.Role != "" {
		template.ExtraExtensions = []pkix.Extension{{
			Id:    asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1},
			Value: fmt.Appendf(nil, `{"attrs":{"role":%q}}`, caller.Role),
		}}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	creator, err := proto.Marshal(&msp.SerializedIdentity{
		Mspid:   caller.MSP,
		IdBytes: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	})
	if err != nil {
		panic(err)
	}
	n.creators[id] = creator
	return creator
}
