package scene

import (
	"fmt"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
)

// Do submits a transaction that must succeed.
func (s *Scene) Do(channel string, caller ledgertest.Caller, function string, args ...string) *ledgertest.Proposal {
	s.T.Helper()
	proposal, err := s.Network.Submit(channel, caller, function, args...)
	if err != nil {
		s.T.Fatalf("%s: %v", function, err)
	}
	return proposal
}

// RegisterIssuer has the lender CA proposed and confirmed.
func (s *Scene) RegisterIssuer() {
	s.T.Helper()
	s.Do("identity", InstitutionOfficer, "ProposeIssuer", encode(s.T, map[string]any{
		"v": 1, "institution": Institution, "certificate": Base64(s.CA.DER),
	}))
	s.Do("identity", RegulatorOfficer, "ConfirmIssuer", Institution, s.CA.X5t())
}

// Enrolment is an item of Enrol.
func (s *Scene) Enrolment(sub string, holder *Holder) map[string]any {
	return map[string]any{
		"sub": sub, "certificate": Base64(holder.DER), "institution": Institution,
		"method": "insecure-demo", "commitment": canonical.Base64(Seeded("commitment", sub)),
	}
}

// Enrol submits enrolments and returns the response.
func (s *Scene) Enrol(items ...map[string]any) string {
	s.T.Helper()
	return string(s.Do("identity", Verifier, "Enrol", encode(s.T, items)).Payload)
}

// EnrolAll enrols every lender.
func (s *Scene) EnrolAll() {
	s.T.Helper()
	items := make([]map[string]any, len(s.Lenders))
	for i, lender := range s.Lenders {
		items[i] = s.Enrolment(lender.Sub, lender.Holder)
	}
	want := fmt.Sprintf(`{"accepted":%d,"held":[],"pending":[],"refused":[],"v":1}`, len(items))
	if answer := s.Enrol(items...); answer != want {
		s.T.Fatalf("enrolment answered %s", answer)
	}
}

// Session is an item of RecordSessions: a lender's numbered identity check.
func (s *Scene) Session(lender *Lender, number int) map[string]any {
	return map[string]any{
		"v": 1, "ses": SessionID(lender, number), "sub": lender.Sub, "x5t": lender.X5t(),
		"institution": Institution, "mtg": s.Meeting.ID, "method": "insecure-demo", "outcome": "accept",
		"commitment": canonical.Base64(Seeded("check", lender.Sub, number)),
		"issued_at":  "2026-03-03T08:25:00Z", "expires_at": "2026-03-03T08:40:00Z",
	}
}

// SessionID is the id of a lender's numbered identity check.
func SessionID(lender *Lender, number int) string { return ID("session", lender.Sub, number) }

// RecordSessions submits sessions and returns the response.
func (s *Scene) RecordSessions(items ...map[string]any) string {
	s.T.Helper()
	return string(s.Do("identity", Verifier, "RecordSessions", encode(s.T, items)).Payload)
}

// CheckAll records each lender's identity checks numbered 1 to count.
func (s *Scene) CheckAll(count int) {
	s.T.Helper()
	var items []map[string]any
	for _, lender := range s.Lenders {
		for number := range count {
			items = append(items, s.Session(lender, number+1))
		}
	}
	want := fmt.Sprintf(`{"accepted":%d,"held":[],"pending":[],"refused":[],"v":1}`, len(items))
	if answer := s.RecordSessions(items...); answer != want {
		s.T.Fatalf("sessions answered %s", answer)
	}
}

// ProposeStep proposes a step and returns its digest.
func (s *Scene) ProposeStep(caller ledgertest.Caller, step map[string]any) string {
	s.T.Helper()
	data := StepBytes(s, step)
	s.Do(Channel, caller, "ProposeStep", s.Meeting.ID, data)
	return meeting.StepDigest([]byte(data))
}

// StepBytes is a step's canonical form.
func StepBytes(s *Scene, step map[string]any) string {
	s.T.Helper()
	data, err := canonical.Marshal(step)
	must(s.T, err)
	return string(data)
}

// Step has the institution propose a step and the Regulator confirm it.
func (s *Scene) Step(step map[string]any) {
	s.T.Helper()
	digest := s.ProposeStep(InstitutionOfficer, step)
	s.Do(Channel, RegulatorOfficer, "ConfirmStep", s.Meeting.ID, digest)
}

// Announce proposes and confirms the meeting.
func (s *Scene) Announce() {
	s.T.Helper()
	s.Do(Channel, InstitutionOfficer, "ProposeMeeting", string(s.Record), string(s.Cap))
	s.Do(Channel, RegulatorOfficer, "ConfirmMeeting", s.Meeting.ID, s.Meeting.Hash)
}

// Open plays everything up to the opening: lenders enrolled, each with so
// many identity checks.
func (s *Scene) Open(checks int) *Scene {
	s.T.Helper()
	s.RegisterIssuer()
	s.EnrolAll()
	s.CheckAll(checks)
	s.Announce()
	s.Step(map[string]any{"to": "open", "at": Opens})
	return s
}

// Close plays from open to closed, with the counts that the meeting shows.
func (s *Scene) Close(ballots, subtotals int) {
	s.T.Helper()
	s.Step(map[string]any{"to": "closing", "at": Closes})
	s.Step(map[string]any{"to": "closed", "at": Closes, "ballots": ballots, "subtotals": subtotals})
}
