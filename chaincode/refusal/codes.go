// Code generated from tests/vectors/codes.json; DO NOT EDIT.

package refusal

// The registry, in the order in which checks apply within each group.
const (
	BallotTooLong         Code = "BALLOT_TOO_LONG"
	JWSFormat             Code = "JWS_FORMAT"
	JWSHeaderJSON         Code = "JWS_HEADER_JSON"
	JWSDuplicateMember    Code = "JWS_DUPLICATE_MEMBER"
	JWSCrit               Code = "JWS_CRIT"
	JWSJWK                Code = "JWS_JWK"
	JWSJKU                Code = "JWS_JKU"
	JWSB64                Code = "JWS_B64"
	JWSAlgNone            Code = "JWS_ALG_NONE"
	JWSAlg                Code = "JWS_ALG"
	JWSTyp                Code = "JWS_TYP"
	JWSHeaderMember       Code = "JWS_HEADER_MEMBER"
	JWSHeaderForm         Code = "JWS_HEADER_FORM"
	SignatureForm         Code = "SIGNATURE_FORM"
	BallotJSON            Code = "BALLOT_JSON"
	BallotDuplicateMember Code = "BALLOT_DUPLICATE_MEMBER"
	BallotMember          Code = "BALLOT_MEMBER"
	BallotVersion         Code = "BALLOT_VERSION"
	BallotNotCanonical    Code = "BALLOT_NOT_CANONICAL"
	BallotSeq             Code = "BALLOT_SEQ"
	BallotTime            Code = "BALLOT_TIME"
	BallotID              Code = "BALLOT_ID"
	BallotMeeting         Code = "BALLOT_MEETING"
	BallotNetwork         Code = "BALLOT_NETWORK"
	ChoiceMissing         Code = "CHOICE_MISSING"
	ChoiceMotion          Code = "CHOICE_MOTION"
	ChoiceUnknown         Code = "CHOICE_UNKNOWN"
	ChoiceCount           Code = "CHOICE_COUNT"
	RollLeaf              Code = "ROLL_LEAF"
	RollLeafForeign       Code = "ROLL_LEAF_FOREIGN"
	RollClass             Code = "ROLL_CLASS"
	RollProof             Code = "ROLL_PROOF"
	BallotEarly           Code = "BALLOT_EARLY"
	BallotLate            Code = "BALLOT_LATE"
	AckFormat             Code = "ACK_FORMAT"
	AckTime               Code = "ACK_TIME"
	AckMismatch           Code = "ACK_MISMATCH"
	MandateFormat         Code = "MANDATE_FORMAT"
	MandateNotFound       Code = "MANDATE_NOT_FOUND"
	MandateRevoked        Code = "MANDATE_REVOKED"
	MandateScope          Code = "MANDATE_SCOPE"
	EnrolmentNotFound     Code = "ENROLMENT_NOT_FOUND"
	EnrolmentForeign      Code = "ENROLMENT_FOREIGN"
	KeyRevoked            Code = "KEY_REVOKED"
	KeyForeign            Code = "KEY_FOREIGN"
	SignatureInvalid      Code = "SIGNATURE_INVALID"
	SessionNotFound       Code = "SESSION_NOT_FOUND"
	SessionForeignLender  Code = "SESSION_FOREIGN_LENDER"
	SessionForeignMeeting Code = "SESSION_FOREIGN_MEETING"
	SessionForeignKey     Code = "SESSION_FOREIGN_KEY"
	SessionMethod         Code = "SESSION_METHOD"
	SessionOutcome        Code = "SESSION_OUTCOME"
	SessionExpired        Code = "SESSION_EXPIRED"
	SeqEquivocation       Code = "SEQ_EQUIVOCATION"
	SeqStale              Code = "SEQ_STALE"
	RevoteNotAllowed      Code = "REVOTE_NOT_ALLOWED"
	FirstStands           Code = "FIRST_STANDS"
	PrincipalVoted        Code = "PRINCIPAL_VOTED"
	SessionUsed           Code = "SESSION_USED"
	BatchFormat           Code = "BATCH_FORMAT"
	BatchTooLarge         Code = "BATCH_TOO_LARGE"
	BatchMeeting          Code = "BATCH_MEETING"
	BatchEmpty            Code = "BATCH_EMPTY"
	BatchDuplicateVoter   Code = "BATCH_DUPLICATE_VOTER"
	EntryTooLarge         Code = "ENTRY_TOO_LARGE"
	EntryFormat           Code = "ENTRY_FORMAT"
	MeetingExists         Code = "MEETING_EXISTS"
	MeetingNotFound       Code = "MEETING_NOT_FOUND"
	MeetingFormat         Code = "MEETING_FORMAT"
	MeetingRoll           Code = "MEETING_ROLL"
	MeetingReplaces       Code = "MEETING_REPLACES"
	MeetingState          Code = "MEETING_STATE"
	MeetingNotOpen        Code = "MEETING_NOT_OPEN"
	StepNotProposed       Code = "STEP_NOT_PROPOSED"
	StepMismatch          Code = "STEP_MISMATCH"
	StepEarly             Code = "STEP_EARLY"
	StepFormat            Code = "STEP_FORMAT"
	CloseCount            Code = "CLOSE_COUNT"
	RangeLimit            Code = "RANGE_LIMIT"
	AuditMissing          Code = "AUDIT_MISSING"
	AuditSize             Code = "AUDIT_SIZE"
	AuditMismatch         Code = "AUDIT_MISMATCH"
	AuditNegative         Code = "AUDIT_NEGATIVE"
	AmendmentFormat       Code = "AMENDMENT_FORMAT"
	AmendmentMismatch     Code = "AMENDMENT_MISMATCH"
	AmendmentClaims       Code = "AMENDMENT_CLAIMS"
	ObjectionFormat       Code = "OBJECTION_FORMAT"
	ObjectionMeeting      Code = "OBJECTION_MEETING"
	ObjectionExists       Code = "OBJECTION_EXISTS"
	ObjectionLate         Code = "OBJECTION_LATE"
	ObjectionLimit        Code = "OBJECTION_LIMIT"
	ObjectionNotFound     Code = "OBJECTION_NOT_FOUND"
	ObjectionAnswered     Code = "OBJECTION_ANSWERED"
	ObjectionDecided      Code = "OBJECTION_DECIDED"
	ObjectionOpen         Code = "OBJECTION_OPEN"
	AwardUnmet            Code = "AWARD_UNMET"
	NotAuthorised         Code = "NOT_AUTHORISED"
	ArgumentFormat        Code = "ARGUMENT_FORMAT"
	IssuerFormat          Code = "ISSUER_FORMAT"
	IssuerExists          Code = "ISSUER_EXISTS"
	IssuerNotFound        Code = "ISSUER_NOT_FOUND"
	IssuerNotConfirmed    Code = "ISSUER_NOT_CONFIRMED"
	CertFormat            Code = "CERT_FORMAT"
	CertChain             Code = "CERT_CHAIN"
	CertSubject           Code = "CERT_SUBJECT"
	CertKey               Code = "CERT_KEY"
	EnrolmentExists       Code = "ENROLMENT_EXISTS"
	EnrolmentFormat       Code = "ENROLMENT_FORMAT"
	SessionFormat         Code = "SESSION_FORMAT"
	SessionExists         Code = "SESSION_EXISTS"
	RevokeFormat          Code = "REVOKE_FORMAT"
	ReceiptFormat         Code = "RECEIPT_FORMAT"
	ReceiptMismatch       Code = "RECEIPT_MISMATCH"
)

