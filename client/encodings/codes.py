"""The registry of refusal codes: one stable name, one sentence that says what and what to do.

`tests/vectors/codes.json` is this table as data; the chaincode carries the same table,
and a test on each side holds both to the file.
"""

# ruff: noqa: E501  one code a line: the table is data

from __future__ import annotations

from typing import Final

_JWS: Final = {
    "BALLOT_TOO_LONG": "The ballot is longer than 3,072 bytes; answer fewer motions in one ballot.",
    "JWS_FORMAT": "It is not three parts of canonical base64url (no padding); send a compact JWS.",
    "JWS_HEADER_JSON": "The JWS header is not a JSON object; sign it again with a correct client.",
    "JWS_DUPLICATE_MEMBER": "The JWS header names a member twice; sign it again with each member once.",
    "JWS_CRIT": "The JWS header has `crit`, and no extension is understood; sign it again without.",
    "JWS_JWK": "The JWS header carries a key of its own; sign it again, naming the enrolled key by thumbprint.",
    "JWS_JKU": "The JWS header points to a key elsewhere; sign it again, naming the enrolled key by thumbprint.",
    "JWS_B64": "The JWS header has `b64`; sign the encoded payload as RFC 7515 says.",
    "JWS_ALG_NONE": "The JWS is unsigned (`alg` none); sign it with ES256.",
    "JWS_ALG": "The JWS algorithm is not ES256; sign it with ES256.",
    "JWS_TYP": "The JWS type is not the one expected here; sign an object of the right kind.",
    "JWS_HEADER_MEMBER": "A JWS header member is missing, unknown or malformed; use alg, typ and x5t#S256 only.",
    "JWS_HEADER_FORM": "The JWS header is not byte for byte the prescribed one; keep its order and add no space.",
    "SIGNATURE_FORM": "The signature is not 64 bytes (r and s, 32 each); don't use the DER form.",
}

_BALLOT: Final = {
    "BALLOT_JSON": "The ballot's payload is not a JSON object of the allowed kind; sign it again.",
    "BALLOT_DUPLICATE_MEMBER": "The ballot's payload names a member twice; sign it again with each member once.",
    "BALLOT_MEMBER": "A member of the ballot is missing, unknown or of the wrong type; see docs/encodings.md.",
    "BALLOT_VERSION": "The ballot's version is not 1; use a client made for this network.",
    "BALLOT_NOT_CANONICAL": "The ballot's payload is not its own canonical JSON (RFC 8785); sign the canonical form.",
    "BALLOT_SEQ": "The ballot's seq is not between 1 and 1000; count a lender's ballots from 1.",
    "BALLOT_TIME": "The ballot's iat is not a time of the form 2026-01-31T08:00:00Z; sign it again.",
    "BALLOT_ID": "The ballot's sub, ses or prx is not canonical base64url of its length; use the ids that were issued.",
    "BALLOT_MEETING": "The ballot is for another meeting; cast one for this meeting.",
    "BALLOT_NETWORK": "The ballot names another meeting record or network; fetch the announced record and sign again.",
    "CHOICE_MISSING": "A motion is left unanswered; answer every motion (abstaining is an answer).",
    "CHOICE_MOTION": "The ballot answers a motion that the meeting doesn't have; answer the announced motions.",
    "CHOICE_UNKNOWN": "A choice is not among the motion's; choose one that was announced.",
    "CHOICE_COUNT": "A motion has too few, too many or unsorted choices; choose as many as the motion allows.",
}

_ROLL: Final = {
    "ROLL_LEAF": "The roll leaf is malformed or not canonical; send the leaf of the invitation unchanged.",
    "ROLL_LEAF_FOREIGN": "The roll leaf is another lender's or another meeting's; send the voter's own.",
    "ROLL_CLASS": "The roll leaf has a class or motion that the meeting doesn't; check that the roll is the frozen one.",
    "ROLL_PROOF": "The leaf's inclusion proof doesn't lead to the frozen roll; make the proof from the frozen roll.",
}

_DOOR: Final = {
    "BALLOT_EARLY": "The ballot was acknowledged before the meeting opened; cast it again when it is open.",
    "BALLOT_LATE": "The ballot was acknowledged after the meeting closed; it cannot be counted.",
    "ACK_FORMAT": "The acknowledgement's payload is malformed or not canonical; keep the one that the door sent.",
    "ACK_TIME": "The acknowledgement's time is not a time of the form 2026-01-31T08:00:00Z; ask the door again.",
    "ACK_MISMATCH": "The acknowledgement is for another ballot, meeting or door; ask the door for this ballot's.",
}

