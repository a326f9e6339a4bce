package ledgertest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// stub is the shim's interface on the network's memory. What it does not
// implement (clock, private data, …) ends in a nil dereference: no
// transition may need it.
type stub struct {
	shim.ChaincodeStubInterface
	network   *Network
	channel   *channel
	chaincode string
	id        string
	creator   []byte
	args      [][]byte
	proposal  *Proposal
	reading   bool // called across channels: what it writes and reads is discarded
	batching  bool
}

func (s *stub) GetTxID() string              { return s.id }
func (s *stub) GetChannelID() string         { return s.channel.name }
func (s *stub) GetArgs() [][]byte            { return s.args }
func (s *stub) GetCreator() ([]byte, error)  { return s.creator, nil }
func (s *stub) StartWriteBatch()             { s.batching = true }
func (s *stub) FinishWriteBatch() error      { s.batching = false; return nil }
func (s *stub) space() string                { return s.chaincode + "\x00" }
func (s *stub) stored(key string) (v []byte) { return s.channel.state[s.space()+key].value }

func (s *stub) GetStringArgs() []string {
	args := make([]string, len(s.args))
	for i, arg := range s.args {
		args[i] = string(arg)
	}
	return args
}

func (s *stub) GetFunctionAndParameters() (string, []string) {
	args := s.GetStringArgs()
	if len(args) == 0 {
		return "", nil
	}
	return args[0], args[1:]
}

// GetState returns what was committed before: never this transaction's own
// writes.
func (s *stub) GetState(key string) ([]byte, error) {
	if !s.reading {
		s.proposal.Reads[s.space()+key] = s.channel.state[s.space()+key].version
	}
	return s.stored(key), nil
}

func (s *stub) GetMultipleStates(keys ...string) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i], _ = s.GetState(key)
	}
	return values, nil
}

func (s *stub) PutState(key string, value []byte) error {
	if s.reading {
		return fmt.Errorf("a query writes %q", key)
	}
	if !s.batching {
		return fmt.Errorf("write of %q outside a batch", key)
	}
	s.proposal.Writes[s.space()+key] = append([]byte{}, value...)
	return nil
}

func (s *stub) DelState(key string) error {
	if s.reading {
		return fmt.Errorf("a query deletes %q", key)
	}
	s.proposal.Writes[s.space()+key] = nil
	return nil
}

func (s *stub) CreateCompositeKey(object string, attributes []string) (string, error) {
	return shim.CreateCompositeKey(object, attributes)
}

// GetStateByPartialCompositeKey stops at the peer's totalQueryLimit without
// an error, as a peer does.
func (s *stub) GetStateByPartialCompositeKey(object string, attributes []string) (shim.StateQueryIteratorInterface, error) {
	prefix, err := shim.CreateCompositeKey(object, attributes)
	if err != nil {
		return nil, err
	}
	found := s.channel.scan(s.space() + prefix)
	if len(found) > s.network.TotalQueryLimit {
		found = found[:s.network.TotalQueryLimit]
	}
	if !s.reading {
		s.proposal.Ranges[s.space()+prefix] = strings.Join(found, "|")
	}
	return &iterator{stub: s, keys: found}, nil
}

// GetHistoryForKey begins with the newest version, as a peer does.
func (s *stub) GetHistoryForKey(key string) (shim.HistoryQueryIteratorInterface, error) {
	versions := slices.Clone(s.channel.history[s.space()+key])
	slices.Reverse(versions)
	return &history{versions: versions}, nil
}

type history struct {
	versions []*queryresult.KeyModification
}

func (h *history) HasNext() bool { return len(h.versions) > 0 }
func (h *history) Close() error  { return nil }

func (h *history) Next() (*queryresult.KeyModification, error) {
	version := h.versions[0]
	h.versions = h.versions[1:]
	return version, nil
}

func (s *stub) InvokeChaincode(name string, args [][]byte, channelName string) *peer.Response {
	target := s.network.channels[channelName]
	if target == nil || target.chaincodes[name] == nil {
		return shim.Error(fmt.Sprintf("no chaincode %s on %s", name, channelName))
	}
	callee := &stub{
		network: s.network, channel: target, chaincode: name, id: s.id,
		creator: s.creator, args: args, proposal: s.proposal, reading: target != s.channel,
	}
	s.proposal.Queries++
	return target.chaincodes[name].Invoke(callee)
}

func (s *stub) SetEvent(name string, payload []byte) error {
	if !s.reading {
		s.proposal.Event, s.proposal.EventPayload = name, string(payload)
	}
	return nil
}

type iterator struct {
	stub *stub
	keys []string
}

func (i *iterator) HasNext() bool { return len(i.keys) > 0 }
func (i *iterator) Close() error  { return nil }

func (i *iterator) Next() (*queryresult.KV, error) {
	key := i.keys[0]
	i.keys = i.keys[1:]
	return &queryresult.KV{Key: key, Value: i.stub.channel.state[key].value}, nil
}

func (c *channel) scan(prefix string) []string {
	var keys []string
	for key := range c.state {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys
}

func transactionID(number int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "transaction %d", number))
	return hex.EncodeToString(sum[:])
}