var sentences = map[Code]string{
	BallotTooLong:         "The ballot is longer than 3,072 bytes; answer fewer motions in one ballot.",
	JWSFormat:             "It is not three parts of canonical base64url (no padding); send a compact JWS.",
	JWSHeaderJSON:         "The JWS header is not a JSON object; sign it again with a correct client.",
	JWSDuplicateMember:    "The JWS header names a member twice; sign it again with each member once.",
	JWSCrit:               "The JWS header has `crit`, and no extension is understood; sign it again without.",
	JWSJWK:                "The JWS header carries a key of its own; sign it again, naming the enrolled key by thumbprint.",
	JWSJKU:                "The JWS header points to a key elsewhere; sign it again, naming the enrolled key by thumbprint.",
	JWSB64:                "The JWS header has `b64`; sign the encoded payload as RFC 7515 says.",
	JWSAlgNone:            "The JWS is unsigned (`alg` none); sign it with ES256.",
	JWSAlg:                "The JWS algorithm is not ES256; sign it with ES256.",
	JWSTyp:                "The JWS type is not the one expected here; sign an object of the right kind.",
	JWSHeaderMember:       "A JWS header member is missing, unknown or malformed; use alg, typ and x5t#S256 only.",
	JWSHeaderForm:         "The JWS header is not byte for byte the prescribed one; keep its order and add no space.",
	SignatureForm:         "The signature is not 64 bytes (r and s, 32 each); don't use the DER form.",
	BallotJSON:            "The ballot's payload is not a JSON object of the allowed kind; sign it again.",
	BallotDuplicateMember: "The ballot's payload names a member twice; sign it again with each member once.",
	BallotMember:          "A member of the ballot is missing, unknown or of the wrong type; see docs/encodings.md.",
	BallotVersion:         "The ballot's version is not 1; use a client made for this network.",
	BallotNotCanonical:    "The ballot's payload is not its own canonical JSON (RFC 8785); sign the canonical form.",
	BallotSeq:             "The ballot's seq is not between 1 and 1000; count a lender's ballots from 1.",
	BallotTime:            "The ballot's iat is not a time of the form 2026-01-31T08:00:00Z; sign it again.",
	BallotID:              "The ballot's sub, ses or prx is not canonical base64url of its length; use the ids that were issued.",
	BallotMeeting:         "The ballot is for another meeting; cast one for this meeting.",
	BallotNetwork:         "The ballot names another meeting record or network; fetch the announced record and sign again.",
	ChoiceMissing:         "A motion is left unanswered; answer every motion (abstaining is an answer).",
	ChoiceMotion:          "The ballot answers a motion that the meeting doesn't have; answer the announced motions.",
	ChoiceUnknown:         "A choice is not among the motion's; choose one that was announced.",
	ChoiceCount:           "A motion has too few, too many or unsorted choices; choose as many as the motion allows.",
	RollLeaf:              "The roll leaf is malformed or not canonical; send the leaf of the invitation unchanged.",
	RollLeafForeign:       "The roll leaf is another lender's or another meeting's; send the voter's own.",
	RollClass:             "The roll leaf has a class or motion that the meeting doesn't; check that the roll is the frozen one.",
	RollProof:             "The leaf's inclusion proof doesn't lead to the frozen roll; make the proof from the frozen roll.",
	BallotEarly:           "The ballot was acknowledged before the meeting opened; cast it again when it is open.",
	BallotLate:            "The ballot was acknowledged after the meeting closed; it cannot be counted.",
	AckFormat:             "The acknowledgement's payload is malformed or not canonical; keep the one that the door sent.",
	AckTime:               "The acknowledgement's time is not a time of the form 2026-01-31T08:00:00Z; ask the door again.",
	AckMismatch:           "The acknowledgement is for another ballot, meeting or door; ask the door for this ballot's.",
	MandateFormat:         "The mandate is malformed or not canonical; sign it again as docs/encodings.md says.",
	MandateNotFound:       "The channel has no such mandate yet; the ballot is tried again later.",
	MandateRevoked:        "The mandate was revoked or replaced; vote oneself, or give a new mandate.",
	MandateScope:          "The mandate doesn't cover this ballot, or the meeting takes no proxies; vote oneself.",
	EnrolmentNotFound:     "This endorser has no enrolment for the voter yet; the ballot is tried again later.",
	EnrolmentForeign:      "The voter is enrolled with another institution; vote in that institution's meetings.",
	KeyRevoked:            "The voter's key was revoked; enrol a new key and cast the ballot again.",
	KeyForeign:            "The ballot was signed by a key that is not the voter's enrolled one; sign with the enrolled key.",
	SignatureInvalid:      "The signature doesn't verify with the key named; sign again with that key.",
	SessionNotFound:       "This endorser has no such identity check yet; the ballot is tried again later.",
	SessionForeignLender:  "The identity check was another lender's, or for another's ballot; verify the voter again.",
	SessionForeignMeeting: "The identity check was for another meeting; verify the voter for this one.",
	SessionForeignKey:     "The identity check was bound to another key; verify the voter with the present key.",
	SessionMethod:         "The identity check used a method that the meeting doesn't allow; use an announced method.",
	SessionOutcome:        "The identity check was not passed; verify the voter again.",
	SessionExpired:        "The identity check had expired when the ballot was acknowledged; verify again and vote again.",
	SeqEquivocation:       "A different ballot with the same seq is already held; the first one stays.",
	SeqStale:              "A ballot with a higher seq is already held; that one stays.",
	RevoteNotAllowed:      "The meeting doesn't allow revotes; the first ballot stays.",
	FirstStands:           "Of a lender's several ballots the first counts at this meeting; that one stays.",
	PrincipalVoted:        "The principal has voted; a proxy's ballot doesn't count beside it, and that one stays.",
	SessionUsed:           "The identity check was already used by another ballot; verify the voter again.",
	BatchFormat:           "The batch is not deterministic CBOR of the prescribed shape; encode it again.",
	BatchTooLarge:         "The batch is larger than 4,000,000 bytes; split it.",
	BatchMeeting:          "The batch names no well-formed meeting id; name the meeting.",
	BatchEmpty:            "The batch has no entry; send at least one ballot.",
	BatchDuplicateVoter:   "An earlier entry of the batch is the same voter's; send this one in a later batch.",
	EntryTooLarge:         "The batch entry is larger than 4,096 bytes; check the ballot and its proof.",
	EntryFormat:           "The batch entry has the wrong shape; encode it as docs/encodings.md says.",
	MeetingExists:         "A meeting with this id exists already; choose another id.",
	MeetingNotFound:       "There is no meeting with this id on the channel; check the id and the channel.",
	MeetingFormat:         "The meeting's record is malformed, not canonical or of an unknown scheme; correct the record.",
	MeetingRoll:           "The meeting's roll figures or cap don't agree with each other; recompute them from the roll.",
	MeetingReplaces:       "The meeting doesn't replace the one that it names; look at that one's record and result.",
	MeetingState:          "The meeting's state doesn't allow this step; look at its present state first.",
	MeetingNotOpen:        "The meeting doesn't take ballots from this door now; check its state and times.",
	StepNotProposed:       "No step is waiting for confirmation; propose the step first.",
	StepMismatch:          "The step waiting is not the one confirmed; look at it again and confirm its digest.",
	StepEarly:             "It is too early for this step; wait until the time that the record announces.",
	StepFormat:            "The step is malformed or lacks a member that it needs; correct it.",
	CloseCount:            "The ballots or subtotals found differ from the number named; recount, then propose again.",
	RangeLimit:            "A range query met the peer's totalQueryLimit; raise the limit on every endorser and try again.",
	AuditMissing:          "The final tree head is not anchored; let the Regulator's auditor anchor it first.",
	AuditSize:             "The tree head is smaller than the last one or than the count; anchor one over every ballot.",
	AuditMismatch:         "The audit is of another result or head than it says; audit again and anchor that.",
	AuditNegative:         "The last audit that was anchored is not consistent; find out why before certifying.",
	AmendmentFormat:       "The amendment is malformed or not canonical; correct it.",
	AmendmentMismatch:     "The amendment waiting is not the one confirmed; look at it again and confirm its digest.",
	AmendmentClaims:       "The amendment's claims are not the lender's present ones; draw it up again from those.",
	ObjectionFormat:       "The objection is malformed or not canonical; sign it again as docs/encodings.md says.",
	ObjectionMeeting:      "The objection names another meeting record or network; fetch the announced record and sign again.",
	ObjectionExists:       "Another objection with this id is held; sign yours again under a new id.",
	ObjectionLate:         "The objection reached its door after the period for objections; it cannot be filed.",
	ObjectionLimit:        "The lender has filed as many objections as a meeting takes from one; put the matter into one of them.",
	ObjectionNotFound:     "The channel has no objection with this id at the meeting; check the id.",
	ObjectionAnswered:     "The objection has another answer; the first one stays.",
	ObjectionDecided:      "The objection is decided; the award stays.",
	ObjectionOpen:         "An objection is undecided; let the arbitration commission decide it first.",
	AwardUnmet:            "An award asks for a recount or a new vote; anchor a new audit, or void the meeting.",
	NotAuthorised:         "The caller's organisation and role may not do this; use an identity that docs/authority.md names.",
	ArgumentFormat:        "An argument is malformed; see docs/authority.md for what the function takes.",
	IssuerFormat:          "The lender CA's certificate is malformed or no P-256 CA; register a correct root.",
	IssuerExists:          "The institution has a lender CA registered already; it can't be replaced.",
	IssuerNotFound:        "The institution has no lender CA registered; propose it first.",
	IssuerNotConfirmed:    "The institution's lender CA is not confirmed yet; let the Regulator confirm it.",
	CertFormat:            "The certificate is not DER X.509 as prescribed; send the one that the lender CA issued.",
	CertChain:             "The certificate was not issued by the institution's confirmed lender CA; enrol there.",
	CertSubject:           "The certificate's common name is not the pseudonym; have one issued for this pseudonym.",
	CertKey:               "The certificate's key is not P-256 or is a CA's; make a P-256 key of one's own.",
	EnrolmentExists:       "The pseudonym is enrolled already; revoke the enrolment before replacing its key.",
	EnrolmentFormat:       "The enrolment is malformed; correct its members.",
	SessionFormat:         "The session record is malformed; correct its members.",
	SessionExists:         "A different session with this id exists already; make a new session id.",
	RevokeFormat:          "The revocation is malformed; name the pseudonym and a reason.",
	ReceiptFormat:         "The receipt is malformed; use the file as it was issued.",
	ReceiptMismatch:       "The receipt's parts don't belong together; ask the platform for the receipt again.",
}
