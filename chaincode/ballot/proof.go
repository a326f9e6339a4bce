package ballot

import (
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
)

// VerifyProof refuses (ROLL_PROOF) a leaf that the path does not prove under
// the roll's cap: the path is RFC 9162's audit path (section 2.1.3) within
// the aligned run of 2^cap_height leaves that the index falls in.
func VerifyProof(leaf []byte, index uint64, path [][]byte, roll *meeting.Roll, cap meeting.Cap) error {
	return VerifyPath(rfc6962.DefaultHasher.HashLeaf(leaf), index, path, roll, cap)
}

// VerifyPath is VerifyProof for a leaf's hash.
func VerifyPath(hash []byte, index uint64, path [][]byte, roll *meeting.Roll, cap meeting.Cap) error {
	if index >= roll.Size || index>>roll.CapHeight >= uint64(cap.Len()) {
		return refusal.New(refusal.RollProof, "there is no leaf %d", index)
	}
	run := index >> roll.CapHeight
	start := run << roll.CapHeight
	size := min(uint64(1)<<roll.CapHeight, roll.Size-start)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index-start, size, hash, path, cap.Node(run)); err != nil {
		return refusal.New(refusal.RollProof, "")
	}
	return nil
}
