// Package service runs a contract as chaincode: it guards every call by the
// authority table, passes arguments and results as the bytes they are, and
// serves the peer.
package service

import (
	"fmt"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"concordat/chaincode/authority"
	"concordat/chaincode/refusal"
)

// guard stands before a contract. It is the one place where authority is
// checked: a contract's own BeforeTransaction would leave the contract API's
// built-in functions and its case-insensitive names outside.
type guard struct {
	name  string
	inner shim.Chaincode
}

// New makes a chaincode of a contract whose functions the authority table
// lists under name.
func New(name string, contract contractapi.ContractInterface) (shim.Chaincode, error) {
	inner, err := contractapi.NewChaincode(contract)
	if err != nil {
		return nil, fmt.Errorf("build chaincode %s: %w", name, err)
	}
	inner.TransactionSerializer = rawSerializer{}
	return &guard{name: name, inner: inner}, nil
}

// Init does nothing: the chaincode definition asks for no initialisation.
func (g *guard) Init(shim.ChaincodeStubInterface) *peer.Response {
	return shim.Success(nil)
}

// Invoke checks the caller and the number of arguments, then calls the
// contract's function.
func (g *guard) Invoke(stub shim.ChaincodeStubInterface) (response *peer.Response) {
	// A mistake in a transition must not take the process down with every
	// other transaction in flight; this one fails alike on every endorser.
	defer func() {
		if reason := recover(); reason != nil {
			response = shim.Error(fmt.Sprintf("internal error: %v", reason))
		}
	}()
	name, arguments := stub.GetFunctionAndParameters()
	caller, err := callerOf(stub)
	if err != nil {
		return shim.Error(err.Error())
	}
	if err := authority.Check(g.name, name, stub.GetChannelID(), caller); err != nil {
		return shim.Error(err.Error())
	}
	if function, _ := authority.Find(g.name, name); len(arguments) != function.Arguments {
		err := refusal.New(refusal.ArgumentFormat, "%s takes %d arguments, not %d", name, function.Arguments, len(arguments))
		return shim.Error(err.Error())
	}
	return g.inner.Invoke(stub)
}

// callerOf reads who signed the proposal.
func callerOf(stub shim.ChaincodeStubInterface) (authority.Caller, error) {
	client, err := cid.New(stub)
	if err != nil {
		return authority.Caller{}, refusal.Because(refusal.NotAuthorised, err)
	}
	return callerFrom(client)
}

func callerFrom(client cid.ClientIdentity) (authority.Caller, error) {
	msp, err := client.GetMSPID()
	if err != nil {
		return authority.Caller{}, refusal.Because(refusal.NotAuthorised, err)
	}
	role, _, err := client.GetAttributeValue(authority.Attribute)
	if err != nil {
		return authority.Caller{}, refusal.Because(refusal.NotAuthorised, err)
	}
	return authority.Caller{MSP: msp, Role: role}, nil
}
