package arbitration

import (
	"crypto/sha256"
	"encoding/hex"

	"concordat/chaincode/ledger"
	"concordat/chaincode/refusal"
	"concordat/chaincode/tally"
)

// checkCertifiable refuses to certify without an audit (AUDIT_MISSING) that is
// consistent (AUDIT_NEGATIVE), came to the stored result (AUDIT_MISMATCH) and
// has a tree head over all that was counted (AUDIT_SIZE); while an objection
// is undecided (OBJECTION_OPEN); and while what an award asks for is not done
// (AWARD_UNMET). How many ballots were replaced is not counted here: that the
// head is over them too is for the audits to find.
func checkCertifiable(tx ledger.Tx, id string) error {
	values, err := tx.GetMany([]string{auditKey(id), resultKey(id)})
	if err != nil {
		return err
	}
	if values[0] == nil {
		return refusal.New(refusal.AuditMissing, "%s", id)
	}
	audit, err := decode[auditRecord](values[0])
	if err != nil {
		return err
	}
	if audit.Verdict != consistent {
		return refusal.New(refusal.AuditNegative, "%s", audit.Verdict)
	}
	sum := sha256.Sum256(values[1])
	if stored := hex.EncodeToString(sum[:]); audit.Result != stored {
		return refusal.New(refusal.AuditMismatch, "the result stored is %s", stored)
	}
	result, err := decode[tally.Result](values[1])
	if err != nil {
		return err
	}
	if audit.Size < result.Ballots {
		return refusal.New(refusal.AuditSize, "%d leaves where %d ballots count", audit.Size, result.Ballots)
	}
	return checkDisputes(tx, id, audit.Transaction)
}
