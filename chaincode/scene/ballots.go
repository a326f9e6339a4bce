package scene

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger/ledgertest"
)

// Cast is a ballot to be made; zero values take what most tests want.
type Cast struct {
	Lender  *Lender
	Votes   map[string]any // choice or []string by motion; "approve" on m1
	Seq     int            // 1
	Check   int            // the identity check's number; Seq
	AckTime string         // During
	AckNo   int            // 1
	Signer  *Holder        // the lender
	Mandate *Mandate       // by which another signs; its session then is SessionFor's
}

func (c Cast) filled() Cast {
	if c.Votes == nil {
		c.Votes = map[string]any{"m1": "approve"}
	}
	if c.Seq == 0 {
		c.Seq = 1
	}
	if c.Check == 0 {
		c.Check = c.Seq
	}
	if c.AckTime == "" {
		c.AckTime = During
	}
	if c.AckNo == 0 {
		c.AckNo = 1
	}
	if c.Signer == nil && c.Mandate != nil {
		c.Signer = c.Mandate.Proxy.Holder
	}
	if c.Signer == nil {
		c.Signer = c.Lender.Holder
	}
	return c
}

func (c Cast) session() string {
	if c.Mandate != nil {
		return SessionFor(c.Mandate.Proxy, c.Lender, c.Check)
	}
	return SessionID(c.Lender, c.Check)
}

const issuedAt = "2026-03-03T08:29:57Z"

// JWS signs a ballot.
func (s *Scene) JWS(cast Cast) string {
	s.T.Helper()
	cast = cast.filled()
	values := map[string]any{
		"v": 1, "mh": s.Meeting.Hash, "mtg": s.Meeting.ID, "sub": cast.Lender.Sub, "seq": cast.Seq,
		"ses": cast.session(), "iat": issuedAt, "votes": cast.Votes,
	}
	if cast.Mandate != nil {
		values["prx"] = cast.Mandate.Digest
	}
	return s.Signed("concordat-ballot+jws", cast.Signer, values)
}

// Signed makes the compact JWS of a payload.
func (s *Scene) Signed(typ string, signer *Holder, values map[string]any) string {
	s.T.Helper()
	payload, err := canonical.Marshal(values)
	must(s.T, err)
	header := fmt.Sprintf(`{"alg":"ES256","typ":%q,"x5t#S256":%q}`, typ, signer.X5t())
	input := canonical.Base64([]byte(header)) + "." + canonical.Base64(payload)
	return input + "." + canonical.Base64(Sign(s, signer, input))
}

