package service

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"concordat/chaincode/authority"
	"concordat/chaincode/ledger"
)

// Context is what a contract's function gets: the transaction and its caller.
type Context struct {
	contractapi.TransactionContext
}

// Tx is the ledger transaction that the function runs in.
func (c *Context) Tx() ledger.Tx { return ledger.OnStub(c.GetStub()) }

// Caller is who signed the proposal.
func (c *Context) Caller() (authority.Caller, error) { return callerFrom(c.GetClientIdentity()) }