_MANDATE: Final = {
    "MANDATE_FORMAT": "The mandate is malformed or not canonical; sign it again as docs/encodings.md says.",
    "MANDATE_NOT_FOUND": "The channel has no such mandate yet; the ballot is tried again later.",
    "MANDATE_REVOKED": "The mandate was revoked or replaced; vote oneself, or give a new mandate.",
    "MANDATE_SCOPE": "The mandate doesn't cover this ballot, or the meeting takes no proxies; vote oneself.",
}

_IDENTITY: Final = {
    "ENROLMENT_NOT_FOUND": "This endorser has no enrolment for the voter yet; the ballot is tried again later.",
    "ENROLMENT_FOREIGN": "The voter is enrolled with another institution; vote in that institution's meetings.",
    "KEY_REVOKED": "The voter's key was revoked; enrol a new key and cast the ballot again.",
    "KEY_FOREIGN": "The ballot was signed by a key that is not the voter's enrolled one; sign with the enrolled key.",
    "SIGNATURE_INVALID": "The signature doesn't verify with the key named; sign again with that key.",
    "SESSION_NOT_FOUND": "This endorser has no such identity check yet; the ballot is tried again later.",
    "SESSION_FOREIGN_LENDER": "The identity check was another lender's, or for another's ballot; verify the voter again.",
    "SESSION_FOREIGN_MEETING": "The identity check was for another meeting; verify the voter for this one.",
    "SESSION_FOREIGN_KEY": "The identity check was bound to another key; verify the voter with the present key.",
    "SESSION_METHOD": "The identity check used a method that the meeting doesn't allow; use an announced method.",
    "SESSION_OUTCOME": "The identity check was not passed; verify the voter again.",
    "SESSION_EXPIRED": "The identity check had expired when the ballot was acknowledged; verify again and vote again.",
}

_HISTORY: Final = {
    "SEQ_EQUIVOCATION": "A different ballot with the same seq is already held; the first one stays.",
    "SEQ_STALE": "A ballot with a higher seq is already held; that one stays.",
    "REVOTE_NOT_ALLOWED": "The meeting doesn't allow revotes; the first ballot stays.",
    "FIRST_STANDS": "Of a lender's several ballots the first counts at this meeting; that one stays.",
    "PRINCIPAL_VOTED": "The principal has voted; a proxy's ballot doesn't count beside it, and that one stays.",
    "SESSION_USED": "The identity check was already used by another ballot; verify the voter again.",
}

_BATCH: Final = {
    "BATCH_FORMAT": "The batch is not deterministic CBOR of the prescribed shape; encode it again.",
    "BATCH_TOO_LARGE": "The batch is larger than 4,000,000 bytes; split it.",
    "BATCH_MEETING": "The batch names no well-formed meeting id; name the meeting.",
    "BATCH_EMPTY": "The batch has no entry; send at least one ballot.",
    "BATCH_DUPLICATE_VOTER": "An earlier entry of the batch is the same voter's; send this one in a later batch.",
    "ENTRY_TOO_LARGE": "The batch entry is larger than 4,096 bytes; check the ballot and its proof.",
    "ENTRY_FORMAT": "The batch entry has the wrong shape; encode it as docs/encodings.md says.",
}

