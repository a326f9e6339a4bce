package authority_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"concordat/chaincode/authority"
	"concordat/chaincode/refusal"
)

// row matches a line of the table in docs/authority.md.
var row = regexp.MustCompile(`^\| (identity|arbitration) \| (\w+) \| ([^|]+) \|( \w+)? \|$`)

func TestDocumentEqualsTable(t *testing.T) {
	document, err := os.ReadFile("../../docs/authority.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(document)) {
		if row.MatchString(strings.TrimSpace(line)) {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	var want []string
	for _, function := range authority.Table {
		grants := make([]string, len(function.Grants))
		for i, grant := range function.Grants {
			role := grant.Role
			if role == "" {
				role = "any role"
			}
			grants[i] = string(grant.Who) + " " + role
		}
		confirmer := " " + function.Confirmer
		if function.Confirmer == "" {
			confirmer = ""
		}
		want = append(want, "| "+function.Chaincode+" | "+function.Name+" | "+strings.Join(grants, ", ")+" |"+confirmer+" |")
	}
	if got := strings.Join(rows, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("docs/authority.md has\n%s\nthe table is\n%s", got, strings.Join(want, "\n"))
	}
}

func TestEveryConfirmerIsAnotherOrganisations(t *testing.T) {
	for _, function := range authority.Table {
		if function.Confirmer == "" {
			continue
		}
		confirmer, ok := authority.Find(function.Chaincode, function.Confirmer)
		if !ok {
			t.Errorf("%s is confirmed by %s, which is not there", function.Name, function.Confirmer)
		}
		for _, proposes := range function.Grants {
			for _, confirms := range confirmer.Grants {
				if proposes.Who == confirms.Who {
					t.Errorf("%s: %s proposes and confirms", function.Name, proposes.Who)
				}
			}
		}
	}
}

// everybody is each MSP with each role, and without one.
func everybody() []authority.Caller {
	var callers []authority.Caller
	for _, msp := range []string{
		"AssociationMSP", "RegulatorMSP", "ArbitrationMSP", "InstitutionAMSP", "InstitutionBMSP", "institutiona", "MSP", "",
	} {
		for _, role := range []string{"officer", "relay", "verifier", "auditor", "admin", "Officer", ""} {
			callers = append(callers, authority.Caller{MSP: msp, Role: role})
		}
	}
	return callers
}

// TestCheck compares each decision with a plain reading of the policy.
func TestCheck(t *testing.T) {
	const channelA = "arbitration-institutiona"
	roles := map[string]bool{"officer": true, "relay": true, "verifier": true, "auditor": true}
	offices := map[string]bool{"AssociationMSP": true, "RegulatorMSP": true, "ArbitrationMSP": true}
	allowed := map[string]func(authority.Caller, bool) bool{
		"ProposeIssuer":  func(c authority.Caller, own bool) bool { return own && c.Role == "officer" },
		"ConfirmIssuer":  func(c authority.Caller, _ bool) bool { return c.MSP == "RegulatorMSP" && c.Role == "officer" },
		"Enrol":          func(c authority.Caller, _ bool) bool { return c.MSP == "AssociationMSP" && c.Role == "verifier" },
		"RecordSessions": func(c authority.Caller, _ bool) bool { return c.MSP == "AssociationMSP" && c.Role == "verifier" },
		"Revoke": func(c authority.Caller, own bool) bool {
			return (own || c.MSP == "RegulatorMSP") && c.Role == "officer"
		},
		"ProposeMeeting": func(c authority.Caller, own bool) bool { return own && c.Role == "officer" },
		"ConfirmMeeting": func(c authority.Caller, _ bool) bool { return c.MSP == "RegulatorMSP" && c.Role == "officer" },
		"ProposeStep": func(c authority.Caller, own bool) bool {
			return (own || c.MSP == "AssociationMSP") && c.Role == "officer"
		},
		"ConfirmStep":      func(c authority.Caller, _ bool) bool { return c.MSP == "RegulatorMSP" && c.Role == "officer" },
		"ProposeAmendment": func(c authority.Caller, own bool) bool { return own && c.Role == "officer" },
		"ConfirmAmendment": func(c authority.Caller, _ bool) bool { return c.MSP == "RegulatorMSP" && c.Role == "officer" },
		"SubmitBallots": func(c authority.Caller, _ bool) bool {
			return (c.MSP == "AssociationMSP" || c.MSP == "RegulatorMSP") && c.Role == "relay"
		},
		"RecordMandates": func(c authority.Caller, _ bool) bool {
			return (c.MSP == "AssociationMSP" || c.MSP == "RegulatorMSP") && c.Role == "relay"
		},
		"RevokeMandate": func(c authority.Caller, _ bool) bool {
			return (c.MSP == "AssociationMSP" || c.MSP == "RegulatorMSP") && c.Role == "relay"
		},
		"AnchorAudit": func(c authority.Caller, _ bool) bool { return c.MSP == "RegulatorMSP" && c.Role == "auditor" },
		"FileObjection": func(c authority.Caller, _ bool) bool {
			return (c.MSP == "AssociationMSP" || c.MSP == "RegulatorMSP") && c.Role == "relay"
		},
		"AnswerObjection": func(c authority.Caller, own bool) bool { return own && c.Role == "officer" },
		"DecideObjection": func(c authority.Caller, _ bool) bool { return c.MSP == "ArbitrationMSP" && c.Role == "officer" },
	}
	for _, function := range authority.Table {
		for _, caller := range everybody() {
			own, channel := caller.MSP == "InstitutionAMSP" || caller.MSP == "InstitutionBMSP", "identity"
			if function.Chaincode == "arbitration" {
				own, channel = caller.MSP == "InstitutionAMSP", channelA
			}
			want := (own || offices[caller.MSP]) && roles[caller.Role]
			if special := allowed[function.Name]; special != nil {
				want = special(caller, own)
			}
			err := authority.Check(function.Chaincode, function.Name, channel, caller)
			if code, _ := refusal.CodeOf(err); (err == nil) != want || err != nil && code != refusal.NotAuthorised {
				t.Errorf("%s by %+v: %v, want allowed %v", function.Name, caller, err, want)
			}
		}
	}
}

func TestUnlistedFunctionsAreRefused(t *testing.T) {
	officer := authority.Caller{MSP: authority.Regulator, Role: authority.Officer}
	for _, name := range []string{"", "confirmStep", "CONFIRMSTEP", "arbitration:ConfirmStep", "org.hyperledger.fabric:GetMetadata", "Enrol"} {
		if err := authority.Check("arbitration", name, "arbitration-institutiona", officer); err == nil {
			t.Errorf("%q is offered", name)
		}
	}
}

func TestOwns(t *testing.T) {
	for _, test := range []struct {
		msp, channel string
		want         bool
	}{
		{"InstitutionAMSP", "arbitration-institutiona", true},
		{"InstitutionAMSP", "arbitration-institutionb", false},
		{"InstitutionAMSP", "arbitration-institutionamsp", false},
		{"InstitutionAMSP", "identity", false},
		{"InstitutionA", "arbitration-institutiona", false},
		{"RegulatorMSP", "arbitration-regulator", false},
		{"MSP", "arbitration-", false},
		{"1MSP", "arbitration-1", false},
		{"Institution-AMSP", "arbitration-institution-a", false},
	} {
		if got := authority.Owns(test.msp, test.channel); got != test.want {
			t.Errorf("%s on %s: %v", test.msp, test.channel, got)
		}
	}
}
