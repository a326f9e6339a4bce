package arbitration_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"concordat/chaincode/ballot"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
	"concordat/chaincode/tally"
)

func individual(fen int64) []ballot.Claim { return []ballot.Claim{{Class: "individual", Fen: fen}} }

// change is a change of a lender's claims from those of the roll.
func change(lender *scene.Lender, after []ballot.Claim) scene.Change {
	return scene.Change{Sub: lender.Sub, Before: lender.Leaf.Claims, After: after}
}

// bySub orders changes as a document has them.
func bySub(changes ...scene.Change) []scene.Change {
	slices.SortFunc(changes, func(a, b scene.Change) int { return strings.Compare(a.Sub, b.Sub) })
	return changes
}

func resultOf(t *testing.T, s *scene.Scene) tally.Result {
	t.Helper()
	var result tally.Result
	if err := json.Unmarshal(s.Do(scene.Channel, scene.Auditor, "GetResult", s.Meeting.ID).Payload, &result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestAmendedClaimsAreThoseThatLaterBallotsCountWith(t *testing.T) {
	s := scene.New(t, scene.Options{})
	s.RegisterIssuer()
	s.EnrolAll()
	s.CheckAll(1)
	s.Announce()
	wronged, gone, raw := s.Lenders[0], s.Lenders[1], s.Lenders[2]
	came, rawCame := s.Newcomer("came", 1), s.Newcomer("raw", 1)
	refused(t, s, refusal.MeetingNotOpen, scene.AssociationRelay, "SubmitBallots", s.Batch(s.Amended(scene.Cast{Lender: came})))
	s.Amend(1, bySub(
		change(wronged, individual(5_00)), change(gone, nil), change(raw, individual(7)),
		change(came, individual(11)), change(rawCame, individual(13)),
	)...)
	s.Step(map[string]any{"to": "open", "at": scene.Opens})
	wantVerdicts(t, s.Submit(scene.AssociationRelay,
		s.Compact(scene.Cast{Lender: wronged}), s.Compact(scene.Cast{Lender: gone}), s.Raw(scene.Cast{Lender: raw}),
		s.Amended(scene.Cast{Lender: came}), s.Raw(scene.Cast{Lender: rawCame}), s.Amended(scene.Cast{Lender: s.Lenders[3]}),
	), "", "ROLL_PROOF", "", "", "", "ROLL_PROOF")
	s.Close(4, 1)
	result := resultOf(t, s)
	if want := (tally.Weight{4, 5_00 + 7 + 11 + 13}); result.Present["*"] != want || result.Ballots != 4 {
		t.Errorf("present %v, want %v", result.Present["*"], want)
	}
	// The base is the roll as amended: one lender gone, two come.
	amended := s.Meeting.Roll.Fen + 5_00 + 7 + 11 + 13
	for _, lender := range []*scene.Lender{wronged, gone, raw} {
		for _, claim := range lender.Leaf.Claims {
			amended -= claim.Fen
		}
	}
	if test := result.Motions["m1"].Tests[1]; test.Base != "eligible" || test.Denominator != amended {
		t.Errorf("eligible %+v, want %d fen", test, amended)
	}
	if result.Hash != s.Meeting.Hash {
		t.Error("mh has changed")
	}
}

func TestAmendmentsReweighBallotsAlreadyCast(t *testing.T) {
	s := scene.New(t, scene.Options{Revote: "last"}).Open(2)
	wronged, gone := s.Lenders[0], s.Lenders[1]
	s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: wronged}), s.Compact(scene.Cast{Lender: gone}))
	standing := func(lender *scene.Lender) string {
		return string(s.Do(scene.Channel, scene.Auditor, "GetBallot", s.Meeting.ID, lender.Sub).Payload)
	}
	first := standing(wronged)
	document := s.AmendmentBytes(1, bySub(change(wronged, individual(5_00)), change(gone, nil))...)
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", document)
	if got := standing(wronged); got != first {
		t.Error("a proposal alone re-weighs a ballot")
	}
	confirmed := s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, ballot.AmendmentDigest([]byte(document)))
	if want := `{"mtg":"exit-1","no":1,"reweighed":2,"v":1}`; string(confirmed.Payload) != want {
		t.Errorf("answer %s, want %s", confirmed.Payload, want)
	}
	if want := strings.Replace(first, `"fen":`+fenOf(first), `"fen":500`, 1); standing(wronged) != want {
		t.Errorf("ballot %s, want %s", standing(wronged), want)
	}
	if got := standing(gone); !strings.Contains(got, `"claims":[]`) {
		t.Errorf("the ballot of a lender off the roll: %s", got)
	}
	subtotal, err := tally.Decode(s.Network.State(scene.Channel, "subtotal", s.Meeting.ID, confirmed.ID))
	if err != nil || subtotal.Ballots != -1 || subtotal.Present["*"][0] != -1 {
		t.Errorf("subtotal %+v, %v", subtotal, err)
	}
	// Its very ballot is still held; another is refused, and one in its place after a correction is not.
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: gone, Seq: 2})), "ROLL_PROOF")
	s.Amend(2, scene.Change{Sub: gone.Sub, After: individual(3)})
	if got := standing(gone); !strings.Contains(got, `"claims":[{"class":"individual","fen":3}]`) {
		t.Errorf("the ballot of a lender on the roll again: %s", got)
	}
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: gone, Seq: 2})), "")
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	s.Amend(3, scene.Change{Sub: gone.Sub, Before: individual(3), After: individual(4)})
	s.Step(map[string]any{"to": "closed", "at": scene.Closes, "ballots": 2, "subtotals": 5})
	if result := resultOf(t, s); result.Ballots != 2 || result.Present["*"] != (tally.Weight{2, 5_00 + 4}) {
		t.Errorf("result %+v", result)
	}
}

