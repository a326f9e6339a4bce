// Command gatewaychaincode is the chaincode that the Gateway client's tests call: each function
// shows one behaviour that a client must carry faithfully. It runs as a service.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/statebased"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

type function func(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error)

// Chaincode dispatches to its table of functions, "contract:echo" among them.
type Chaincode struct{ functions map[string]function }

// Init does nothing.
func (Chaincode) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke calls a function by name; arguments are raw bytes.
func (c Chaincode) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	arguments := stub.GetArgs()
	if len(arguments) == 0 {
		return shim.Error("a function's name is needed")
	}
	called, known := c.functions[string(arguments[0])]
	if !known {
		return shim.Error(fmt.Sprintf("unknown function %q", arguments[0]))
	}
	result, err := called(stub, arguments[1:])
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(result)
}

func first(arguments [][]byte) []byte {
	if len(arguments) == 0 {
		return nil
	}
	return arguments[0]
}

func pair(arguments [][]byte) (string, []byte, error) {
	if len(arguments) != 2 {
		return "", nil, fmt.Errorf("2 arguments are needed, not %d", len(arguments))
	}
	return string(arguments[0]), arguments[1], nil
}

// echo returns its first argument unaltered.
func echo(_ shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	return first(arguments), nil
}

// lengths returns every argument's length in bytes, as JSON.
func lengths(_ shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	found := make([]int, len(arguments))
	for i, argument := range arguments {
		found[i] = len(argument)
	}
	return json.Marshal(found)
}

// put writes a value under a key and returns it.
func put(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	key, value, err := pair(arguments)
	if err != nil {
		return nil, err
	}
	return value, stub.PutState(key, value)
}

// get returns what is under a key, or nothing.
func get(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	return stub.GetState(string(first(arguments)))
}

// transient returns the transient value of a key, writing it nowhere.
func transient(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	values, err := stub.GetTransient()
	if err != nil {
		return nil, err
	}
	value, given := values[string(first(arguments))]
	if !given {
		return nil, fmt.Errorf("no transient value %q", first(arguments))
	}
	return value, nil
}

// putPrivate writes the transient "value" to a collection under a key; the value is in no block.
func putPrivate(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	collection, key, err := pair(arguments)
	if err != nil {
		return nil, err
	}
	value, err := transient(stub, [][]byte{[]byte("value")})
	if err != nil {
		return nil, err
	}
	return nil, stub.PutPrivateData(collection, string(key), value)
}

// guard makes a key need the endorsement of every organization named.
func guard(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	policy, err := statebased.NewStateEP(nil)
	if err != nil {
		return nil, err
	}
	for _, msp := range arguments[1:] {
		if err := policy.AddOrgs(statebased.RoleTypeMember, string(msp)); err != nil {
			return nil, err
		}
	}
	encoded, err := policy.Policy()
	if err != nil {
		return nil, err
	}
	return nil, stub.SetStateValidationParameter(string(first(arguments)), encoded)
}

// crash ends the process in the middle of a call.
func crash(shim.ChaincodeStubInterface, [][]byte) ([]byte, error) {
	os.Exit(1)
	return nil, nil
}

// emit sets an event of a name and payload.
func emit(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	name, payload, err := pair(arguments)
	if err != nil {
		return nil, err
	}
	return payload, stub.SetEvent(name, payload)
}

// increment adds one to a counter: two of them in one block conflict.
func increment(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	key := string(first(arguments))
	stored, err := stub.GetState(key)
	if err != nil {
		return nil, err
	}
	count := 0
	if stored != nil {
		if count, err = strconv.Atoi(string(stored)); err != nil {
			return nil, err
		}
	}
	next := []byte(strconv.Itoa(count + 1))
	return next, stub.PutState(key, next)
}

// node names the peer that this process serves: its organization where the process was told, else its
// own address. Every endorser has a process of its own, so the names differ.
func node() string {
	if msp, err := shim.GetMSPID(); err == nil {
		return msp
	}
	return os.Getenv("CHAINCODE_SERVER_ADDRESS")
}

// whoami returns the node's name.
func whoami(shim.ChaincodeStubInterface, [][]byte) ([]byte, error) {
	return []byte(node()), nil
}

// fail returns its first argument as an error.
func fail(_ shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	return nil, fmt.Errorf("%s", first(arguments))
}

// failAt fails at the nodes named, and writes elsewhere.
func failAt(stub shim.ChaincodeStubInterface, arguments [][]byte) ([]byte, error) {
	for _, name := range arguments {
		if string(name) == node() {
			return nil, fmt.Errorf("REFUSED: %s does not endorse this", node())
		}
	}
	return nil, stub.PutState("failAt", []byte("written"))
}

// disagree writes the node's own name: the endorsements of two nodes differ.
func disagree(stub shim.ChaincodeStubInterface, _ [][]byte) ([]byte, error) {
	return []byte(node()), stub.PutState("disagree", []byte(node()))
}

func functions() map[string]function {
	table := map[string]function{
		"echo": echo, "lengths": lengths, "put": put, "get": get, "transient": transient,
		"emit": emit, "increment": increment, "whoami": whoami,
		"putPrivate": putPrivate, "guard": guard, "crash": crash,
		"fail": fail, "failAt": failAt, "disagree": disagree,
	}
	table["contract:echo"] = echo
	return table
}

func main() {
	server := &shim.ChaincodeServer{
		CCID:     os.Getenv("CHAINCODE_ID"),
		Address:  os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:       Chaincode{functions()},
		TLSProps: shim.TLSProperties{Disabled: true},
	}
	if err := server.Start(); err != nil {
		log.Fatalf("serving the chaincode: %v", err)
	}
}
