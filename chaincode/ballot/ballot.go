package ballot

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"concordat/chaincode/canonical"
	"concordat/chaincode/refusal"
)

const (
	maxJWS = 3072
	maxSeq = 1000
)

// Ballot is what a ballot says: a payload of valid form, not yet judged
// against a meeting.
type Ballot struct {
	MeetingHash string
	Meeting     string
	Sub         string
	Seq         int64
	Session     string
	IssuedAt    string // the sender's time; nothing is judged by it
	Votes       []Vote // in the order of the motions' ids
	Mandate     string // digest of the mandate by which another than Sub signs, or ""
}

// Vote is the answer to one motion.
type Vote struct {
	Motion  string
	Choices []string
	Array   bool // written as an array, as it must be where several may be chosen
}

// Signed is a ballot with its signature, which Verify checks.
type Signed struct {
	Ballot
	Thumbprint   string // x5t#S256 of the certificate named, base64url
	Signature    []byte // r || s
	SigningInput []byte
}

// Digest is the ballot's name everywhere. It is over the signing input, not
// the signature, which anybody can change into another valid one.
func (s *Signed) Digest() string {
	sum := canonical.Hash("concordat/ballot/v1", s.SigningInput)
	return canonical.Base64(sum[:])
}

// Parse reads a compact JWS. It refuses in the order of the registry from
// BALLOT_TOO_LONG to BALLOT_ID, and looks at everything but the signature's
// truth.
func Parse(compact string) (*Signed, error) {
	if len(compact) > maxJWS {
		return nil, refusal.New(refusal.BallotTooLong, "%d bytes", len(compact))
	}
	parsed, err := parseJWS(compact, ballotType)
	if err != nil {
		return nil, err
	}
	ballot, err := parsePayload(parsed.payload)
	if err != nil {
		return nil, err
	}
	return &Signed{
		Ballot:       *ballot,
		Thumbprint:   parsed.thumbprint,
		Signature:    parsed.signature,
		SigningInput: parsed.signingInput,
	}, nil
}

func parsePayload(payload []byte) (*Ballot, error) {
	object, err := canonical.ParseTolerant(payload)
	if errors.Is(err, canonical.ErrDuplicate) {
		return nil, refusal.Because(refusal.BallotDuplicateMember, err)
	}
	if err != nil {
		return nil, refusal.Because(refusal.BallotJSON, err)
	}
	ballot, version, err := readMembers(object)
	if err != nil {
		return nil, refusal.Because(refusal.BallotMember, err)
	}
	if version != 1 {
		return nil, refusal.New(refusal.BallotVersion, "v %d", version)
	}
	if !canonical.IsCanonical(payload) {
		return nil, refusal.New(refusal.BallotNotCanonical, "")
	}
	return ballot, ballot.checkForm()
}

func readMembers(object canonical.Object) (*Ballot, int64, error) {
	if err := object.Only([]string{"v", "mh", "mtg", "sub", "seq", "ses", "iat", "votes"}, "prx"); err != nil {
		return nil, 0, err
	}
	ballot := &Ballot{}
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mh", &ballot.MeetingHash},
		{"mtg", &ballot.Meeting},
		{"sub", &ballot.Sub},
		{"ses", &ballot.Session},
		{"iat", &ballot.IssuedAt},
	} {
		text, err := object.Text(member.name)
		if err != nil {
			return nil, 0, err
		}
		*member.target = text
	}
	if _, byProxy := object["prx"]; byProxy {
		text, err := object.Text("prx")
		if err != nil {
			return nil, 0, err
		}
		// An empty one would pass for none; it is no digest either way.
		ballot.Mandate = cmp.Or(text, " ")
	}
	version, err := object.Integer("v")
	if err != nil {
		return nil, 0, err
	}
	if ballot.Seq, err = object.Integer("seq"); err != nil {
		return nil, 0, err
	}
	votes, err := object.Object("votes")
	if err != nil {
		return nil, 0, err
	}
	ballot.Votes, err = readVotes(votes)
	return ballot, version, err
}

func readVotes(object canonical.Object) ([]Vote, error) {
	votes := make([]Vote, 0, len(object))
	for motion, value := range object {
		if choice, ok := value.(string); ok {
			votes = append(votes, Vote{Motion: motion, Choices: []string{choice}})
			continue
		}
		choices, err := object.Texts(motion)
		if err != nil {
			return nil, errors.New("a vote is neither a string nor an array of strings")
		}
		votes = append(votes, Vote{Motion: motion, Choices: choices, Array: true})
	}
	slices.SortFunc(votes, func(a, b Vote) int { return cmp.Compare(a.Motion, b.Motion) })
	return votes, nil
}

// checkForm refuses BALLOT_SEQ, BALLOT_TIME, BALLOT_ID.
func (b *Ballot) checkForm() error {
	if b.Seq < 1 || b.Seq > maxSeq {
		return refusal.New(refusal.BallotSeq, "seq %d", b.Seq)
	}
	if _, err := canonical.FromTime(b.IssuedAt); err != nil {
		return refusal.New(refusal.BallotTime, "")
	}
	if !canonical.IsRandomID(b.Sub) || !canonical.IsRandomID(b.Session) {
		return refusal.New(refusal.BallotID, "sub or ses")
	}
	if b.Mandate != "" && !canonical.IsDigest(b.Mandate) {
		return refusal.New(refusal.BallotID, "prx")
	}
	return nil
}

// payload writes the canonical JSON of a ballot whose names need no escaping,
// as those of every ballot rebuilt from a compact entry; a test holds it to
// the JCS library.
func (b *Ballot) payload() []byte {
	text := make([]byte, 0, 256)
	text = append(append(text, `{"iat":"`...), b.IssuedAt...)
	text = append(append(text, `","mh":"`...), b.MeetingHash...)
	text = append(append(text, `","mtg":"`...), b.Meeting...)
	if b.Mandate != "" {
		text = append(append(text, `","prx":"`...), b.Mandate...)
	}
	text = append(text, `","seq":`...)
	text = strconv.AppendInt(text, b.Seq, 10)
	text = append(append(text, `,"ses":"`...), b.Session...)
	text = append(append(text, `","sub":"`...), b.Sub...)
	text = append(text, `","v":1,"votes":`...)
	text = AppendVotes(text, b.Votes)
	return append(text, '}')
}

// AppendVotes appends the canonical JSON of votes whose names need no escaping.
func AppendVotes(text []byte, votes []Vote) []byte {
	text = append(text, '{')
	for i := range votes {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), votes[i].Motion...), `":`...)
		if !votes[i].Array {
			text = append(append(append(text, '"'), votes[i].Choices[0]...), '"')
			continue
		}
		text = append(text, '[')
		for j, choice := range votes[i].Choices {
			if j > 0 {
				text = append(text, ',')
			}
			text = append(append(append(text, '"'), choice...), '"')
		}
		text = append(text, ']')
	}
	return append(text, '}')
}
