package arbitration

import (
	"fmt"
	"strconv"

	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/tally"
)

// DefaultRangeLimit is a peer's default totalQueryLimit.
const DefaultRangeLimit = 100000

// RangeLimit reads the setting TOTAL_QUERY_LIMIT, which must be the peer's
// ledger.state.totalQueryLimit; empty means the default.
func RangeLimit(setting string) (int, error) {
	if setting == "" {
		return DefaultRangeLimit, nil
	}
	limit, err := strconv.Atoi(setting)
	if err != nil || limit < 2 {
		return 0, fmt.Errorf("TOTAL_QUERY_LIMIT is %q where an integer above 1 is due", setting)
	}
	return limit, nil
}

// writeResult sums the subtotals, applies the rules and stores the result.
// The step names how many ballots and subtotals its proposer and confirmer
// counted; anything else is CLOSE_COUNT.
func (c *Contract) writeResult(tx ledger.Tx, m *loaded, step *meeting.Step) error {
	total, found, err := c.sum(tx, m.ID)
	if err != nil {
		return err
	}
	if int64(found) != step.Subtotals || total.Ballots != step.Ballots {
		return refusal.New(refusal.CloseCount, "found %d ballots in %d subtotals, the step names %d in %d",
			total.Ballots, found, step.Ballots, step.Subtotals)
	}
	counted, err := amendedRoll(tx, m.Meeting)
	if err != nil {
		return err
	}
	result, err := total.Result(counted)
	if err != nil {
		return err
	}
	return tx.Put(resultKey(m.ID), result)
}

// amendedRoll is the meeting with the figures of its roll as amended: what is
// eligible at the close. Its hash stays that of the frozen record.
func amendedRoll(tx ledger.Tx, m *meeting.Meeting) (*meeting.Meeting, error) {
	overlay, err := readOverlay(tx, m)
	if err != nil {
		return nil, err
	}
	roll, err := overlay.Roll(&m.Roll)
	if err != nil {
		return nil, err
	}
	counted := *m
	counted.Roll = *roll
	return &counted, nil
}

// sum adds up a meeting's subtotals. A peer ends a range query at its limit
// without saying so; as many results as that are RANGE_LIMIT.
func (c *Contract) sum(tx ledger.Tx, id string) (*tally.Subtotal, int, error) {
	total := tally.New()
	found, err := tx.Scan("subtotal", []string{id}, func(value []byte) error {
		subtotal, err := tally.Decode(value)
		if err != nil {
			return err
		}
		return total.Merge(subtotal)
	})
	if err != nil {
		return nil, 0, err
	}
	if found >= c.rangeLimit {
		return nil, 0, refusal.New(refusal.RangeLimit, "%d results, limit %d", found, c.rangeLimit)
	}
	return total, found, nil
}
