package authority

// Table lists every function of both chaincodes. Nothing else can be called.
var Table = []Function{
	{"identity", "ProposeIssuer", 1, []Grant{{Institution, Officer}}, "ConfirmIssuer"},
	{"identity", "ConfirmIssuer", 2, []Grant{{Regulator, Officer}}, ""},
	{"identity", "Enrol", 1, []Grant{{Association, Verifier}}, ""},
	{"identity", "RecordSessions", 1, []Grant{{Association, Verifier}}, ""},
	{"identity", "Revoke", 1, []Grant{{Institution, Officer}, {Regulator, Officer}}, ""},
	{"identity", "Resolve", 1, []Grant{{AnyMember, ""}}, ""},
	{"identity", "GetIssuer", 1, []Grant{{AnyMember, ""}}, ""},
	{"identity", "GetEnrolment", 1, []Grant{{AnyMember, ""}}, ""},
	{"identity", "GetSession", 1, []Grant{{AnyMember, ""}}, ""},
	{"arbitration", "ProposeMeeting", 2, []Grant{{Institution, Officer}}, "ConfirmMeeting"},
	{"arbitration", "ConfirmMeeting", 2, []Grant{{Regulator, Officer}}, ""},
	{"arbitration", "ProposeStep", 2, []Grant{{Institution, Officer}, {Association, Officer}}, "ConfirmStep"},
	{"arbitration", "ConfirmStep", 2, []Grant{{Regulator, Officer}}, ""},
	{"arbitration", "SubmitBallots", 1, []Grant{{Association, Relay}, {Regulator, Relay}}, ""},
	{"arbitration", "RecordMandates", 2, []Grant{{Association, Relay}, {Regulator, Relay}}, ""},
	{"arbitration", "RevokeMandate", 2, []Grant{{Association, Relay}, {Regulator, Relay}}, ""},
	{"arbitration", "AnchorAudit", 1, []Grant{{Regulator, Auditor}}, ""},
	{"arbitration", "GetMeeting", 1, []Grant{{AnyMember, ""}}, ""},
	{"arbitration", "GetBallot", 2, []Grant{{AnyMember, ""}}, ""},
	{"arbitration", "GetBallotHistory", 2, []Grant{{AnyMember, ""}}, ""},
	{"arbitration", "GetMandate", 2, []Grant{{AnyMember, ""}}, ""},
	{"arbitration", "GetResult", 1, []Grant{{AnyMember, ""}}, ""},
	{"arbitration", "ListMeetings", 0, []Grant{{AnyMember, ""}}, ""},
}
