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
// (AWARD_UNMET).
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

// checkDisputes refuses while an objection is undecided (OBJECTION_OPEN), and
// while a remedy is outstanding (AWARD_UNMET): a recount is an audit that was
// anchored after the award, a new vote another meeting. The first of each is
// enough, so that no number of objections or awards stands in the way. The
// queries over ranges that had to be empty make a certification invalid that
// an objection or an award overtakes.
func checkDisputes(tx ledger.Tx, id, anchor string) error {
	for _, outstanding := range []struct {
		kind       string
		attributes []string
		code       refusal.Code
	}{
		{undecidedKind, []string{id}, refusal.ObjectionOpen},
		{remedyKind, []string{id, remedyRevote}, refusal.AwardUnmet},
		{remedyKind, []string{id, anchor}, refusal.AwardUnmet},
	} {
		_, err := tx.Scan(outstanding.kind, outstanding.attributes, func(value []byte) error {
			first, err := decode[outstandingRecord](value)
			if err != nil {
				return err
			}
			return refusal.New(outstanding.code, "%s", first.Objection)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