// fenOf is the first amount in a ballot's JSON.
func fenOf(text string) string {
	_, rest, _ := strings.Cut(text, `"fen":`)
	return rest[:strings.IndexAny(rest, ",}")]
}

func TestClosingCountsABallotLessForALenderTakenOffTheRoll(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: s.Lenders[0]}), s.Compact(scene.Cast{Lender: s.Lenders[1]}))
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	step := map[string]any{"to": "closed", "at": scene.Closes, "ballots": 2, "subtotals": 1}
	digest := s.ProposeStep(scene.InstitutionOfficer, step)
	s.Amend(1, change(s.Lenders[0], nil))
	refused(t, s, refusal.CloseCount, scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
	s.Step(map[string]any{"to": "closed", "at": scene.Closes, "ballots": 1, "subtotals": 2})
}

func TestAmendmentRefusals(t *testing.T) {
	s := scene.New(t, scene.Options{Fillers: 3})
	lender, other := s.Lenders[0], s.Lenders[1]
	good := s.AmendmentBytes(1, change(lender, individual(5)))
	propose := func(code refusal.Code, document string) {
		t.Helper()
		refused(t, s, code, scene.InstitutionOfficer, "ProposeAmendment", document)
	}
	propose(refusal.MeetingNotFound, good)
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
	propose(refusal.MeetingState, good)
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
	digest := func(document string) string { return ballot.AmendmentDigest([]byte(document)) }
	confirm := func(code refusal.Code, caller ledgertest.Caller, document string) {
		t.Helper()
		refused(t, s, code, caller, "ConfirmAmendment", s.Meeting.ID, digest(document))
	}
	confirm(refusal.AmendmentMismatch, scene.RegulatorOfficer, good)
	propose(refusal.AmendmentFormat, "{}")
	propose(refusal.AmendmentFormat, good+" ")
	propose(refusal.AmendmentFormat, s.AmendmentBytes(2, change(lender, individual(5))))
	propose(refusal.RollClass, s.AmendmentBytes(1, change(lender, []ballot.Claim{{Class: "bonds", Fen: 5}})))
	propose(refusal.RollClass, s.AmendmentBytes(1, scene.Change{
		Sub: lender.Sub, Before: lender.Leaf.Claims, After: individual(5), Excluded: []string{"m9"},
	}))
	// Nobody's claims are more than the roll's; so these were not the lender's.
	propose(refusal.AmendmentClaims, s.AmendmentBytes(1, scene.Change{Sub: lender.Sub, Before: individual(1 << 40), After: individual(5)}))
	refused(t, s, refusal.NotAuthorised, scene.RegulatorOfficer, "ProposeAmendment", good)
	refused(t, s, refusal.NotAuthorised, scene.AssociationOfficer, "ProposeAmendment", good)

	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", good)
	confirm(refusal.NotAuthorised, scene.InstitutionOfficer, good)
	second := s.AmendmentBytes(1, change(other, individual(6)))
	confirm(refusal.AmendmentMismatch, scene.RegulatorOfficer, second)
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", second)
	confirm(refusal.AmendmentMismatch, scene.RegulatorOfficer, good)
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, digest(second))
	confirm(refusal.AmendmentMismatch, scene.RegulatorOfficer, second)
	propose(refusal.AmendmentClaims, s.AmendmentBytes(2, change(other, individual(7))))

	// What was true when it was proposed and no longer is when it is confirmed.
	s.RegisterIssuer()
	s.EnrolAll()
	s.CheckAll(1)
	s.Step(map[string]any{"to": "open", "at": scene.Opens})
	wrong := s.AmendmentBytes(2, scene.Change{Sub: lender.Sub, Before: individual(8), After: individual(9)})
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", wrong)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender})), "")
	confirm(refusal.AmendmentClaims, scene.RegulatorOfficer, wrong)
	propose(refusal.AmendmentClaims, wrong)
	s.Close(1, 1)
	confirm(refusal.MeetingState, scene.RegulatorOfficer, wrong)
	propose(refusal.MeetingState, wrong)
}

