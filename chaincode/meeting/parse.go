package meeting

import (
	"errors"
	"fmt"
	"sort"
	"unicode/utf8"

	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

// Parse reads a record. It refuses (MEETING_FORMAT) all but the canonical
// bytes of a record of the prescribed form, and (MEETING_ROLL) a roll whose
// figures contradict each other.
func Parse(record []byte) (*Meeting, error) {
	object, err := canonical.ParseObject(record)
	if err != nil {
		return nil, refusal.Because(refusal.MeetingFormat, err)
	}
	if !canonical.IsCanonical(record) {
		return nil, refusal.New(refusal.MeetingFormat, "not in the canonical form of RFC 8785")
	}
	meeting, err := parse(object)
	if _, refused := refusal.CodeOf(err); err != nil && !refused {
		err = refusal.Because(refusal.MeetingFormat, err)
	}
	if err != nil {
		return nil, err
	}
	meeting.Hash = HashOf(record)
	return meeting, nil
}

var members = []string{
	"v", "mtg", "institution", "title", "scheme", "documents", "roll", "motions",
	"revote", "replaces", "proxies", "methods", "opens_at", "closes_at", "objections_until", "genesis",
}

func parse(object canonical.Object) (*Meeting, error) {
	if err := object.Only(members); err != nil {
		return nil, err
	}
	if err := object.Version(2); err != nil {
		return nil, err
	}
	m := &Meeting{}
	for _, part := range []func(canonical.Object) error{
		m.parseNames, m.parseReplaces, m.parseTimes, m.parseRoll, m.parseDocuments, m.parseMotions, m.parseMethods,
		m.parseGenesis,
	} {
		if err := part(object); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Meeting) parseNames(object canonical.Object) (err error) {
	if m.ID, err = object.Text("mtg"); err != nil {
		return err
	}
	if m.Institution, err = object.Text("institution"); err != nil {
		return err
	}
	if m.Title, err = text(object, "title"); err != nil {
		return err
	}
	if object["scheme"] != "open-v1" {
		return errors.New("the scheme is not open-v1")
	}
	switch {
	case !canonical.IsName(m.ID, nameLimit):
		return errors.New("mtg is not a meeting id")
	case !authority.IsInstitution(m.Institution):
		return errors.New("institution is not the MSP of one")
	}
	if m.Revote, err = object.Text("revote"); err != nil {
		return err
	}
	if m.Revote != RevoteNone && m.Revote != RevoteLast && m.Revote != RevoteFirst {
		return errors.New("revote is neither none, last nor first")
	}
	proxies, ok := object["proxies"].(bool)
	if !ok {
		return errors.New("proxies is neither true nor false")
	}
	m.Proxies = proxies
	return nil
}

func (m *Meeting) parseReplaces(object canonical.Object) (err error) {
	if object["replaces"] == nil { // null: the member is there
		return nil
	}
	before, err := object.Object("replaces")
	if err != nil {
		return err
	}
	if err := before.Only([]string{"mtg", "mh", "why"}); err != nil {
		return fmt.Errorf("replaces: %w", err)
	}
	m.Replaces = &Replaces{}
	if m.Replaces.Meeting, err = before.Text("mtg"); err != nil {
		return err
	}
	if m.Replaces.Hash, err = before.Text("mh"); err != nil {
		return err
	}
	if m.Replaces.Why, err = before.Text("why"); err != nil {
		return err
	}
	switch {
	case !canonical.IsName(m.Replaces.Meeting, nameLimit), m.Replaces.Meeting == m.ID, !canonical.IsDigest(m.Replaces.Hash):
		return errors.New("replaces names no other meeting")
	case m.Replaces.Why != Postponed && m.Replaces.Why != SecondVote:
		return errors.New("replaces: why is neither postponed nor second-vote")
	}
	return nil
}

func (m *Meeting) parseTimes(object canonical.Object) (err error) {
	for _, moment := range []struct {
		name   string
		target *int64
	}{
		{"opens_at", &m.Opens},
		{"closes_at", &m.Closes},
		{"objections_until", &m.Objections},
	} {
		if *moment.target, err = timeOf(object, moment.name); err != nil {
			return err
		}
	}
	if m.Opens >= m.Closes || m.Closes > m.Objections {
		return errors.New("not opens_at < closes_at <= objections_until")
	}
	return nil
}

func (m *Meeting) parseDocuments(object canonical.Object) error {
	documents, err := object.Objects("documents")
	if err != nil {
		return err
	}
	if len(documents) > maxDocuments {
		return fmt.Errorf("more than %d documents", maxDocuments)
	}
	names := map[string]bool{}
	for _, document := range documents {
		if err := document.Only([]string{"name", "sha256"}); err != nil {
			return fmt.Errorf("document: %w", err)
		}
		name, err := text(document, "name")
		if err != nil {
			return fmt.Errorf("document: %w", err)
		}
		hash, err := document.Text("sha256")
		if err != nil || !canonical.IsHex256(hash) {
			return errors.New("document: sha256 is not a SHA-256 in lower-case hex")
		}
		if names[name] {
			return errors.New("document: a name is given twice")
		}
		names[name] = true
	}
	return nil
}

func (m *Meeting) parseMethods(object canonical.Object) error {
	methods, err := object.Texts("methods")
	if err != nil {
		return err
	}
	m.Methods = methods
	return checkNames(methods, "methods", 1, maxMethods)
}

func (m *Meeting) parseGenesis(object canonical.Object) error {
	genesis, err := object.Object("genesis")
	if err != nil {
		return err
	}
	channels := []string{"identity", Channel(m.Institution)}
	if err := genesis.Only(channels); err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	m.Genesis = map[string]string{}
	for _, channel := range channels {
		hash, err := genesis.Text(channel)
		if err != nil || !canonical.IsHex256(hash) {
			return errors.New("a genesis hash is not lower-case hex")
		}
		m.Genesis[channel] = hash
	}
	return nil
}

func timeOf(object canonical.Object, name string) (int64, error) {
	value, err := object.Text(name)
	if err != nil {
		return 0, err
	}
	return canonical.FromTime(value)
}

// text reads a title or name for people: 1 to 200 characters, no control
// characters.
func text(object canonical.Object, name string) (string, error) {
	value, err := object.Text(name)
	if err != nil {
		return "", err
	}
	if count := utf8.RuneCountInString(value); count < 1 || count > maxText {
		return "", fmt.Errorf("%s has not 1 to %d characters", name, maxText)
	}
	for _, character := range value {
		if character < ' ' || character == 0x7f {
			return "", fmt.Errorf("%s has a control character", name)
		}
	}
	return value, nil
}

// checkNames demands names, each once, of a list with least to most items.
func checkNames(names []string, where string, least, most int) error {
	if len(names) < least || len(names) > most {
		return fmt.Errorf("%s has not %d to %d items", where, least, most)
	}
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	for i, name := range sorted {
		if !canonical.IsName(name, nameLimit) {
			return fmt.Errorf("%s: %q is not a name", where, name)
		}
		if i > 0 && sorted[i-1] == name {
			return fmt.Errorf("%s: %q is given twice", where, name)
		}
	}
	return nil
}
