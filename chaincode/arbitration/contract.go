// Package arbitration is the chaincode of an institution's channel: what was
// decided. It holds meetings and their states, the ballots, their subtotals
// and the result.
package arbitration

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"concordat/chaincode/service"
)

// Contract offers arbitration's functions. Each parses its arguments and runs
// one transition; who may call it is decided before (package authority).
type Contract struct {
	contractapi.Contract
	rangeLimit int
}

// NewContract makes the contract for peers that end range queries at
// rangeLimit results (see RangeLimit).
func NewContract(rangeLimit int) *Contract {
	contract := &Contract{rangeLimit: rangeLimit}
	contract.Name = "arbitration"
	contract.TransactionContextHandler = &service.Context{}
	return contract
}

// GetEvaluateTransactions names the functions that only read.
func (*Contract) GetEvaluateTransactions() []string {
	return []string{
		"GetMeeting", "GetBallot", "GetBallotHistory", "GetMandate", "GetAmendments", "GetResult", "ListMeetings",
		"GetObjection", "ListObjections",
	}
}

// ProposeMeeting stores a meeting's record and its roll's cap as a draft.
func (*Contract) ProposeMeeting(ctx *service.Context, record, cap string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return proposeMeeting(ctx.Tx(), caller, []byte(record), []byte(cap))
}

// ConfirmMeeting announces a draft, which its mh names.
func (*Contract) ConfirmMeeting(ctx *service.Context, meeting, mh string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return confirmMeeting(ctx.Tx(), caller, meeting, mh)
}

// ProposeStep asks for a meeting's next state.
func (c *Contract) ProposeStep(ctx *service.Context, meeting, step string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return c.proposeStep(ctx.Tx(), caller, meeting, []byte(step))
}

// ConfirmStep takes a proposed step, which its digest names.
func (c *Contract) ConfirmStep(ctx *service.Context, meeting, digest string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return c.confirmStep(ctx.Tx(), caller, meeting, digest)
}

// ProposeAmendment asks for a change of a meeting's frozen roll.
func (*Contract) ProposeAmendment(ctx *service.Context, document string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return proposeAmendment(ctx.Tx(), caller, []byte(document))
}

// ConfirmAmendment takes a proposed amendment, which its digest names.
func (*Contract) ConfirmAmendment(ctx *service.Context, meeting, digest string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return confirmAmendment(ctx.Tx(), caller, meeting, digest)
}

// SubmitBallots verifies and records a batch of ballots.
func (*Contract) SubmitBallots(ctx *service.Context, batch string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return submitBallots(ctx.Tx(), caller, []byte(batch))
}

// RecordMandates records lenders' mandates, each of which lets another cast
// its ballot.
func (*Contract) RecordMandates(ctx *service.Context, meeting, mandates string) ([]byte, error) {
	return recordMandates(ctx.Tx(), meeting, []byte(mandates))
}

// RevokeMandate ends a mandate by its principal's word.
func (*Contract) RevokeMandate(ctx *service.Context, meeting, revocation string) ([]byte, error) {
	return revokeMandate(ctx.Tx(), meeting, revocation)
}

// AnchorAudit records an audit of the independent verification, with the tree
// head over the ballots that it accepted.
func (*Contract) AnchorAudit(ctx *service.Context, document string) ([]byte, error) {
	return anchorAudit(ctx.Tx(), []byte(document))
}

// FileObjection records a lender's objection, which a door had at a time.
func (*Contract) FileObjection(ctx *service.Context, objection, ackTime string) ([]byte, error) {
	caller, err := ctx.Caller()
	if err != nil {
		return nil, err
	}
	return fileObjection(ctx.Tx(), caller.MSP, objection, ackTime)
}

// AnswerObjection records the institution's answer to an objection.
func (*Contract) AnswerObjection(ctx *service.Context, document string) ([]byte, error) {
	return answerObjection(ctx.Tx(), []byte(document))
}

// DecideObjection records the arbitration commission's award on an objection.
func (*Contract) DecideObjection(ctx *service.Context, document string) ([]byte, error) {
	return decideObjection(ctx.Tx(), []byte(document))
}

// GetMeeting returns a meeting's record, mh, state and pending step.
func (c *Contract) GetMeeting(ctx *service.Context, meeting string) ([]byte, error) {
	return c.getMeeting(ctx.Tx(), meeting)
}

// GetBallot returns the ballot that stands for a voter, or null.
func (*Contract) GetBallot(ctx *service.Context, meeting, sub string) ([]byte, error) {
	return getBallot(ctx.Tx(), meeting, sub)
}

// GetBallotHistory returns every ballot that ever stood for a voter, oldest
// first, each with its transaction.
func (*Contract) GetBallotHistory(ctx *service.Context, meeting, sub string) ([]byte, error) {
	return getBallotHistory(ctx.Tx(), meeting, sub)
}

// GetAmendments returns a meeting's amendments, the one that waits, and what
// they made of the roll.
func (*Contract) GetAmendments(ctx *service.Context, meeting string) ([]byte, error) {
	return getAmendments(ctx.Tx(), meeting)
}

// GetMandate returns the last mandate that a lender gave, or null.
func (*Contract) GetMandate(ctx *service.Context, meeting, sub string) ([]byte, error) {
	return getMandate(ctx.Tx(), meeting, sub)
}

// GetResult returns a closed meeting's result.
func (*Contract) GetResult(ctx *service.Context, meeting string) ([]byte, error) {
	return getResult(ctx.Tx(), meeting)
}

// GetObjection returns an objection with its answer and its award, or null for
// each of these that there isn't.
func (*Contract) GetObjection(ctx *service.Context, meeting, objection string) ([]byte, error) {
	return getObjection(ctx.Tx(), meeting, objection)
}

// ListObjections returns a meeting's objections in the order of their ids.
func (c *Contract) ListObjections(ctx *service.Context, meeting string) ([]byte, error) {
	return c.listObjections(ctx.Tx(), meeting)
}

// ListMeetings returns every meeting's id, title, mh and state.
func (c *Contract) ListMeetings(ctx *service.Context) ([]byte, error) {
	return c.listMeetings(ctx.Tx())
}
