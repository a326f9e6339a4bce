package ballot

import (
	"github.com/fxamacker/cbor/v2"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// Limits of a batch, in bytes.
const (
	MaxBatch = 4_000_000
	maxEntry = 4096
)

// Batch is what a relay submits, its entries not yet read.
type Batch struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Meeting string
	Entries []cbor.RawMessage
}

// DecodeBatch reads a batch. It refuses, in order, BATCH_TOO_LARGE,
// BATCH_FORMAT for whatever is not deterministic CBOR throughout,
// BATCH_MEETING and BATCH_EMPTY.
func DecodeBatch(data []byte) (*Batch, error) {
	if len(data) > MaxBatch {
		return nil, refusal.New(refusal.BatchTooLarge, "%d bytes", len(data))
	}
	if err := canonical.CheckCBOR(data); err != nil {
		return nil, refusal.Because(refusal.BatchFormat, err)
	}
	batch := &Batch{}
	if err := canonical.DecodeCBOR(data, batch); err != nil || batch.Version != 1 {
		return nil, refusal.New(refusal.BatchFormat, "not [1, meeting id, entries]")
	}
	if !canonical.IsName(batch.Meeting, 40) {
		return nil, refusal.New(refusal.BatchMeeting, "")
	}
	if len(batch.Entries) == 0 {
		return nil, refusal.New(refusal.BatchEmpty, "")
	}
	return batch, nil
}

// rebuiltEntry has a ballot's values, from which the exact bytes that its
// signer signed are rebuilt.
type rebuiltEntry struct {
	sub       []byte
	seq       uint64
	session   []byte
	issuedAt  uint64        // Unix seconds
	votes     []voteIndexes // by motion, in the record's order
	signature []byte
	ackNumber uint64
	ackTime   uint64
	leaf      *compactLeaf // nil where an amendment has it
	proof     [][]byte
	mandate   []byte // its digest where a proxy signed, or nil
}

// voteIndexes is a compact vote: choices by their positions in the motion.
type voteIndexes struct {
	choices []uint64
	array   bool
}

type compactLeaf struct {
	index    uint64
	salt     []byte
	claims   []compactClaim
	excluded []uint64 // motions by their positions in the record
}

type compactClaim struct {
	class    uint64
	fen      uint64
	decision []byte // 32 bytes for a disputed claim, or nil
}

// rawEntry has a ballot as the JWS itself, and the leaf's exact bytes.
type rawEntry struct {
	jws       string
	leaf      []byte
	index     uint64
	proof     [][]byte
	ackNumber uint64
	ackTime   uint64
}

// Kinds of entries, and how many members each has.
const (
	kindCompact = 0
	kindRaw     = 1
	kindProxy   = 2
	kindAmended = 3

	rebuiltMembers = 9
	compactMembers = rebuiltMembers + 2
	rawMembers     = 7
)

// decodeEntry reads an entry of a batch that CheckCBOR has passed: one of the
// two results is set. It refuses ENTRY_TOO_LARGE, then ENTRY_FORMAT.
func decodeEntry(data []byte) (rebuilt *rebuiltEntry, raw *rawEntry, err error) {
	if len(data) > maxEntry {
		return nil, nil, refusal.New(refusal.EntryTooLarge, "%d bytes", len(data))
	}
	cursor := canonical.NewCursor(data)
	members, kind := cursor.Array(), cursor.Uint()
	switch {
	case kind == kindCompact && members == compactMembers,
		kind == kindProxy && members == compactMembers+1:
		rebuilt = readRebuilt(cursor)
		rebuilt.leaf = readLeaf(cursor)
		rebuilt.proof = readHashes(cursor)
	case kind == kindAmended && (members == rebuiltMembers || members == rebuiltMembers+1):
		rebuilt = readRebuilt(cursor)
	case kind == kindRaw && members == rawMembers:
		raw = &rawEntry{
			jws: cursor.Text(), leaf: cursor.Bytes(), index: cursor.Uint(), proof: readHashes(cursor),
			ackNumber: readNumber(cursor), ackTime: cursor.Uint(),
		}
	default:
		cursor.Fail()
	}
	if kind == kindProxy || kind == kindAmended && members > rebuiltMembers {
		if mandate := cursor.Sized(hashSize); rebuilt != nil {
			rebuilt.mandate = mandate
		}
	}
	if !cursor.Done() {
		return nil, nil, refusal.New(refusal.EntryFormat, "")
	}
	return rebuilt, raw, nil
}

const (
	idSize   = 16
	hashSize = 32
)

func readRebuilt(cursor *canonical.Cursor) *rebuiltEntry {
	return &rebuiltEntry{
		sub: cursor.Sized(idSize), seq: cursor.Uint(), session: cursor.Sized(idSize), issuedAt: cursor.Uint(),
		votes: readIndexes(cursor), signature: cursor.Sized(SignatureSize),
		ackNumber: readNumber(cursor), ackTime: cursor.Uint(),
	}
}

func readIndexes(cursor *canonical.Cursor) []voteIndexes {
	votes := make([]voteIndexes, cursor.Array())
	for i := range votes {
		if votes[i].array = cursor.AtArray(); votes[i].array {
			votes[i].choices = cursor.Uints()
		} else {
			votes[i].choices = []uint64{cursor.Uint()}
		}
	}
	return votes
}

func readLeaf(cursor *canonical.Cursor) *compactLeaf {
	members := cursor.Array()
	leaf := &compactLeaf{index: cursor.Uint(), salt: cursor.Sized(saltSize), claims: readCompactClaims(cursor)}
	switch members {
	case 3:
	case 4:
		if leaf.excluded = cursor.Uints(); len(leaf.excluded) == 0 {
			cursor.Fail() // nothing excluded is not written
		}
	default:
		cursor.Fail()
	}
	return leaf
}

func readCompactClaims(cursor *canonical.Cursor) []compactClaim {
	claims := make([]compactClaim, cursor.Array())
	for i := range claims {
		members := cursor.Array()
		claims[i] = compactClaim{class: cursor.Uint(), fen: cursor.Uint()}
		switch members {
		case 2:
		case 3:
			claims[i].decision = cursor.Sized(hashSize)
		default:
			cursor.Fail()
		}
	}
	return claims
}

func readHashes(cursor *canonical.Cursor) [][]byte {
	proof := make([][]byte, cursor.Array())
	for i := range proof {
		proof[i] = cursor.Sized(hashSize)
	}
	return proof
}

// readNumber reads the number of an acknowledgement: they count from 1, in
// JSON.
func readNumber(cursor *canonical.Cursor) uint64 {
	number := cursor.Uint()
	if number < 1 || number > canonical.MaxInteger {
		cursor.Fail()
	}
	return number
}
