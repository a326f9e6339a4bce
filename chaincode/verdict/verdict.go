// Package verdict is what a batch function answers: one verdict an entry.
package verdict

import (
	"strconv"

	"concordat/chaincode/refusal"
)

// List collects verdicts by entry index, in rising order. Entries that no
// list names were accepted.
type List struct {
	accepted int
	held     []int
	pending  []entry
	refused  []entry
}

type entry struct {
	index    int
	code     refusal.Code
	revision uint64
}

// Accept counts an entry that this transaction records.
func (l *List) Accept() { l.accepted++ }

// Hold lists an entry that was recorded before: a success, without effect.
func (l *List) Hold(index int) { l.held = append(l.held, index) }

// Wait lists an entry that refers to a record that is not there yet. That is
// no verdict: the sender tries it again.
func (l *List) Wait(index int, code refusal.Code) {
	l.pending = append(l.pending, entry{index: index, code: code})
}

// Refuse lists an entry that is refused for good, with the revision of the
// enrolment that the verdict relied on, 0 for none.
func (l *List) Refuse(index int, code refusal.Code, revision uint64) {
	l.refused = append(l.refused, entry{index: index, code: code, revision: revision})
}

// Settle notes what was decided about an item: refused for a reason with a
// code, pending, held already, or else accepted. It says whether it was
// accepted, and returns a reason that has no code, which is about no item.
func (l *List) Settle(
	index int, refused error, pending refusal.Code, held bool, revision uint64,
) (accepted bool, err error) {
	code, coded := refusal.CodeOf(refused)
	switch {
	case coded:
		l.Refuse(index, code, revision)
	case refused != nil:
		return false, refused
	case pending != "":
		l.Wait(index, pending)
	case held:
		l.Hold(index)
	default:
		l.Accept()
		return true, nil
	}
	return false, nil
}

// Accepted is how many entries were accepted.
func (l *List) Accepted() int { return l.accepted }

// JSON is the canonical response:
//
//	{"accepted":n,"held":[i…],"pending":[[i,"CODE"]…],"refused":[[i,"CODE",revision]…],"v":1}
func (l *List) JSON() []byte {
	text := append([]byte(`{"accepted":`), strconv.Itoa(l.accepted)...)
	text = append(text, `,"held":[`...)
	for i, index := range l.held {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(index), 10)
	}
	text = append(text, `],"pending":[`...)
	for i, entry := range l.pending {
		text = append(entry.appendTo(text, i > 0), ']')
	}
	text = append(text, `],"refused":[`...)
	for i, entry := range l.refused {
		text = append(entry.appendTo(text, i > 0), ',')
		text = append(strconv.AppendUint(text, entry.revision, 10), ']')
	}
	return append(text, `],"v":1}`...)
}

// Counts is the canonical payload of a batch's event, for the meeting named.
func (l *List) Counts(meeting string) []byte {
	text := append([]byte(`{"accepted":`), strconv.Itoa(l.accepted)...)
	text = append(append(text, `,"held":`...), strconv.Itoa(len(l.held))...)
	text = append(append(append(text, `,"mtg":"`...), meeting...), '"')
	text = append(append(text, `,"pending":`...), strconv.Itoa(len(l.pending))...)
	text = append(append(text, `,"refused":`...), strconv.Itoa(len(l.refused))...)
	return append(text, `,"v":1}`...)
}

// appendTo writes `[index,"CODE"` and leaves the bracket open.
func (e entry) appendTo(text []byte, more bool) []byte {
	if more {
		text = append(text, ',')
	}
	text = strconv.AppendInt(append(text, '['), int64(e.index), 10)
	return append(append(append(text, `,"`...), e.code...), '"')
}
