package arbitration

import (
	"errors"

	"concordat/chaincode/authority"
	"concordat/chaincode/ledger"
)

var errTodo = errors.New("not built yet")

func proposeMeeting(ledger.Tx, []byte, []byte) ([]byte, error)                { return nil, errTodo }
func confirmMeeting(ledger.Tx, string, string) ([]byte, error)                { return nil, errTodo }
func proposeStep(ledger.Tx, authority.Caller, string, []byte) ([]byte, error) { return nil, errTodo }
func confirmStep(ledger.Tx, authority.Caller, string, string) ([]byte, error) { return nil, errTodo }
func submitBallots(ledger.Tx, authority.Caller, []byte) ([]byte, error)       { return nil, errTodo }
func anchorAudit(ledger.Tx, []byte) ([]byte, error)                           { return nil, errTodo }
func getMeeting(ledger.Tx, string) ([]byte, error)                            { return nil, errTodo }
func getBallot(ledger.Tx, string, string) ([]byte, error)                     { return nil, errTodo }
func getResult(ledger.Tx, string) ([]byte, error)                             { return nil, errTodo }
func listMeetings(ledger.Tx) ([]byte, error)                                  { return []byte("[]"), nil }