// Sign makes an ES256 signature.
func Sign(s *Scene, holder *Holder, input string) []byte {
	s.T.Helper()
	sum := sha256.Sum256([]byte(input))
	r, t, err := ecdsa.Sign(rand.Reader, holder.Key, sum[:])
	must(s.T, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	t.FillBytes(signature[32:])
	return signature
}

// Raw makes a raw entry.
func (s *Scene) Raw(cast Cast) []byte {
	s.T.Helper()
	return s.RawJWS(cast, s.JWS(cast))
}

// RawJWS makes a raw entry of a JWS.
func (s *Scene) RawJWS(cast Cast, jws string) []byte {
	s.T.Helper()
	cast = cast.filled()
	leaf, path := []byte{}, [][]byte{} // of a lender whom an amendment added
	if cast.Lender.Leaf.Sub != "" {
		leaf, path = cast.Lender.Leaf.Encode(), s.path(cast.Lender)
	}
	return s.cbor([]any{1, jws, leaf, cast.Lender.Index, path, cast.AckNo, s.seconds(cast.AckTime)})
}

// Compact makes a compact entry.
func (s *Scene) Compact(cast Cast) []byte {
	s.T.Helper()
	claims := []any{}
	for _, claim := range cast.Lender.Leaf.Claims {
		position, _ := s.Meeting.Roll.ClassIndex(claim.Class)
		claims = append(claims, []any{position, claim.Fen})
	}
	leaf, kind := []any{cast.Lender.Index, cast.Lender.Leaf.Salt, claims}, 0
	if cast.Mandate != nil {
		kind = 2
	}
	return s.cbor(s.mandated(append(s.rebuilt(kind, cast), leaf, s.path(cast.Lender)), cast))
}

// Amended makes an entry that leaves the leaf to an amendment.
func (s *Scene) Amended(cast Cast) []byte {
	s.T.Helper()
	return s.cbor(s.mandated(s.rebuilt(3, cast), cast))
}

// mandated adds the mandate, if a proxy signs, to what an entry has besides.
func (s *Scene) mandated(entry []any, cast Cast) []any {
	s.T.Helper()
	if cast.Mandate == nil {
		return entry
	}
	mandate, err := canonical.FromBase64(cast.Mandate.Digest)
	must(s.T, err)
	return append(entry, mandate)
}

// rebuilt is what an entry of a kind begins with, from which the ballot is
// rebuilt.
func (s *Scene) rebuilt(kind int, cast Cast) []any {
	s.T.Helper()
	cast = cast.filled()
	jws := s.JWS(cast)
	signature, err := canonical.FromBase64(jws[len(jws)-86:])
	must(s.T, err)
	sub, err := canonical.FromBase64(cast.Lender.Sub)
	must(s.T, err)
	session, err := canonical.FromBase64(cast.session())
	must(s.T, err)
	return []any{
		kind, sub, cast.Seq, session, s.seconds(issuedAt), s.indexes(cast.Votes), signature, cast.AckNo,
		s.seconds(cast.AckTime),
	}
}

func (s *Scene) indexes(votes map[string]any) []any {
	items := []any{}
	for _, motion := range s.Meeting.Motions {
		switch vote := votes[motion.ID].(type) {
		case string:
			items = append(items, slices.Index(motion.Choices, vote))
		case []string:
			list := []any{}
			for _, choice := range vote {
				list = append(list, slices.Index(motion.Choices, choice))
			}
			items = append(items, list)
		}
	}
	return items
}

func (s *Scene) path(lender *Lender) [][]byte {
	return s.tree.path(lender.Index, s.Meeting.Roll.CapHeight)
}

func (s *Scene) seconds(text string) int64 {
	s.T.Helper()
	seconds, err := canonical.FromTime(text)
	must(s.T, err)
	return seconds
}

func (s *Scene) cbor(value any) []byte {
	s.T.Helper()
	data, err := canonical.MarshalCBOR(value)
	must(s.T, err)
	return data
}

// Batch makes a batch of entries for the scene's meeting.
func (s *Scene) Batch(entries ...[]byte) string {
	s.T.Helper()
	items := make([]any, len(entries))
	for i, entry := range entries {
		items[i] = raw(entry)
	}
	return string(s.cbor([]any{1, s.Meeting.ID, items}))
}

// raw is CBOR that is encoded already.
type raw []byte

// MarshalCBOR returns the bytes.
func (r raw) MarshalCBOR() ([]byte, error) { return r, nil }

// Answer is a batch function's response.
type Answer struct {
	Accepted int     `json:"accepted"`
	Held     []int   `json:"held"`
	Refused  [][]any `json:"refused"`
	Pending  [][]any `json:"pending"`
}

// Verdicts lists an answer entry by entry: "" for accepted, "held", or a code.
func (a *Answer) Verdicts(entries int) []string {
	list := make([]string, entries)
	for _, index := range a.Held {
		list[index] = "held"
	}
	for _, item := range slices.Concat(a.Refused, a.Pending) {
		list[int(item[0].(float64))] = item[1].(string)
	}
	return list
}

// ParseAnswer reads a response.
func (s *Scene) ParseAnswer(payload []byte) Answer {
	s.T.Helper()
	var answer Answer
	must(s.T, json.Unmarshal(payload, &answer))
	return answer
}

// Submit submits entries at a door and lists the verdicts.
func (s *Scene) Submit(door ledgertest.Caller, entries ...[]byte) []string {
	s.T.Helper()
	answer := s.ParseAnswer(s.Do(Channel, door, "SubmitBallots", s.Batch(entries...)).Payload)
	return answer.Verdicts(len(entries))
}