func TestNoMoreLendersAreAmendedThanABatchCanRead(t *testing.T) {
	s := scene.New(t, scene.Options{})
	s.Announce()
	many := func(from, count int) []scene.Change {
		changes := make([]scene.Change, count)
		for i := range changes {
			changes[i] = scene.Change{Sub: scene.ID("added", from+i), After: individual(int64(1 + i))}
		}
		return bySub(changes...)
	}
	refused(t, s, refusal.AmendmentFormat, scene.InstitutionOfficer, "ProposeAmendment", s.AmendmentBytes(1, many(0, 1001)...))
	s.Amend(1, many(0, 1000)...)
	refused(t, s, refusal.AmendmentFormat, scene.InstitutionOfficer, "ProposeAmendment", s.AmendmentBytes(2, many(1000, 1)...))
}

func TestBallotsAndAmendmentsNeverMissEachOther(t *testing.T) {
	s := scene.New(t, scene.Options{}).Open(1)
	lender, other := s.Lenders[0], s.Lenders[1]
	document := s.AmendmentBytes(1, change(lender, individual(5)))
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", document)
	endorse := func(caller ledgertest.Caller, function string, args ...string) *ledgertest.Proposal {
		t.Helper()
		proposal, err := s.Network.Endorse(scene.Channel, caller, function, args...)
		if err != nil {
			t.Fatal(err)
		}
		return proposal
	}
	digest := ballot.AmendmentDigest([]byte(document))
	confirmed := endorse(scene.RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, digest)
	wantVerdicts(t, s.Submit(scene.AssociationRelay, s.Compact(scene.Cast{Lender: lender})), "")
	if err := s.Network.Commit(confirmed); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("an amendment misses a ballot: %v", err)
	}
	late := endorse(scene.AssociationRelay, "SubmitBallots", s.Batch(s.Compact(scene.Cast{Lender: other})))
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, digest)
	if err := s.Network.Commit(late); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("a ballot was judged by the roll before its amendment: %v", err)
	}
	s.Step(map[string]any{"to": "closing", "at": scene.Closes})
	second := s.AmendmentBytes(2, change(other, individual(6)))
	s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", second)
	step := s.ProposeStep(scene.InstitutionOfficer, map[string]any{"to": "closed", "at": scene.Closes, "ballots": 1, "subtotals": 2})
	closed := endorse(scene.RegulatorOfficer, "ConfirmStep", s.Meeting.ID, step)
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, ballot.AmendmentDigest([]byte(second)))
	if err := s.Network.Commit(closed); !errors.Is(err, ledgertest.ErrConflict) {
		t.Errorf("a result misses an amendment: %v", err)
	}
}

func TestGetAmendments(t *testing.T) {
	s := scene.New(t, scene.Options{})
	s.Announce()
	get := func() string {
		return string(s.Do(scene.Channel, scene.Auditor, "GetAmendments", s.Meeting.ID).Payload)
	}
	if got := get(); !strings.HasPrefix(got, `{"amended":[],"confirmed":[],"no":0,"roll":{"classes":[`) {
		t.Errorf("without amendments: %s", got)
	}
	lender := s.Lenders[0]
	document := s.AmendmentBytes(1, scene.Change{
		Sub: lender.Sub, Before: lender.Leaf.Claims, After: individual(5), Excluded: []string{"m1"},
	})
	proposed := s.Do(scene.Channel, scene.InstitutionOfficer, "ProposeAmendment", document)
	digest := ballot.AmendmentDigest([]byte(document))
	if want := `{"digest":"` + digest + `","mtg":"exit-1","no":1,"v":1}`; string(proposed.Payload) != want {
		t.Errorf("answer %s, want %s", proposed.Payload, want)
	}
	if got := get(); !strings.Contains(got, `"pending":{"by":"InstitutionAMSP","digest":"`+digest+`","document":`+document) {
		t.Errorf("while one waits: %s", got)
	}
	s.Do(scene.Channel, scene.RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, digest)
	got := get()
	for _, want := range []string{
		`{"amended":[{"after":{"claims":[{"class":"individual","fen":5}],"excluded":["m1"]},"before":{"claims":[`,
		`"confirmed":[{"by":"InstitutionAMSP","digest":"` + digest,
		`"excluded":[{"class":"*","fen":5,"heads":1,"motion":"m1"},{"class":"individual","fen":5,"heads":1,"motion":"m1"}]`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("GetAmendments %s, want %s in it", got, want)
		}
	}
	if strings.Contains(got, `"pending"`) {
		t.Errorf("a confirmed amendment still waits: %s", got)
	}
}