_MEETING: Final = {
    "MEETING_EXISTS": "A meeting with this id exists already; choose another id.",
    "MEETING_NOT_FOUND": "There is no meeting with this id on the channel; check the id and the channel.",
    "MEETING_FORMAT": "The meeting's record is malformed, not canonical or of an unknown scheme; correct the record.",
    "MEETING_ROLL": "The meeting's roll figures or cap don't agree with each other; recompute them from the roll.",
    "MEETING_REPLACES": "The meeting doesn't replace the one that it names; look at that one's record and result.",
    "MEETING_STATE": "The meeting's state doesn't allow this step; look at its present state first.",
    "MEETING_NOT_OPEN": "The meeting doesn't take ballots from this door now; check its state and times.",
    "STEP_NOT_PROPOSED": "No step is waiting for confirmation; propose the step first.",
    "STEP_MISMATCH": "The step waiting is not the one confirmed; look at it again and confirm its digest.",
    "STEP_EARLY": "It is too early for this step; wait until the time that the record announces.",
    "STEP_FORMAT": "The step is malformed or lacks a member that it needs; correct it.",
    "CLOSE_COUNT": "The ballots or subtotals found differ from the number named; recount, then propose again.",
    "RANGE_LIMIT": "A range query met the peer's totalQueryLimit; raise the limit on every endorser and try again.",
    "AUDIT_MISSING": "The final tree head is not anchored; let the Regulator's auditor anchor it first.",
    "AUDIT_SIZE": "The tree head is smaller than the last one or than the count; anchor one over every ballot.",
    "AUDIT_MISMATCH": "The audit is of another result or head than it says; audit again and anchor that.",
    "AUDIT_NEGATIVE": "The last audit that was anchored is not consistent; find out why before certifying.",
    "AMENDMENT_FORMAT": "The amendment is malformed or not canonical; correct it.",
    "AMENDMENT_MISMATCH": "The amendment waiting is not the one confirmed; look at it again and confirm its digest.",
    "AMENDMENT_CLAIMS": "The amendment's claims are not the lender's present ones; draw it up again from those.",
}

_OBJECTION: Final = {
    "OBJECTION_FORMAT": "The objection is malformed or not canonical; sign it again as docs/encodings.md says.",
    "OBJECTION_MEETING": "The objection names another meeting record or network; fetch the announced record and sign again.",
    "OBJECTION_EXISTS": "Another objection with this id is held; sign yours again under a new id.",
    "OBJECTION_LATE": "The objection reached its door after the period for objections; it cannot be filed.",
    "OBJECTION_LIMIT": "The lender has filed as many objections as a meeting takes from one; put the matter into one of them.",
    "OBJECTION_NOT_FOUND": "The channel has no objection with this id at the meeting; check the id.",
    "OBJECTION_ANSWERED": "The objection has another answer; the first one stays.",
    "OBJECTION_DECIDED": "The objection is decided; the award stays.",
    "OBJECTION_OPEN": "An objection is undecided; let the arbitration commission decide it first.",
    "AWARD_UNMET": "An award asks for a recount or a new vote; anchor a new audit, or void the meeting.",
}

_AUTHORITY: Final = {
    "NOT_AUTHORISED": "The caller's organisation and role may not do this; use an identity that docs/authority.md names.",
    "ARGUMENT_FORMAT": "An argument is malformed; see docs/authority.md for what the function takes.",
}

_REGISTRY: Final = {
    "ISSUER_FORMAT": "The lender CA's certificate is malformed or no P-256 CA; register a correct root.",
    "ISSUER_EXISTS": "The institution has a lender CA registered already; it can't be replaced.",
    "ISSUER_NOT_FOUND": "The institution has no lender CA registered; propose it first.",
    "ISSUER_NOT_CONFIRMED": "The institution's lender CA is not confirmed yet; let the Regulator confirm it.",
    "CERT_FORMAT": "The certificate is not DER X.509 as prescribed; send the one that the lender CA issued.",
    "CERT_CHAIN": "The certificate was not issued by the institution's confirmed lender CA; enrol there.",
    "CERT_SUBJECT": "The certificate's common name is not the pseudonym; have one issued for this pseudonym.",
    "CERT_KEY": "The certificate's key is not P-256 or is a CA's; make a P-256 key of one's own.",
    "ENROLMENT_EXISTS": "The pseudonym is enrolled already; revoke the enrolment before replacing its key.",
    "ENROLMENT_FORMAT": "The enrolment is malformed; correct its members.",
    "SESSION_FORMAT": "The session record is malformed; correct its members.",
    "SESSION_EXISTS": "A different session with this id exists already; make a new session id.",
    "REVOKE_FORMAT": "The revocation is malformed; name the pseudonym and a reason.",
}

_RECEIPT: Final = {
    "RECEIPT_FORMAT": "The receipt is malformed; use the file as it was issued.",
    "RECEIPT_MISMATCH": "The receipt's parts don't belong together; ask the platform for the receipt again.",
}

CODES: Final[dict[str, str]] = {
    **_JWS,
    **_BALLOT,
    **_ROLL,
    **_DOOR,
    **_MANDATE,
    **_IDENTITY,
    **_HISTORY,
    **_BATCH,
    **_MEETING,
    **_OBJECTION,
    **_AUTHORITY,
    **_REGISTRY,
    **_RECEIPT,
}
"""Every refusal code with its sentence, in the order of the checks."""
