package arbitration_test

import (
	"bytes"
	"errors"
	"maps"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
)

func wantVerdicts(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("verdicts %q, want %q", got, want)
	}
}

func TestCompactAndRawEntriesLeaveTheSameBallot(t *testing.T) {
	s := scene.New(t, scene.Options{Fillers: 4200, CapHeight: 3}).Open(1)
	cast := scene.Cast{Lender: s.Lenders[2], AckNo: 9}
	jws := s.JWS(cast)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.RawJWS(cast, jws)), "")
	stored := s.Network.State(scene.Channel, "ballot", s.Meeting.ID, cast.Lender.Sub)
	record, err := ballot.DecodeRecord(stored, s.Meeting)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := ballot.Parse(jws)
	if err != nil {
		t.Fatal(err)
	}
	if record.Digest != signed.Digest() || record.Revision != 1 || !slices.Equal(record.Claims, cast.Lender.Leaf.Claims) {
		t.Errorf("stored %x", stored)
	}
	// The same ballot as a compact entry rebuilds to the same digest.
	compact, err := ballot.ReadEntry(s.Compact(cast), s.Meeting)
	if err != nil {
		t.Fatal(err)
	}
	if digest := compact.Candidate.Complete(cast.Lender.X5t()).Digest(); digest != signed.Digest() {
		t.Errorf("digest %s, want %s", digest, signed.Digest())
	}
}

func TestARetriedBallotCountsOnce(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	cast := scene.Cast{Lender: s.Lenders[0]}
	jws := s.JWS(cast)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.RawJWS(cast, jws)), "")
	before := s.Network.State(scene.Channel, "ballot", s.Meeting.ID, cast.Lender.Sub)
	again := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(s.RawJWS(cast, jws)))
	if string(again.Payload) != `{"accepted":0,"held":[0],"pending":[],"refused":[],"v":1}` || len(again.Writes) != 0 {
		t.Errorf("retry: %s, %d writes", again.Payload, len(again.Writes))
	}
	// Through the other door, with another acknowledgement, after expiry.
	late := cast
	late.AckTime, late.AckNo = scene.Closes, 3
	wantVerdicts(t, s.Submit(scene.RegulatorRelay, s.RawJWS(late, jws)), "held")
	// With the signature's other form: the same ballot.
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.RawJWS(cast, malleate(t, jws))), "held")
	// With a forged signature it is nobody's.
	forged := jws[:len(jws)-86] + canonical.Base64(bytes.Repeat([]byte{1}, 64))
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.RawJWS(cast, forged)), "SIGNATURE_INVALID")
	if after := s.Network.State(scene.Channel, "ballot", s.Meeting.ID, cast.Lender.Sub); !bytes.Equal(before, after) {
		t.Error("a retry changed the ballot")
	}
	s.Close(1, 1)
}

// malleate returns the JWS with s replaced by n-s.
func malleate(t *testing.T, jws string) string {
	t.Helper()
	order, _ := new(big.Int).SetString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)
	signature, err := canonical.FromBase64(jws[len(jws)-86:])
	if err != nil {
		t.Fatal(err)
	}
	other := new(big.Int).Sub(order, new(big.Int).SetBytes(signature[32:]))
	other.FillBytes(signature[32:])
	return jws[:len(jws)-86] + canonical.Base64(signature)
}

func TestABadEntryNeverFailsItsBatch(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 6}).Open(1)
	lender := s.Lenders
	entries := [][]byte{
		s.Compact(scene.Cast{Lender: lender[0]}),
		s.Compact(scene.Cast{Lender: lender[1], Signer: lender[0].Holder}),
		s.Raw(scene.Cast{Lender: lender[2], Signer: lender[0].Holder}),
		s.Raw(scene.Cast{Lender: lender[3], Votes: map[string]any{"m1": "perhaps"}}),
		s.Compact(scene.Cast{Lender: lender[4], AckTime: "2026-03-01T00:00:00Z"}),
		s.Compact(scene.Cast{Lender: lender[0]}),
		{0x00},
		s.Raw(scene.Cast{Lender: lender[5]}),
	}
	proposal := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(entries...))
	want := `{"accepted":2,"held":[],"pending":[],"refused":[[1,"SIGNATURE_INVALID",1],[2,"KEY_FOREIGN",1],` +
		`[3,"CHOICE_UNKNOWN",0],[4,"BALLOT_EARLY",0],[5,"BATCH_DUPLICATE_VOTER",0],[6,"ENTRY_FORMAT",0]],"v":1}`
	if string(proposal.Payload) != want {
		t.Errorf("answer %s\nwant   %s", proposal.Payload, want)
	}
	if len(proposal.Writes) != 2+1 {
		t.Errorf("%d writes for 2 ballots", len(proposal.Writes))
	}
	if proposal.Queries != 1 {
		t.Errorf("%d cross-channel queries", proposal.Queries)
	}
	s.Close(2, 1)
}

