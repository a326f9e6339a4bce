package arbitration

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// Keys of the records. A meeting's id is its first attribute, so that each
// kind of record of a meeting is a range of its own.
func meetingKey(id string) string          { return ledger.Key("meeting", id) }
func stateKey(id string) string            { return ledger.Key("state", id) }
func capKey(id string) string              { return ledger.Key("cap", id) }
func stepKey(id string) string             { return ledger.Key("step", id) }
func resultKey(id string) string           { return ledger.Key("result", id) }
func auditKey(id string) string            { return ledger.Key("audit", id) }
func ballotKey(id, sub string) string      { return ledger.Key("ballot", id, sub) }
func sessionKey(id, session string) string { return ledger.Key("session", id, session) }
func overlayKey(id string) string          { return ledger.Key("amendments", id) }
func amendmentKey(id string) string        { return ledger.Key("amendment", id) }
func successorKey(id string) string        { return ledger.Key("successor", id) }
func subtotalKey(id, tx string) string     { return ledger.Key("subtotal", id, tx) }

// amendedKey is where a confirmed amendment stays.
func amendedKey(id string, number int64) string {
	return ledger.Key("amended", id, strconv.FormatInt(number, 10))
}

// stateRecord is a meeting's state, apart from its record so that the record
// is never written again.
type stateRecord struct {
	Version     int           `json:"v"`
	State       meeting.State `json:"state"`
	Transaction string        `json:"tx"` // that set it
}

// stepRecord is a step that waits for confirmation.
type stepRecord struct {
	Version     int             `json:"v"`
	By          string          `json:"by"` // MSP that proposed it
	Digest      string          `json:"digest"`
	Step        json.RawMessage `json:"step"` // canonical
	Transaction string          `json:"tx"`
}

// loaded is a meeting with what the ledger holds about it.
type loaded struct {
	*meeting.Meeting
	record []byte
	state  meeting.State
}

// load reads a meeting's record and state; it refuses MEETING_NOT_FOUND.
func load(tx ledger.Tx, id string) (*loaded, error) {
	if !canonical.IsName(id, 40) {
		return nil, refusal.New(refusal.MeetingNotFound, "not a meeting id")
	}
	values, err := tx.GetMany([]string{meetingKey(id), stateKey(id)})
	if err != nil {
		return nil, err
	}
	if values[0] == nil || values[1] == nil {
		return nil, refusal.New(refusal.MeetingNotFound, "%s on %s", id, tx.Channel())
	}
	parsed, err := parsedMeeting(values[0])
	if err != nil {
		return nil, fmt.Errorf("stored meeting: %w", err)
	}
	state, err := decode[stateRecord](values[1])
	if err != nil {
		return nil, err
	}
	return &loaded{Meeting: parsed, record: values[0], state: state.State}, nil
}

// setState writes a meeting's new state and announces it.
func setState(tx ledger.Tx, id string, state meeting.State) error {
	if _, err := put(tx, stateKey(id), stateRecord{Version: 1, State: state, Transaction: tx.ID()}); err != nil {
		return err
	}
	event, err := canonical.Marshal(map[string]any{"v": 1, "mtg": id, "state": state})
	if err != nil {
		return err
	}
	return tx.Emit("step", event)
}

// put stores a record in canonical form and returns the bytes stored.
func put(tx ledger.Tx, key string, record any) ([]byte, error) {
	value, err := canonical.Marshal(record)
	if err != nil {
		return nil, err
	}
	return value, tx.Put(key, value)
}

// decode reads a record that this chaincode wrote.
func decode[Record any](value []byte) (*Record, error) {
	record := new(Record)
	if err := json.Unmarshal(value, record); err != nil {
		return nil, fmt.Errorf("stored record: %w", err)
	}
	return record, nil
}

// meetings caches parsed records by the hash of their bytes, which were read
// from the ledger in each transaction all the same.
var meetings = struct {
	sync.Mutex
	byHash map[string]*meeting.Meeting
}{byHash: map[string]*meeting.Meeting{}}

// cachedMeetings bounds the cache; beyond it, it starts anew.
const cachedMeetings = 64

func parsedMeeting(record []byte) (*meeting.Meeting, error) {
	hash := meeting.HashOf(record)
	meetings.Lock()
	defer meetings.Unlock()
	if parsed, ok := meetings.byHash[hash]; ok {
		return parsed, nil
	}
	parsed, err := meeting.Parse(record)
	if err != nil {
		return nil, err
	}
	if len(meetings.byHash) >= cachedMeetings {
		clear(meetings.byHash)
	}
	meetings.byHash[hash] = parsed
	return parsed, nil
}
