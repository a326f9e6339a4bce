package ballot

import (
	"fmt"
	"strconv"

	"concordat/chaincode/canonical"
)

// Record is a ballot as the channel holds it for a voter.
type Record struct {
	Door        string // MSP whose relay submitted the acknowledged ballot
	AckNumber   int64
	AckTime     string
	Claims      []Claim
	Digest      string
	Revision    uint64 // of the enrolment that the verdict relied on
	Seq         int64
	Session     string
	Transaction string
	Votes       []Vote
}

// Encode writes the canonical record; no value in it needs escaping.
func (r *Record) Encode() []byte {
	text := make([]byte, 0, 512)
	text = append(append(text, `{"ack":{"door":"`...), r.Door...)
	text = strconv.AppendInt(append(text, `","no":`...), r.AckNumber, 10)
	text = append(append(text, `,"time":"`...), r.AckTime...)
	text = AppendClaims(append(text, `"},"claims":`...), r.Claims)
	text = append(append(text, `,"digest":"`...), r.Digest...)
	text = strconv.AppendUint(append(text, `","enr":`...), r.Revision, 10)
	text = strconv.AppendInt(append(text, `,"seq":`...), r.Seq, 10)
	text = append(append(text, `,"ses":"`...), r.Session...)
	text = append(append(text, `","tx":"`...), r.Transaction...)
	text = AppendVotes(append(text, `","v":1,"votes":`...), r.Votes)
	return append(text, '}')
}

// DecodeRecord reads a record that Encode wrote.
func DecodeRecord(data []byte) (*Record, error) {
	record, err := decodeRecord(data)
	if err != nil {
		return nil, fmt.Errorf("stored ballot: %w", err)
	}
	return record, nil
}

func decodeRecord(data []byte) (*Record, error) {
	object, err := canonical.ParseObject(data)
	if err != nil {
		return nil, err
	}
	ack, err := object.Object("ack")
	if err != nil {
		return nil, err
	}
	record := &Record{}
	for _, member := range []struct {
		object canonical.Object
		name   string
		target *string
	}{
		{ack, "door", &record.Door},
		{ack, "time", &record.AckTime},
		{object, "digest", &record.Digest},
		{object, "ses", &record.Session},
		{object, "tx", &record.Transaction},
	} {
		if *member.target, err = member.object.Text(member.name); err != nil {
			return nil, err
		}
	}
	if record.AckNumber, err = ack.Integer("no"); err != nil {
		return nil, err
	}
	if record.Seq, err = object.Integer("seq"); err != nil {
		return nil, err
	}
	revision, err := object.Integer("enr")
	if err != nil {
		return nil, err
	}
	record.Revision = uint64(revision)
	if record.Claims, err = readClaims(object); err != nil {
		return nil, err
	}
	votes, err := object.Object("votes")
	if err != nil {
		return nil, err
	}
	record.Votes, err = readVotes(votes)
	return record, err
}