func TestARefusedBatchLeavesNoState(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	proposal := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch([]byte{0}))
	if len(proposal.Writes) != 0 {
		t.Errorf("%d writes", len(proposal.Writes))
	}
	s.Close(0, 0)
}

func TestWhatIdentityLacksIsPending(t *testing.T) {
	s := scene.New(t, scene.Options{})
	s.RegisterIssuer()
	s.Announce()
	s.Step(map[string]any{"to": "open", "at": scene.Opens})
	lender := s.Lenders[0]
	entry := s.Compact(scene.Cast{Lender: lender})
	proposal := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(entry))
	if string(proposal.Payload) != `{"accepted":0,"held":[],"pending":[[0,"ENROLMENT_NOT_FOUND"]],"refused":[],"v":1}` {
		t.Errorf("%s", proposal.Payload)
	}
	if len(proposal.Writes) != 0 {
		t.Error("a pending entry leaves state")
	}
	s.EnrolAll()
	wantVerdicts(t, s.Submit(scene.AssociationRelay, entry), "SESSION_NOT_FOUND")
	s.CheckAll(1)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, entry), "")
}

func TestDoorsOpenAndShutWithTheMeeting(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 5}).Open(1)
	wantVerdicts(t, s.Submit(scene.RegulatorRelay, s.Compact(scene.Cast{Lender: s.Lenders[0]})), "")
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	batch := s.Batch(s.Compact(scene.Cast{Lender: s.Lenders[1], AckTime: scene.Closes}))
	refused(t, s, refusal.MeetingNotOpen, scene.AssociationRelay, "SubmitBallots", batch)
	// The session had expired by then, so this one is told from BALLOT_LATE.
	wantVerdicts(t, s.Submit(scene.RegulatorRelay,
		s.Compact(scene.Cast{Lender: s.Lenders[1]}),
		s.Compact(scene.Cast{Lender: s.Lenders[2], AckTime: "2026-03-09T10:00:01Z"}),
		s.Compact(scene.Cast{Lender: s.Lenders[3], AckTime: scene.Closes}),
	), "", "BALLOT_LATE", "SESSION_EXPIRED")
	s.Step(map[string]any{"to": "closed", "at": scene.Closes, "ballots": 2, "subtotals": 2})
	refused(t, s, refusal.MeetingNotOpen, scene.RegulatorRelay, "SubmitBallots", batch)
}

func TestTransactionLevelRefusals(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	submit := func(code refusal.Code, batch string) {
		t.Helper()
		refused(t, s, code, scene.AssociationRelay, "SubmitBallots", batch)
	}
	submit(refusal.BatchFormat, "")
	submit(refusal.BatchFormat, `[1,"exit-1",[]]`)
	submit(refusal.BatchEmpty, s.Batch())
	submit(refusal.BatchTooLarge, strings.Repeat("\x00", ballot.MaxBatch+1))
	submit(refusal.MeetingNotFound, strings.Replace(s.Batch([]byte{0}), "exit-1", "exit-2", 1))
	submit(refusal.BatchMeeting, strings.Replace(s.Batch([]byte{0}), "exit-1", "EXIT-1", 1))
}

func TestHistoryWithoutRevotes(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(4)
	lender := s.Lenders[0]
	reject := map[string]any{"m1": "reject"}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 2})), "")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 2, Votes: reject})), "SEQ_EQUIVOCATION")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 1})), "SEQ_STALE")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 3})), "REVOTE_NOT_ALLOWED")
}

func TestHistoryWithRevotes(t *testing.T) {
	s := scene.New(t, scene.Options{Revote: "last"}).Open(4)
	lender := s.Lenders[0]
	reject := map[string]any{"m1": "reject"}
	first := s.Compact(scene.Cast{Lender: lender})
	wantVerdicts(t, s.Submit(scene.AssociationRelay, first), "")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 2, Check: 1, Votes: reject})), "SESSION_USED")
	replace := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots",
		s.Batch(s.Compact(scene.Cast{Lender: lender, Seq: 3, Votes: reject})))
	subtotal := s.Network.State(scene.Channel, "subtotal", s.Meeting.ID, replace.ID)
	fen := lender.Leaf.Claims[0].Fen
	if want := `{"ballots":0,"motions":{"m1":{"approve":`; !strings.HasPrefix(string(subtotal), want) ||
		!strings.Contains(string(subtotal), `"present":{}`) || fen == 0 {
		t.Errorf("subtotal of a revote %s", subtotal)
	}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, first), "SEQ_STALE")
	// The first ballot's identity check stays used after the ballot is gone.
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 4, Check: 1})), "SESSION_USED")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 4, Check: 3})), "SESSION_USED")
	s.Close(1, 2)
}

func TestHistoryWhereTheFirstStands(t *testing.T) {
	s := scene.New(t, scene.Options{Revote: "first"}).Open(4)
	lender := s.Lenders[0]
	reject := map[string]any{"m1": "reject"}
	first := s.Compact(scene.Cast{Lender: lender})
	wantVerdicts(t, s.Submit(scene.AssociationRelay, first), "")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Seq: 2, Votes: reject})), "FIRST_STANDS")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender, Votes: reject})), "SEQ_EQUIVOCATION")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, first), "held")
	s.Close(1, 1)
}

