package arbitration

import (
	"slices"

	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/directory"
	"concordat/chaincode/ledger"
	"concordat/chaincode/meeting"
	"concordat/chaincode/refusal"
	"concordat/chaincode/verdict"
)

// maxMandates bounds the argument of RecordMandates.
const maxMandates = 4_000_000

func mandateKey(id, sub string) string { return ledger.Key("mandate", id, sub) }

// mandateRecord is the last mandate that a principal gave for a meeting.
type mandateRecord struct {
	Version     int       `json:"v"`
	Mandate     string    `json:"mandate"` // as it was signed
	Revision    uint64    `json:"enr"`     // of the principal's enrolment that the verdict relied on
	Past        []string  `json:"past"`    // digests of the mandates in whose place it stands, the oldest first
	Revoked     *revoking `json:"revoked,omitempty"`
	Transaction string    `json:"tx"`
}

// revoking is how a mandate ended.
type revoking struct {
	By       string `json:"by"` // the revocation as it was signed
	Revision uint64 `json:"enr"`
}

// heldMandate is a mandate record that was read.
type heldMandate struct {
	*mandateRecord
	signed *ballot.SignedMandate
	digest string
}

func readMandate(value []byte) (*heldMandate, error) {
	if value == nil {
		return nil, nil
	}
	record, err := decode[mandateRecord](value)
	if err != nil {
		return nil, err
	}
	signed, err := ballot.ParseMandate(record.Mandate)
	if err != nil {
		return nil, err
	}
	return &heldMandate{mandateRecord: record, signed: signed, digest: signed.Digest()}, nil
}

// names says whether this is the mandate of a digest, revoked or not.
func (h *heldMandate) names(digest string) bool { return h != nil && h.digest == digest }

// replaced says whether the mandate of a digest stood before this one.
func (h *heldMandate) replaced(digest string) bool {
	return h != nil && slices.Contains(h.Past, digest)
}

// checkMandates refuses mandates at a meeting that takes none (MANDATE_SCOPE),
// or takes none any more or yet (MEETING_NOT_OPEN).
func (m *loaded) checkMandates() error {
	if !m.Proxies {
		return refusal.New(refusal.MandateScope, "%s takes no proxies", m.ID)
	}
	if m.state != meeting.Announced && m.state != meeting.Open {
		return refusal.New(refusal.MeetingNotOpen, "%s is %s", m.ID, m.state)
	}
	return nil
}

// giving is one mandate of RecordMandates, and how it ended: refused, pending,
// same, or none of them, which is accepted.
type giving struct {
	text     string
	signed   *ballot.SignedMandate
	held     *heldMandate
	refused  error
	pending  refusal.Code
	revision uint64
	same     bool
}

// recordMandates records each mandate that its principal's enrolled key signed
// in the place of the one before. Each has a verdict of its own.
func recordMandates(tx ledger.Tx, id string, document []byte) ([]byte, error) {
	texts, err := parseMandates(document)
	if err != nil {
		return nil, err
	}
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	if err := m.checkMandates(); err != nil {
		return nil, err
	}
	givings := make([]giving, len(texts))
	principals := make(map[string]bool, len(texts))
	var live []*giving
	for i := range givings {
		g := &givings[i]
		g.text = texts[i]
		if g.signed, g.refused = ballot.ParseMandate(texts[i]); g.refused != nil {
			continue
		}
		if principals[g.signed.Sub] {
			g.refused = refusal.New(refusal.BatchDuplicateVoter, "")
			continue
		}
		principals[g.signed.Sub] = true
		if g.refused = checkScope(&g.signed.Mandate, m.Meeting); g.refused == nil {
			live = append(live, g)
		}
	}
	if err := judgeMandates(tx, m.Meeting, live); err != nil {
		return nil, err
	}
	return writeMandates(tx, m.ID, givings)
}

// parseMandates reads an array of texts, each of which has a verdict of its own.
func parseMandates(document []byte) ([]string, error) {
	if len(document) > maxMandates {
		return nil, refusal.New(refusal.ArgumentFormat, "%d bytes where %d are the limit", len(document), maxMandates)
	}
	value, err := canonical.Parse(document)
	if err != nil {
		return nil, refusal.Because(refusal.ArgumentFormat, err)
	}
	texts, err := canonical.Object{"mandates": value}.Texts("mandates")
	if err != nil || len(texts) == 0 {
		return nil, refusal.New(refusal.ArgumentFormat, "a JSON array of at least one mandate is due")
	}
	return texts, nil
}

// checkScope refuses (MANDATE_SCOPE) a mandate for another meeting, or for a
// motion that the meeting doesn't have.
func checkScope(mandate *ballot.Mandate, m *meeting.Meeting) error {
	if mandate.Meeting != m.ID || mandate.MeetingHash != m.Hash {
		return refusal.New(refusal.MandateScope, "not for this meeting")
	}
	for _, motion := range mandate.Motions {
		if !slices.ContainsFunc(m.Motions, func(one meeting.Motion) bool { return one.ID == motion }) {
			return refusal.New(refusal.MandateScope, "no motion %s", motion)
		}
	}
	return nil
}

func judgeMandates(tx ledger.Tx, m *meeting.Meeting, live []*giving) error {
	if len(live) == 0 {
		return nil
	}
	keys, subs := make([]string, len(live)), make([]string, len(live))
	for i, g := range live {
		keys[i], subs[i] = mandateKey(m.ID, g.signed.Sub), g.signed.Sub
	}
	values, err := tx.GetMany(keys)
	if err != nil {
		return err
	}
	enrolments, err := askEnrolments(tx, subs)
	if err != nil {
		return err
	}
	for i, g := range live {
		if g.held, err = readMandate(values[i]); err != nil {
			return err
		}
		g.judge(m, enrolments[i])
	}
	return nil
}

