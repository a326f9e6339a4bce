package service_test

import (
	"reflect"
	"strings"
	"testing"

	"concordat/chaincode/arbitration"
	"concordat/chaincode/authority"
	"concordat/chaincode/identity"
	"concordat/chaincode/ledger/ledgertest"
	"concordat/chaincode/refusal"
	"concordat/chaincode/scene"
	"concordat/chaincode/service"
)

// TestContractsOfferWhatTheTableLists compares each contract's methods that
// take a context with the table, names and numbers of arguments.
func TestContractsOfferWhatTheTableLists(t *testing.T) {
	context := reflect.TypeFor[*service.Context]()
	offered := map[string]int{}
	for chaincode, contract := range map[string]any{
		"identity":    identity.NewContract(),
		"arbitration": arbitration.NewContract(arbitration.DefaultRangeLimit),
	} {
		kind := reflect.TypeOf(contract)
		for i := range kind.NumMethod() {
			method := kind.Method(i)
			if method.Type.NumIn() > 1 && method.Type.In(1) == context {
				offered[chaincode+" "+method.Name] = method.Type.NumIn() - 2
			}
		}
	}
	for _, function := range authority.Table {
		name := function.Chaincode + " " + function.Name
		arguments, ok := offered[name]
		if !ok || arguments != function.Arguments {
			t.Errorf("%s: offered %v with %d arguments, the table has %d", name, ok, arguments, function.Arguments)
		}
		delete(offered, name)
	}
	for name := range offered {
		t.Errorf("%s is offered and not in the table", name)
	}
}

func channelOf(chaincode string) string {
	if chaincode == "identity" {
		return "identity"
	}
	return scene.Channel
}

// TestEveryFunctionRefusesTheWrongCaller calls each function through the
// whole chaincode: with the right role from the wrong MSP, the wrong role from
// the right MSP, no role, and the wrong number of arguments.
func TestEveryFunctionRefusesTheWrongCaller(t *testing.T) {
	network := scene.Deploy(t, arbitration.DefaultRangeLimit)
	for _, function := range authority.Table {
		arguments := make([]string, function.Arguments)
		call := func(caller ledgertest.Caller, args ...string) error {
			_, err := network.Endorse(channelOf(function.Chaincode), caller, function.Name, args...)
			return err
		}
		wrong := []ledgertest.Caller{
			{MSP: "StrangerMSP ", Role: authority.Officer},
			{MSP: "RegulatorMSP", Role: ""},
			{MSP: "RegulatorMSP", Role: "admin"},
			{MSP: "AssociationMSP", Role: ""},
			{MSP: "InstitutionAMSP", Role: ""},
			{MSP: "InstitutionA", Role: authority.Officer},
			{MSP: "ArbitrationMSP", Role: "Officer"},
		}
		if function.Chaincode == "arbitration" {
			wrong = append(wrong, ledgertest.Caller{MSP: "InstitutionBMSP", Role: authority.Officer})
		}
		if function.Grants[0].Who != authority.AnyMember {
			wrong = append(wrong, ledgertest.Caller{MSP: "InstitutionAMSP", Role: authority.Relay})
		}
		if who := function.Grants[0].Who; who != authority.AnyMember && who != authority.Arbitration {
			wrong = append(wrong, ledgertest.Caller{MSP: "ArbitrationMSP", Role: function.Grants[0].Role})
		}
		for _, caller := range wrong {
			if err := call(caller, arguments...); err == nil || !strings.HasPrefix(err.Error(), string(refusal.NotAuthorised)) {
				t.Errorf("%s by %+v: %v", function.Name, caller, err)
			}
		}
		right := ledgertest.Caller{MSP: string(function.Grants[0].Who), Role: function.Grants[0].Role}
		switch function.Grants[0].Who {
		case authority.Institution:
			right.MSP = "InstitutionAMSP"
		case authority.AnyMember:
			right = ledgertest.Caller{MSP: "ArbitrationMSP", Role: authority.Auditor}
		}
		if err := call(right, arguments...); err != nil && strings.Contains(err.Error(), string(refusal.NotAuthorised)) {
			t.Errorf("%s by %+v: %v", function.Name, right, err)
		}
		if err := call(right, append(arguments, "one too many")...); err == nil || !strings.HasPrefix(err.Error(), string(refusal.ArgumentFormat)) {
			t.Errorf("%s with an argument too many: %v", function.Name, err)
		}
	}
}

func TestBuiltInFunctionsAreNotOffered(t *testing.T) {
	network := scene.Deploy(t, arbitration.DefaultRangeLimit)
	for _, name := range []string{"org.hyperledger.fabric:GetMetadata", "listMeetings", "arbitration:ListMeetings", ""} {
		_, err := network.Endorse(scene.Channel, scene.Auditor, name)
		if err == nil || !strings.HasPrefix(err.Error(), string(refusal.NotAuthorised)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestServeNamesWhatItNeeds(t *testing.T) {
	t.Setenv("CHAINCODE_ID", "")
	if err := service.Serve(nil); err == nil || !strings.Contains(err.Error(), "CHAINCODE_ID") {
		t.Errorf("error %v", err)
	}
	t.Setenv("CHAINCODE_ID", "x")
	t.Setenv("CHAINCODE_SERVER_ADDRESS", "127.0.0.1:0")
	t.Setenv("CHAINCODE_TLS_KEY", "/nowhere")
	if err := service.Serve(nil); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("error %v", err)
	}
}

func TestRangeLimitSetting(t *testing.T) {
	for setting, want := range map[string]int{"": 100000, "7": 7, "1": 0, "x": 0, "-5": 0} {
		limit, err := arbitration.RangeLimit(setting)
		if limit != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d, %v", setting, limit, err)
		}
	}
}
