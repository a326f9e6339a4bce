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
func (c *Contract) checkCertifiable(tx ledger.Tx, id string) error {
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
	return c.checkDisputes(tx, id, audit.Transaction)
}

// checkDisputes refuses while an objection is undecided, and while a remedy is
// outstanding. Only these are looked at, so that no number of objections that
// were decided stands in the way. The queries over whole ranges make a
// certification invalid that an objection overtakes.
func (c *Contract) checkDisputes(tx ledger.Tx, id, anchor string) error {
	undecided, err := tx.Scan(undecidedKind, []string{id}, func([]byte) error { return nil })
	if err != nil {
		return err
	}
	if undecided > 0 {
		return refusal.New(refusal.ObjectionOpen, "%d", undecided)
	}
	due, err := tx.Scan(remedyKind, []string{id}, func(value []byte) error {
		remedy, err := decode[remedyRecord](value)
		if err != nil {
			return err
		}
		return remedy.checkMet(anchor)
	})
	if err != nil {
		return err
	}
	if due >= c.rangeLimit {
		return refusal.New(refusal.RangeLimit, "%d remedies", due)
	}
	return nil
}

// checkMet refuses (AWARD_UNMET) while the remedy is outstanding: a recount is
// an audit that was anchored after the award; a new vote is another meeting.
func (r *remedyRecord) checkMet(anchor string) error {
	if r.Remedy == remedyRevote || r.Anchor == anchor {
		return refusal.New(refusal.AwardUnmet, "%s asks for a %s", r.Objection, r.Remedy)
	}
	return nil
}