// TestAFirstBallotReadsAndWritesOneKey holds a ballot to what it costs: only a
// voter who has voted before has its identity check looked at.
func TestAFirstBallotReadsAndWritesOneKey(t *testing.T) {
	s := scene.New(t, scene.Options{Revote: "last"}).Open(2)
	submit := func(seq int) *ledgertest.Proposal {
		return s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(s.Compact(scene.Cast{Lender: s.Lenders[0], Seq: seq})))
	}
	const common = 4 // meeting, state, cap, amendments
	if first := submit(1); len(first.Reads) != common+1 || len(first.Writes) != 2 {
		t.Errorf("a first ballot: %d reads, %d writes", len(first.Reads), len(first.Writes))
	}
	if second := submit(2); len(second.Reads) != common+2 || len(second.Writes) != 3 {
		t.Errorf("a second ballot: %d reads, %d writes", len(second.Reads), len(second.Writes))
	}
}

func TestOneVotersBallotsInFlightConflict(t *testing.T) {
	s := scene.New(t, scene.Options{Revote: "last"}).Open(2)
	endorse := func(seq int) *ledgertest.Proposal {
		t.Helper()
		entry := s.Compact(scene.Cast{Lender: s.Lenders[0], Seq: seq})
		proposal, err := s.Network.Endorse(scene.Channel, scene.AssociationRelay, "SubmitBallots", s.Batch(entry))
		if err != nil {
			t.Fatal(err)
		}
		return proposal
	}
	first, second := endorse(1), endorse(2)
	if err := s.Network.Commit(first); err != nil {
		t.Fatal(err)
	}
	if err := s.Network.Commit(second); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("both ballots counted: %v", err)
	}
	s.Close(1, 1)
}

func TestRevokedAndReplacedKeys(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(2)
	lender := s.Lenders[0]
	held := scene.Cast{Lender: s.Lenders[1]}
	jws := s.JWS(held)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.RawJWS(held, jws)), "")
	for _, sub := range []string{lender.Sub, held.Lender.Sub} {
		s.Do("identity", scene.InstitutionOfficer, "Revoke", `{"sub":"`+sub+`","reason":"lost"}`)
	}
	proposal := s.Do(scene.Channel, scene.AssociationRelay, "SubmitBallots",
		s.Batch(s.Compact(scene.Cast{Lender: lender}), s.RawJWS(held, jws)))
	// What is held stays held whatever became of the key.
	if want := `{"accepted":0,"held":[1],"pending":[],"refused":[[0,"KEY_REVOKED",2]],"v":1}`; string(proposal.Payload) != want {
		t.Errorf("answer %s, want %s", proposal.Payload, want)
	}
	fresh := s.CA.Issue(t, lender.Sub)
	s.Enrol(s.Enrolment(lender.Sub, fresh))
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Raw(scene.Cast{Lender: lender})), "KEY_FOREIGN")
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Raw(scene.Cast{Lender: lender, Signer: fresh})), "SESSION_FOREIGN_KEY")
}

// TestEndorsersAgree endorses one batch many times, with other caches and
// numbers of processors, and demands the same bytes.
func TestEndorsersAgree(t *testing.T) {
	s := scene.New(t, scene.Options{Lenders: 60, Revote: "last"}).Open(3)
	var entries, more [][]byte
	for i, lender := range s.Lenders {
		entries = append(entries, s.Compact(scene.Cast{Lender: lender, AckNo: i + 1}))
		cast := scene.Cast{Lender: lender, Seq: 2, Votes: map[string]any{"m1": "reject"}, AckNo: i + 100}
		if i%5 == 0 {
			cast.Signer = s.Lenders[(i+1)%len(s.Lenders)].Holder
		}
		more = append(more, s.Raw(cast))
	}
	s.Submit(scene.AssociationRelay, entries...)
	batch := s.Batch(more...)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first *ledgertest.Proposal
	for round := range 6 {
		runtime.GOMAXPROCS(1 + round%3)
		proposal, err := s.Network.EndorseAs(strings.Repeat("0a", 32), scene.Channel, scene.AssociationRelay, "SubmitBallots", batch)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = proposal
			continue
		}
		if !bytes.Equal(proposal.Payload, first.Payload) || proposal.EventPayload != first.EventPayload ||
			!maps.Equal(proposal.Reads, first.Reads) || !maps.EqualFunc(proposal.Writes, first.Writes, bytes.Equal) {
			t.Fatalf("endorsement %d differs", round)
		}
	}
	if len(first.Writes) != 2*48+1 { // a ballot and the session of the one before, and the subtotal
		t.Errorf("%d writes", len(first.Writes))
	}
	for key, value := range first.Writes {
		if strings.Contains(key, "\x00subtotal\x00") && !canonical.IsCanonical(value) {
			t.Errorf("%q is not canonical: %s", key, value)
		}
	}
}
