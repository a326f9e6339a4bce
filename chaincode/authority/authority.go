// Package authority says who may call what: one table of function, MSP, the
// role attribute in the caller's certificate, and who confirms.
//
// The table is enforced for every function in one place (package service)
// before a contract sees the call. docs/authority.md shows the same table and
// a test holds the two together. MSP and attribute count only together: an
// attribute is worth what the CA that wrote it is worth.
package authority

import (
	"slices"
	"strings"

	"concordat/chaincode/refusal"
)

// Organisations with an office of their own. Every other MSP is an institution.
const (
	Association = "AssociationMSP"
	Regulator   = "RegulatorMSP"
	Arbitration = "ArbitrationMSP"
)

// Roles that the attribute "role" in a certificate can name.
const (
	Officer  = "officer"
	Relay    = "relay"
	Verifier = "verifier"
	Auditor  = "auditor"
)

// Attribute is the certificate attribute that holds the role.
const Attribute = "role"

// Caller is who signed the proposal: the MSP that vouches for the
// certificate, and the role that the certificate carries.
type Caller struct {
	MSP  string
	Role string
}

// Who is a kind of organisation that a grant names.
type Who string

// The kinds.
const (
	// Institution is the institution that a record or channel belongs to. On
	// an arbitration channel that is the MSP that the channel is named after;
	// on the identity channel the function compares it with the record.
	Institution Who = "institution"
	// AnyMember is every MSP of the channel.
	AnyMember Who = "any member"
)

// Grant lets one role of one kind of organisation call a function.
type Grant struct {
	Who  Who
	Role string // "" means any of the roles
}

// Function is a row of the table.
type Function struct {
	Chaincode string
	Name      string
	Arguments int
	Grants    []Grant
	Confirmer string // the function in which another organisation confirms, or ""
}

// InstitutionOf returns the MSP that an arbitration channel is named after,
// in its lower-case form without "MSP": "arbitration-institutiona" gives
// "institutiona"; false for any other channel.
func InstitutionOf(channel string) (string, bool) {
	name, ok := strings.CutPrefix(channel, "arbitration-")
	return name, ok && name != ""
}

// IsInstitution says whether msp is an institution: no office, and named as
// an MSP is.
func IsInstitution(msp string) bool {
	name, ok := strings.CutSuffix(msp, "MSP")
	if !ok || name == "" || len(name) > 61 || msp == Association || msp == Regulator || msp == Arbitration {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9' || i == 0) {
			return false
		}
	}
	return true
}

// Owns says whether msp is the institution that an arbitration channel is
// named after.
func Owns(msp, channel string) bool {
	name, ok := InstitutionOf(channel)
	return ok && IsInstitution(msp) && strings.ToLower(strings.TrimSuffix(msp, "MSP")) == name
}

// Find returns the row of a function.
func Find(chaincode, name string) (Function, bool) {
	for _, function := range Table {
		if function.Chaincode == chaincode && function.Name == name {
			return function, true
		}
	}
	return Function{}, false
}

// Check refuses (NOT_AUTHORISED) a caller whom no grant of the function
// covers, and a function that the table does not list.
func Check(chaincode, name, channel string, caller Caller) error {
	function, ok := Find(chaincode, name)
	if !ok {
		return refusal.New(refusal.NotAuthorised, "%s offers no function %q", chaincode, name)
	}
	for _, grant := range function.Grants {
		if grant.covers(channel, caller) {
			return nil
		}
	}
	return refusal.New(refusal.NotAuthorised, "%s with role %q may not call %s", caller.MSP, caller.Role, name)
}

// CheckSame refuses (NOT_AUTHORISED) a caller of another MSP than the record's.
func CheckSame(caller Caller, msp string) error {
	if caller.MSP != msp {
		return refusal.New(refusal.NotAuthorised, "%s may not act for %s", caller.MSP, msp)
	}
	return nil
}

func (g Grant) covers(channel string, caller Caller) bool {
	if g.Role == "" {
		if !slices.Contains([]string{Officer, Relay, Verifier, Auditor}, caller.Role) {
			return false
		}
	} else if g.Role != caller.Role {
		return false
	}
	switch g.Who {
	case AnyMember:
		return memberOf(channel, caller.MSP)
	case Institution:
		if _, ok := InstitutionOf(channel); ok {
			return Owns(caller.MSP, channel)
		}
		return IsInstitution(caller.MSP)
	default:
		return string(g.Who) == caller.MSP
	}
}

// memberOf says whether an MSP belongs to a channel. The peer has already
// verified the certificate under the channel's configuration; this narrows
// an arbitration channel to the four that it is made for, so that an
// organisation added to the channel by mistake reads nothing.
func memberOf(channel, msp string) bool {
	if msp == Association || msp == Regulator || msp == Arbitration {
		return true
	}
	if _, ok := InstitutionOf(channel); ok {
		return Owns(msp, channel)
	}
	return IsInstitution(msp)
}
