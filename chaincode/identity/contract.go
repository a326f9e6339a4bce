// Package identity is the chaincode of the identity channel: who a voter is,
// without saying who. It holds each institution's lender CA, the lenders'
// pseudonyms and certificates, and the identity checks that they passed.
package identity

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"concordat/chaincode/service"
)

// Contract offers identity's functions. Each parses its arguments and runs
// one transition; who may call it is decided before (package authority).
type Contract struct {
	contractapi.Contract
}

// NewContract makes the contract.
func NewContract() *Contract {
	contract := &Contract{}
	contract.Name = "identity"
	contract.TransactionContextHandler = &service.Context{}
	return contract
}

// GetEvaluateTransactions names the functions that only read.
func (*Contract) GetEvaluateTransactions() []string {
	return []string{"Resolve", "GetIssuer", "GetEnrolment", "GetSession"}
}

// ProposeIssuer records an institution's lender CA certificate for the
// Regulator to confirm. An unconfirmed proposal is replaced by a new one.
func (*Contract) ProposeIssuer(ctx *service.Context, document string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return proposeIssuer(ctx.Tx(), caller, []byte(document))
}

// ConfirmIssuer makes a proposed lender CA the institution's issuer.
func (*Contract) ConfirmIssuer(ctx *service.Context, institution, thumbprint string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return confirmIssuer(ctx.Tx(), caller, institution, thumbprint)
}

// Enrol records lenders' pseudonyms and certificates, with a verdict for each.
func (*Contract) Enrol(ctx *service.Context, documents string) ([]byte, error) {
	return enrol(ctx.Tx(), []byte(documents))
}

// RecordSessions records passed identity checks, with a verdict for each.
func (*Contract) RecordSessions(ctx *service.Context, documents string) ([]byte, error) {
	return recordSessions(ctx.Tx(), []byte(documents))
}

// Revoke ends the validity of a lender's certificate.
func (*Contract) Revoke(ctx *service.Context, document string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return revoke(ctx.Tx(), caller, []byte(document))
}

// Resolve answers arbitration's question about the voters of a batch.
func (*Contract) Resolve(ctx *service.Context, questions string) ([]byte, error) {
	return resolve(ctx.Tx(), []byte(questions))
}

// GetIssuer returns an institution's issuer record.
func (*Contract) GetIssuer(ctx *service.Context, institution string) ([]byte, error) {
	return getIssuer(ctx.Tx(), institution)
}

// GetEnrolment returns a lender's enrolment record.
func (*Contract) GetEnrolment(ctx *service.Context, sub string) ([]byte, error) {
	return getEnrolment(ctx.Tx(), sub)
}

// GetSession returns a session record.
func (*Contract) GetSession(ctx *service.Context, session string) ([]byte, error) {
	return getSession(ctx.Tx(), session)
}
