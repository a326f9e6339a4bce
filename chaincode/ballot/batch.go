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

// compactEntry has a ballot's values, from which the exact bytes that the
// lender signed are rebuilt.
type compactEntry struct {
	_         struct{} `cbor:",toarray"`
	Kind      uint64
	Sub       []byte
	Seq       uint64
	Session   []byte
	IssuedAt  uint64            // Unix seconds
	Votes     []cbor.RawMessage // by motion: an index, or an array of them
	Signature []byte
	AckNumber uint64
	AckTime   uint64
	Leaf      compactLeaf
	Proof     [][]byte

	indexes []voteIndexes // Votes, read
}

// voteIndexes is a compact vote: choices by their positions in the motion.
type voteIndexes struct {
	choices []uint64
	array   bool
}

type compactLeaf struct {
	_      struct{} `cbor:",toarray"`
	Index  uint64
	Salt   []byte
	Claims []compactClaim
}

type compactClaim struct {
	_     struct{} `cbor:",toarray"`
	Class uint64
	Fen   uint64
}

// rawEntry has a ballot as the JWS itself, and the leaf's exact bytes.
type rawEntry struct {
	_         struct{} `cbor:",toarray"`
	Kind      uint64
	JWS       string
	Leaf      []byte
	Index     uint64
	Proof     [][]byte
	AckNumber uint64
	AckTime   uint64
}

const (
	kindCompact    = 0
	kindRaw        = 1
	compactMembers = 11
	rawMembers     = 7
)

// arrayHead is the head of a CBOR array of fewer than 24 items.
func arrayHead(items byte) byte { return 0x80 | items }

// decodeEntry reads an entry of a batch that CheckCBOR has passed: one of the
// two results is set. It refuses ENTRY_TOO_LARGE, then ENTRY_FORMAT.
func decodeEntry(data []byte) (*compactEntry, *rawEntry, error) {
	if len(data) > maxEntry {
		return nil, nil, refusal.New(refusal.EntryTooLarge, "%d bytes", len(data))
	}
	malformed := refusal.New(refusal.EntryFormat, "")
	if len(data) < 2 {
		return nil, nil, malformed
	}
	switch {
	case data[0] == arrayHead(compactMembers) && data[1] == kindCompact:
		entry := &compactEntry{}
		if err := canonical.UnmarshalCBOR(data, entry); err != nil || !entry.sized() || !entry.readVotes() {
			return nil, nil, malformed
		}
		return entry, nil, nil
	case data[0] == arrayHead(rawMembers) && data[1] == kindRaw:
		entry := &rawEntry{}
		if err := canonical.UnmarshalCBOR(data, entry); err != nil ||
			!hashes(entry.Proof) || !countable(entry.AckNumber) {
			return nil, nil, malformed
		}
		return nil, entry, nil
	}
	return nil, nil, malformed
}

// sized says whether the strings of an entry have the sizes due.
func (e *compactEntry) sized() bool {
	return len(e.Sub) == 16 && len(e.Session) == 16 && len(e.Signature) == SignatureSize &&
		len(e.Leaf.Salt) == saltSize && hashes(e.Proof) && countable(e.AckNumber)
}

// readVotes reads the votes; false if one is neither an integer nor an array
// of them.
func (e *compactEntry) readVotes() bool {
	const majorMask, majorArray = 0xe0, 0x80
	e.indexes = make([]voteIndexes, len(e.Votes))
	for i, item := range e.Votes {
		vote := &e.indexes[i]
		if vote.array = item[0]&majorMask == majorArray; vote.array {
			if canonical.DecodeCBOR(item, &vote.choices) != nil {
				return false
			}
			continue
		}
		vote.choices = make([]uint64, 1)
		if canonical.DecodeCBOR(item, &vote.choices[0]) != nil {
			return false
		}
	}
	return true
}

func hashes(proof [][]byte) bool {
	for _, node := range proof {
		if len(node) != 32 {
			return false
		}
	}
	return true
}

// countable says whether an acknowledgement can have the number: they count
// from 1, in JSON.
func countable(number uint64) bool { return number >= 1 && number <= canonical.MaxInteger }
