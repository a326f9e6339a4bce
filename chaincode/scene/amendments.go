package scene

import (
	"fmt"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
)

// Change is a change of an amendment: a lender's claims before and after, nil
// where the lender is not on the roll.
type Change struct {
	Sub           string
	Before, After []ballot.Claim
	Was, Excluded []string // from motions, before and after
}

// AmendmentBytes is an amendment's canonical form.
func (s *Scene) AmendmentBytes(number int, changes ...Change) string {
	s.T.Helper()
	items := make([]any, len(changes))
	for i, change := range changes {
		items[i] = map[string]any{
			"sub": change.Sub, "before": entitlement(change.Before, change.Was), "after": entitlement(change.After, change.Excluded),
		}
	}
	return s.AmendmentOf(map[string]any{"no": number, "changes": items})
}

// AmendmentOf is the canonical form of an amendment with the members given.
func (s *Scene) AmendmentOf(members map[string]any) string {
	s.T.Helper()
	document := map[string]any{
		"v": 1, "mtg": s.Meeting.ID, "no": 1, "at": During, "reason": "管理人更正债权表",
		"decision": fmt.Sprintf("%x", Seeded("decision")),
	}
	for name, value := range members {
		document[name] = value
	}
	data, err := canonical.Marshal(document)
	must(s.T, err)
	return string(data)
}

func entitlement(claims []ballot.Claim, excluded []string) any {
	if claims == nil {
		return nil
	}
	items := make([]any, len(claims))
	for i, claim := range claims {
		item := map[string]any{"class": claim.Class, "fen": claim.Fen}
		if claim.Decision != "" {
			item["decision"] = claim.Decision
		}
		items[i] = item
	}
	value := map[string]any{"claims": items}
	if len(excluded) > 0 {
		value["excluded"] = excluded
	}
	return value
}

// Amend has the institution propose an amendment and the Regulator confirm it.
func (s *Scene) Amend(number int, changes ...Change) {
	s.T.Helper()
	document := s.AmendmentBytes(number, changes...)
	s.Do(Channel, InstitutionOfficer, "ProposeAmendment", document)
	s.Do(Channel, RegulatorOfficer, "ConfirmAmendment", s.Meeting.ID, ballot.AmendmentDigest([]byte(document)))
}

// Newcomer is a lender who is not on the roll, enrolled and with so many
// identity checks.
func (s *Scene) Newcomer(name string, checks int) *Lender {
	s.T.Helper()
	sub := ID("newcomer", name)
	lender := &Lender{Holder: s.CA.Issue(s.T, sub), Sub: sub}
	s.Enrol(s.Enrolment(sub, lender.Holder))
	for number := range checks {
		s.RecordSessions(s.Session(lender, number+1))
	}
	return lender
}
