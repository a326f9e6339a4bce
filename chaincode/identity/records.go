package identity

import (
	"encoding/json"
	"fmt"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
)

// Issuer is an institution's lender CA as the channel holds it.
type Issuer struct {
	Version     int    `json:"v"`
	Institution string `json:"institution"`
	Certificate string `json:"certificate"` // DER in standard base64
	Thumbprint  string `json:"x5t"`
	Status      string `json:"status"` // proposed | confirmed
	Transaction string `json:"tx"`
}

// Enrolment is a lender as the channel holds it.
type Enrolment struct {
	Version     int    `json:"v"`
	Sub         string `json:"sub"`
	Certificate string `json:"certificate"` // DER in standard base64
	Thumbprint  string `json:"x5t"`
	Institution string `json:"institution"`
	Method      string `json:"method"`
	Commitment  string `json:"commitment"`
	Status      string `json:"status"` // active | revoked
	Revision    uint64 `json:"rev"`    // rises with every change, from 1
	Reason      string `json:"reason,omitempty"`
	Transaction string `json:"tx"`
}

// Session is a passed identity check as the channel holds it.
type Session struct {
	Version     int    `json:"v"`
	Session     string `json:"ses"`
	Sub         string `json:"sub"`
	Act         string `json:"act,omitempty"` // for whom a proxy's ballot will be cast
	Thumbprint  string `json:"x5t"`
	Institution string `json:"institution"`
	Meeting     string `json:"mtg"`
	Method      string `json:"method"`
	Outcome     string `json:"outcome"`
	Commitment  string `json:"commitment"`
	Issued      string `json:"issued_at"`
	Expires     string `json:"expires_at"`
	Transaction string `json:"tx"`
}

// Statuses of the records.
const (
	proposed  = "proposed"
	confirmed = "confirmed"
	active    = "active"
	revoked   = "revoked"
)

func issuerKey(institution string) string { return ledger.Key("issuer", institution) }
func enrolmentKey(sub string) string      { return ledger.Key("enrolment", sub) }
func sessionKey(session string) string    { return ledger.Key("session", session) }

// decode reads a record that this chaincode wrote; nil gives nil.
func decode[Record any](value []byte) (*Record, error) {
	if value == nil {
		return nil, nil
	}
	record := new(Record)
	if err := json.Unmarshal(value, record); err != nil {
		return nil, fmt.Errorf("stored record: %w", err)
	}
	return record, nil
}

func read[Record any](tx ledger.Tx, key string) (*Record, error) {
	value, err := tx.Get(key)
	if err != nil {
		return nil, err
	}
	return decode[Record](value)
}

// readMany reads the records under distinct keys at once.
func readMany[Record any](tx ledger.Tx, keys []string) (map[string]*Record, error) {
	values, err := tx.GetMany(keys)
	if err != nil {
		return nil, err
	}
	records := make(map[string]*Record, len(keys))
	for i, key := range keys {
		record, err := decode[Record](values[i])
		if err != nil {
			return nil, err
		}
		records[key] = record
	}
	return records, nil
}

// write stores a record in canonical form and returns the bytes stored.
func write(tx ledger.Tx, key string, record any) ([]byte, error) {
	value, err := canonical.Marshal(record)
	if err != nil {
		return nil, err
	}
	return value, tx.Put(key, value)
}
