package scene

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"concordat/chaincode/authority"
	"concordat/chaincode/canonical"
	"concordat/chaincode/ledger/ledgertest"
)

// ArbitrationOfficer decides objections.
var ArbitrationOfficer = ledgertest.Caller{MSP: authority.Arbitration, Role: authority.Officer}

// Anchor is the document of an audit over so many ballots that came to the
// stored result; changes take the place of members.
func (s *Scene) Anchor(size int, changes map[string]any) string {
	s.T.Helper()
	result := ""
	if stored := s.Network.State(Channel, "result", s.Meeting.ID); stored != nil {
		sum := sha256.Sum256(stored)
		result = hex.EncodeToString(sum[:])
	}
	root := canonical.Base64(Seeded("log", size))
	members := map[string]any{
		"v": 2, "mtg": s.Meeting.ID, "size": size, "root": root, "report": strings.Repeat("ab", 32),
		"result": result, "verdict": "consistent", "head": s.Head(map[string]any{"size": size, "root": root}),
	}
	maps.Copy(members, changes)
	return encode(s.T, members)
}

// Head signs a tree head of the meeting; changes take the place of members.
func (s *Scene) Head(changes map[string]any) string {
	s.T.Helper()
	members := map[string]any{
		"v": 1, "mtg": s.Meeting.ID, "mh": s.Meeting.Hash, "channel": Channel, "size": 0,
		"root": canonical.Base64(Seeded("log", 0)), "block": 7, "block_hash": strings.Repeat("cd", 32), "time": Closes,
	}
	maps.Copy(members, changes)
	return s.Signed("concordat-head+jws", s.CA.Sign(s.T, Template("auditor", false), NewKey(s.T, elliptic.P256())), members)
}

// Objection signs a lender's objection under the id that the name gives;
// changes take the place of members.
func (s *Scene) Objection(lender *Lender, name string, changes map[string]any) string {
	s.T.Helper()
	members := map[string]any{
		"v": 1, "mh": s.Meeting.Hash, "mtg": s.Meeting.ID, "sub": lender.Sub, "obj": ObjectionID(name), "iat": issuedAt,
		"ground": "count", "evidence": canonical.Base64(Seeded("evidence", name)),
	}
	maps.Copy(members, changes)
	return s.Signed("concordat-objection+jws", lender.Holder, members)
}

// ObjectionID is the id that a name gives.
func ObjectionID(name string) string { return ID("objection", name) }

// File has the platform's door file a lender's objection.
func (s *Scene) File(lender *Lender, name string) {
	s.T.Helper()
	s.Do(Channel, AssociationRelay, "FileObjection", s.Objection(lender, name, nil), During)
}

// Answer is the document of an answer.
func (s *Scene) Answer(name, position string) string {
	return encode(s.T, map[string]any{
		"v": 1, "mtg": s.Meeting.ID, "obj": ObjectionID(name), "position": position,
		"evidence": canonical.Base64(Seeded("answer", name)), "at": Closes,
	})
}

// Award is the document of an award.
func (s *Scene) Award(name, award, remedy string) string {
	return encode(s.T, map[string]any{
		"v": 1, "mtg": s.Meeting.ID, "obj": ObjectionID(name), "award": award, "remedy": remedy,
		"evidence": canonical.Base64(Seeded("award", name)), "at": Closes,
	})
}