// judge applies the checks in the order that all implementations share. A
// mandate that the channel has needs no second look, whatever came later.
func (g *giving) judge(m *meeting.Meeting, enrolment *directory.Enrolment) {
	if g.held.names(g.signed.Digest()) {
		g.same = true
		return
	}
	if enrolment == nil {
		g.pending = refusal.EnrolmentNotFound
		return
	}
	g.revision = enrolment.Revision
	if g.refused = checkPrincipal(m, enrolment, g.signed.Thumbprint); g.refused != nil {
		return
	}
	if g.refused = g.signed.Verify(enrolment.Point); g.refused != nil {
		return
	}
	if g.held != nil && g.signed.Number <= g.held.signed.Number {
		g.refused = refusal.New(refusal.MandateRevoked, "number %d is there", g.held.signed.Number)
	}
}

// checkPrincipal refuses what no enrolled lender of the institution signed:
// ENROLMENT_FOREIGN, KEY_REVOKED, KEY_FOREIGN.
func checkPrincipal(m *meeting.Meeting, enrolment *directory.Enrolment, thumbprint string) error {
	switch {
	case enrolment.Institution != m.Institution:
		return refusal.New(refusal.EnrolmentForeign, "")
	case !enrolment.Active:
		return refusal.New(refusal.KeyRevoked, "")
	case thumbprint != canonical.Base64(enrolment.Thumbprint):
		return refusal.New(refusal.KeyForeign, "")
	}
	return nil
}

// askEnrolments looks lenders up on the identity channel at once.
func askEnrolments(tx ledger.Tx, subs []string) ([]*directory.Enrolment, error) {
	questions := make([]directory.Question, len(subs))
	for i, sub := range subs {
		pseudonym, err := canonical.FromBase64Sized(sub, 16)
		if err != nil {
			return nil, err
		}
		// No session is asked for: nobody's has the id of zeros.
		questions[i] = directory.Question{Sub: pseudonym, Session: make([]byte, 16)}
	}
	answers, err := ask(tx, questions)
	if err != nil {
		return nil, err
	}
	enrolments := make([]*directory.Enrolment, len(subs))
	for i, answer := range answers {
		enrolments[i] = answer.Enrolment
	}
	return enrolments, nil
}

func writeMandates(tx ledger.Tx, id string, givings []giving) ([]byte, error) {
	var verdicts verdict.List
	for i := range givings {
		g := &givings[i]
		accepted, err := verdicts.Settle(i, g.refused, g.pending, g.same, g.revision)
		if err != nil {
			return nil, err
		}
		if !accepted {
			continue
		}
		record := mandateRecord{
			Version: 1, Mandate: g.text, Revision: g.revision, Past: []string{}, Transaction: tx.ID(),
		}
		if g.held != nil {
			record.Past = append(slices.Clone(g.held.Past), g.held.digest)
		}
		if _, err := put(tx, mandateKey(id, g.signed.Sub), record); err != nil {
			return nil, err
		}
	}
	return verdicts.JSON(), nil
}

// revokeMandate ends a mandate by its principal's signed word. It changes no
// ballot: what the proxy cast before stays until the principal votes. Doing it
// again changes nothing.
func revokeMandate(tx ledger.Tx, id, document string) ([]byte, error) {
	revocation, err := ballot.ParseRevocation(document)
	if err != nil {
		return nil, err
	}
	m, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	if err := m.checkMandates(); err != nil {
		return nil, err
	}
	if revocation.Meeting != m.ID || revocation.MeetingHash != m.Hash {
		return nil, refusal.New(refusal.MandateScope, "not for this meeting")
	}
	value, err := tx.Get(mandateKey(id, revocation.Sub))
	if err != nil {
		return nil, err
	}
	held, err := readMandate(value)
	if err != nil {
		return nil, err
	}
	if held.replaced(revocation.Mandate) {
		return nil, refusal.New(refusal.MandateRevoked, "another stands in its place")
	}
	if !held.names(revocation.Mandate) {
		return nil, refusal.New(refusal.MandateNotFound, "")
	}
	enrolments, err := askEnrolments(tx, []string{revocation.Sub})
	if err != nil {
		return nil, err
	}
	enrolment := enrolments[0]
	if enrolment == nil {
		return nil, refusal.New(refusal.EnrolmentNotFound, "")
	}
	if err := checkPrincipal(m.Meeting, enrolment, revocation.Thumbprint); err != nil {
		return nil, err
	}
	if err := revocation.Verify(enrolment.Point); err != nil {
		return nil, err
	}
	if held.Revoked != nil {
		return value, nil
	}
	held.Revoked = &revoking{By: document, Revision: enrolment.Revision}
	held.Transaction = tx.ID()
	return put(tx, mandateKey(id, revocation.Sub), held.mandateRecord)
}

// getMandate answers with a principal's last mandate, or null.
func getMandate(tx ledger.Tx, id, sub string) ([]byte, error) {
	if _, err := loadFor(tx, id, sub); err != nil {
		return nil, err
	}
	value, err := tx.Get(mandateKey(id, sub))
	if err != nil || value != nil {
		return value, err
	}
	return []byte("null"), nil
}
