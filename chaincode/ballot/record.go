package ballot

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/meeting"
)

// Counted is what of a ballot counts: the lender's claims, the motions that it
// is excluded from, and the answers.
type Counted struct {
	Claims   []Claim
	Excluded []string
	Votes    []Vote // in the order of the motions' ids
}

// Record is a ballot as the channel holds it for a voter. What the block says
// already, the transaction that wrote it, is not repeated.
type Record struct {
	Counted
	Door      string // MSP whose relay submitted the acknowledged ballot
	AckNumber uint64
	AckTime   uint64 // Unix seconds
	Digest    string
	Revision  uint64 // of the enrolment that the verdict relied on
	Seq       int64
	Session   string
	Proxy     string // pseudonym of the one who signed for the voter, or ""
}

const (
	recordVersion = 1
	recordMembers = 10 // and two more where the voter is excluded or a proxy signed
)

// doors by their numbers in a record.
var doors = []string{authority.Association, authority.Regulator}

// Encode writes the record in deterministic CBOR: choices, classes and motions
// by their positions in the meeting's record, since bytes are what a block
// costs. The error says that the record holds something that no verdict lets
// through.
func (r *Record) Encode(m *meeting.Meeting) ([]byte, error) {
	door := slices.Index(doors, r.Door)
	digest, err := canonical.FromBase64Sized(r.Digest, hashSize)
	if err != nil || door < 0 || r.Seq < 1 {
		return nil, errors.New("a ballot's record of no door, digest or seq")
	}
	session, err := canonical.FromBase64Sized(r.Session, idSize)
	if err != nil {
		return nil, err
	}
	special := len(r.Excluded) > 0 || r.Proxy != ""
	members := recordMembers
	if special {
		members += 2
	}
	data := canonical.AppendArray(make([]byte, 0, 160), members)
	for _, number := range []uint64{recordVersion, uint64(door), r.AckNumber, r.AckTime} {
		data = canonical.AppendUint(data, number)
	}
	if data, err = appendClaimIndexes(data, r.Claims, &m.Roll); err != nil {
		return nil, err
	}
	data = canonical.AppendBytes(data, digest)
	data = canonical.AppendUint(canonical.AppendUint(data, r.Revision), uint64(r.Seq))
	data = appendVoteIndexes(canonical.AppendBytes(data, session), r.Votes, m)
	if !special {
		return data, nil
	}
	var proxy []byte
	if r.Proxy != "" {
		if proxy, err = canonical.FromBase64Sized(r.Proxy, idSize); err != nil {
			return nil, err
		}
	}
	return canonical.AppendBytes(appendMotionIndexes(data, r.Excluded, m), proxy), nil
}

// DecodeRecord reads a record of a meeting that Encode wrote.
func DecodeRecord(data []byte, m *meeting.Meeting) (*Record, error) {
	record, err := decodeRecord(data, m)
	if err != nil {
		return nil, fmt.Errorf("stored ballot: %w", err)
	}
	return record, nil
}

func decodeRecord(data []byte, m *meeting.Meeting) (*Record, error) {
	cursor := canonical.NewCursor(data)
	members, version, door := cursor.Array(), cursor.Uint(), cursor.Uint()
	record := &Record{AckNumber: cursor.Uint(), AckTime: cursor.Uint()}
	claims := readCompactClaims(cursor)
	record.Digest = canonical.Base64(cursor.Sized(hashSize))
	record.Revision, record.Seq = cursor.Uint(), int64(cursor.Uint())
	record.Session = canonical.Base64(cursor.Sized(idSize))
	votes := readIndexes(cursor)
	var excluded []uint64
	if members == recordMembers+2 {
		excluded = cursor.Uints()
		proxy := cursor.Bytes()
		if len(proxy) != 0 && len(proxy) != idSize || len(proxy)+len(excluded) == 0 {
			cursor.Fail()
		}
		record.Proxy = canonical.Base64(proxy)
	} else if members != recordMembers {
		cursor.Fail()
	}
	if !cursor.Done() || version != recordVersion || door >= uint64(len(doors)) {
		return nil, errors.New("not a ballot's record")
	}
	record.Door = doors[door]
	var err error
	if record.Claims, err = claimsOf(claims, &m.Roll); err != nil {
		return nil, err
	}
	if record.Excluded, err = motionsOf(excluded, m); err != nil {
		return nil, err
	}
	record.Votes, err = chosenBy(votes, m, record.Proxy != "")
	return record, err
}

// JSON is the record as queries answer it, in canonical form; no value in it
// needs escaping.
func (r *Record) JSON() ([]byte, error) {
	ackTime, err := canonical.Time(r.AckTime)
	if err != nil {
		return nil, err
	}
	text := make([]byte, 0, 512)
	text = append(append(text, `{"ack":{"door":"`...), r.Door...)
	text = strconv.AppendUint(append(text, `","no":`...), r.AckNumber, 10)
	text = append(append(text, `,"time":"`...), ackTime...)
	text = AppendClaims(append(text, `"},"claims":`...), r.Claims)
	text = append(append(text, `,"digest":"`...), r.Digest...)
	text = strconv.AppendUint(append(text, `","enr":`...), r.Revision, 10)
	if len(r.Excluded) > 0 {
		text = appendNames(append(text, `,"excluded":`...), r.Excluded)
	}
	if r.Proxy != "" {
		text = append(append(append(text, `,"proxy":"`...), r.Proxy...), '"')
	}
	text = strconv.AppendInt(append(text, `,"seq":`...), r.Seq, 10)
	text = append(append(text, `,"ses":"`...), r.Session...)
	text = AppendVotes(append(text, `","v":1,"votes":`...), r.Votes)
	return append(text, '}'), nil
}

// Entitle lets the ballot count with what its lender is entitled to now; nil
// takes it out of the count, and it stays as the one that the lender cast.
func (r *Record) Entitle(after *Entitlement) {
	stands := after.leaf("", "")
	r.Claims, r.Excluded = stands.Claims, Uncounted(stands.Excluded, r.Votes)
}

// Uncounted lists, in ascending order, the motions that a ballot counts for
// nothing: those that its voter is excluded from, and those that it leaves
// without an answer, since a proxy's mandate does not cover them.
func Uncounted(excluded []string, votes []Vote) []string {
	uncounted := slices.Clone(excluded)
	for _, vote := range votes {
		if len(vote.Choices) == 0 {
			uncounted = append(uncounted, vote.Motion)
		}
	}
	slices.Sort(uncounted)
	return slices.Compact(uncounted)
}
