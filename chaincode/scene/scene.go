// Package scene plays a meeting for tests: lenders with keys and certificates
// of a lender CA, a roll, a meeting's record, and every organisation's part,
// on a network in memory.
package scene

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"concordat/chaincode/arbitration"
	"concordat/chaincode/authority"
	"concordat/chaincode/ballot"
	"concordat/chaincode/canonical"
	"concordat/chaincode/identity"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/meeting"
	"concordat/chaincode/service"
)

// Names of the scene.
const (
	Institution = "InstitutionAMSP"
	Channel     = "arbitration-institutiona"
	Opens       = "2026-03-02T01:00:00Z"
	Closes      = "2026-03-09T10:00:00Z"
	Objections  = "2026-03-24T10:00:00Z"
	During      = "2026-03-03T08:30:00Z"
)

// Callers of the scene.
var (
	InstitutionOfficer = ledgertest.Caller{MSP: Institution, Role: authority.Officer}
	AssociationOfficer = ledgertest.Caller{MSP: authority.Association, Role: authority.Officer}
	RegulatorOfficer   = ledgertest.Caller{MSP: authority.Regulator, Role: authority.Officer}
	AssociationRelay   = ledgertest.Caller{MSP: authority.Association, Role: authority.Relay}
	RegulatorRelay     = ledgertest.Caller{MSP: authority.Regulator, Role: authority.Relay}
	Verifier           = ledgertest.Caller{MSP: authority.Association, Role: authority.Verifier}
	Auditor            = ledgertest.Caller{MSP: authority.Regulator, Role: authority.Auditor}
)

// Options of a scene; zero values take what most tests want.
type Options struct {
	ID         string // of the meeting; "exit-1"
	Lenders    int    // with keys; 4
	Fillers    int    // leaves without
	Revote     string // "none"
	Proxies    bool
	CapHeight  uint             // the smallest
	Motions    []map[string]any // approve/reject/abstain on m1
	RangeLimit int              // of the contract; the peer's default
	Replaces   map[string]any   // no other meeting
	Beside     *Scene           // shares network, lender CA and keys; none
}

// Scene is a meeting and its world.
type Scene struct {
	T       testing.TB
	Network *ledgertest.Network
	CA      *CA
	Lenders []*Lender
	Record  []byte
	Cap     []byte
	Meeting *meeting.Meeting
	tree    tree
}

// Lender votes.
type Lender struct {
	*Holder
	Sub   string
	Leaf  ballot.Leaf
	Index int
}

// Seeded makes 32 bytes that depend on the parts alone.
func Seeded(parts ...any) []byte {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	return sum[:]
}

// ID makes a pseudonym or session id.
func ID(parts ...any) string { return canonical.Base64(Seeded(parts...)[:16]) }

// Deploy makes a network with both chaincodes on their channels.
func Deploy(t testing.TB, rangeLimit int) *ledgertest.Network {
	t.Helper()
	network := ledgertest.New()
	who, err := service.New("identity", identity.NewContract())
	must(t, err)
	what, err := service.New("arbitration", arbitration.NewContract(rangeLimit))
	must(t, err)
	network.Deploy("identity", "identity", who)
	network.Deploy(Channel, "arbitration", what)
	return network
}

// New makes a scene in which nothing has been submitted yet.
func New(t testing.TB, options Options) *Scene {
	t.Helper()
	options.ID = cmp.Or(options.ID, "exit-1")
	options.Revote = cmp.Or(options.Revote, "none")
	options.Lenders = cmp.Or(options.Lenders, 4)
	options.RangeLimit = cmp.Or(options.RangeLimit, arbitration.DefaultRangeLimit)
	if options.Motions == nil {
		options.Motions = []map[string]any{Motion("m1")}
	}
	s := &Scene{T: t}
	if options.Beside != nil {
		s.Network, s.CA = options.Beside.Network, options.Beside.CA
	} else {
		s.Network, s.CA = Deploy(t, options.RangeLimit), NewCA(t, "lender-ca")
	}
	s.makeRoll(options)
	s.makeRecord(options)
	return s
}

func (s *Scene) makeRoll(options Options) {
	leaves := make([]ballot.Leaf, 0, options.Lenders+options.Fillers)
	for i := range options.Lenders + options.Fillers {
		leaf := ballot.Leaf{
			Meeting: options.ID,
			Sub:     ID("lender", i),
			Claims:  []ballot.Claim{{Class: "individual", Fen: int64(100_00 + 7*i)}},
			Salt:    Seeded("salt", i)[:16],
		}
		if i%3 == 1 {
			leaf.Claims = append(leaf.Claims, ballot.Claim{Class: "wealth-plan", Fen: int64(1 + 13*i)})
		}
		leaves = append(leaves, leaf)
	}
	keyed := map[string]bool{}
	for i := range options.Lenders {
		keyed[ID("lender", i)] = true
	}
	slices.SortFunc(leaves, func(a, b ballot.Leaf) int { return cmp.Compare(a.Sub, b.Sub) })
	for index, leaf := range leaves {
		s.tree.add(leaf.Encode())
		if keyed[leaf.Sub] {
			s.Lenders = append(s.Lenders, &Lender{Holder: options.holder(s, leaf.Sub), Sub: leaf.Sub, Leaf: leaf, Index: index})
		}
	}
	s.tree.build()
	s.rollOf(leaves)
}

// holder is a lender's key: the one that it has already, or a new one.
func (o *Options) holder(s *Scene, sub string) *Holder {
	if o.Beside != nil {
		for _, lender := range o.Beside.Lenders {
			if lender.Sub == sub {
				return lender.Holder
			}
		}
	}
	return s.CA.Issue(s.T, sub)
}

// rollOf keeps the classes' totals for the record.
func (s *Scene) rollOf(leaves []ballot.Leaf) {
	classes := map[string]*meeting.Class{}
	m := &meeting.Meeting{Roll: meeting.Roll{Size: uint64(len(leaves))}}
	for _, leaf := range leaves {
		for _, claim := range leaf.Claims {
			if classes[claim.Class] == nil {
				classes[claim.Class] = &meeting.Class{Name: claim.Class}
			}
			classes[claim.Class].Heads++
			classes[claim.Class].Fen += claim.Fen
			m.Roll.Fen += claim.Fen
		}
	}
	for _, class := range classes {
		m.Roll.Classes = append(m.Roll.Classes, *class)
	}
	slices.SortFunc(m.Roll.Classes, func(a, b meeting.Class) int { return cmp.Compare(a.Name, b.Name) })
	s.Meeting = m
}

func (s *Scene) makeRecord(options Options) {
	var replaces any
	if options.Replaces != nil {
		replaces = options.Replaces
	}
	height := max(meeting.CapHeight(s.Meeting.Roll.Size), options.CapHeight)
	classes := []map[string]any{}
	for _, class := range s.Meeting.Roll.Classes {
		classes = append(classes, map[string]any{"class": class.Name, "heads": class.Heads, "fen": class.Fen})
	}
	s.SetRecord(map[string]any{
		"v": 2, "mtg": options.ID, "institution": Institution, "title": "出借人会议", "scheme": "open-v1",
		"documents": []any{map[string]any{"name": "Plan.pdf", "sha256": fmt.Sprintf("%x", Seeded("plan"))}},
		"roll": map[string]any{
			"root": canonical.Base64(s.tree.root()), "size": s.Meeting.Roll.Size, "heads": s.Meeting.Roll.Size,
			"fen": s.Meeting.Roll.Fen, "cap_height": height, "snapshot": "2026-01-31T16:00:00Z", "classes": classes,
			"excluded": []any{}, "disputed": []any{},
		},
		"motions": options.Motions, "revote": options.Revote, "replaces": replaces, "proxies": options.Proxies, "methods": []string{"face-v1", "insecure-demo"},
		"opens_at": Opens, "closes_at": Closes, "objections_until": Objections,
		"genesis": map[string]any{
			"identity": fmt.Sprintf("%x", Seeded("genesis identity")), Channel: fmt.Sprintf("%x", Seeded("genesis")),
		},
	})
	nodes, err := canonical.MarshalCBOR(s.tree.cap(height))
	must(s.T, err)
	s.Cap = nodes
}

// SetRecord takes a record, given as JSON values.
func (s *Scene) SetRecord(values map[string]any) {
	record, err := canonical.Marshal(values)
	must(s.T, err)
	s.Record = record
	s.Meeting, err = meeting.Parse(record)
	must(s.T, err)
}

// Motion is approve/reject/abstain under the default rules of a P2P exit.
func Motion(id string) map[string]any {
	test := func(name, count, base, unit, comparator string, n, d int) map[string]any {
		return map[string]any{
			"name": name, "scope": "all", "count": count, "base": base, "unit": unit,
			"comparator": comparator, "fraction": []int{n, d},
		}
	}
	return map[string]any{
		"id": id, "kind": "resolution", "title": "清退方案", "choices": []string{"approve", "reject", "abstain"}, "max_choices": 1,
		"rules": map[string]any{
			"profile": "cn-p2p-exit", "yes": []string{"approve"}, "abstain": []string{"abstain"},
			"tests": []any{
				test("heads", "yes", "voted", "heads", ">", 1, 2),
				test("participation", "present", "eligible", "fen", ">=", 2, 3),
				test("value", "yes", "present", "fen", ">", 1, 2),
			},
		},
	}
}

// Committee is a choice of up to most of three names, of which two are "yes".
func Committee(id string, most int) map[string]any {
	motion := Motion(id)
	motion["choices"] = []string{"zhao", "li", "none"}
	motion["max_choices"] = most
	rules := motion["rules"].(map[string]any)
	rules["yes"] = []string{"zhao", "li"}
	rules["abstain"] = []string{"none"}
	return motion
}

// Election fills seats from three candidates.
func Election(id string, seats int) map[string]any {
	motion := Committee(id, seats)
	motion["kind"], motion["seats"], motion["by"], motion["tie"] = "election", seats, "heads", "unfilled"
	motion["choices"] = []string{"zhao", "li", "wang", "none"}
	motion["rules"].(map[string]any)["yes"] = []string{}
	return motion
}

func encode(t testing.TB, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	must(t, err)
	return string(data)
}

// Base64 is padded standard base64, as certificates have it.
func Base64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
