"""The records that a package is about, as its blocks hold them and as its files repeat them for people."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from auditor.evidence.agency import read_mandates, signer_of
from auditor.evidence.amended import read_amendments
from auditor.evidence.anchored import read_anchors
from auditor.evidence.chain import read_blocks
from auditor.evidence.disputes import dispute_keys, read_disputes
from auditor.evidence.errors import EvidenceRefused
from auditor.replay.effect import composite
from auditor.replay.people import Enrolment, Issuer, Session
from client.encodings import base64url, cbor, jcs
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_first
from client.encodings.meeting import Meeting, parse_meeting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.evidence.agency import Given
    from auditor.evidence.amended import Confirmed
    from auditor.evidence.anchored import Anchored
    from auditor.evidence.chain import Records, Written
    from auditor.evidence.manifest import Subject
    from auditor.log.trust import TrustRoot
    from auditor.replay.authority import Offices
    from client.encodings.ballot import Ballot, SignedBallot
    from client.encodings.objection_record import Dispute

IDENTITY: Final = "identity"
_Record = TypeVar("_Record", Issuer, Enrolment, Session)


def identity_keys(institution: str, subs: Iterable[str], ses: str) -> frozenset[str]:
    """Return the keys of `identity` that a ballot relies on: issuer, enrolments, identity check.

    `subs` are the voter and whoever signed in the voter's place.
    """
    enrolled = (composite("enrolment", sub) for sub in subs)
    return frozenset((composite("issuer", institution), *enrolled, composite("session", ses)))


def meeting_keys(ballot: Ballot) -> frozenset[str]:
    """Return the keys of the institution's channel about a ballot's meeting, its roll and its voter."""
    kinds = ("meeting", "cap", "state", "result", "audit", "amendment", "amendments")
    own = ("ballot",) if ballot.prx is None else ("ballot", "mandate")
    return frozenset(
        (
            *(composite(kind, ballot.mtg) for kind in kinds),
            *(composite(kind, ballot.mtg, ballot.sub) for kind in own),
        )
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a package's verified blocks hold; `cap` is the roll's.

    `enrolments` are all revisions of whoever signed the ballot, `voter` those of whose ballot it is: the same
    unless a proxy signed, by one of the `mandates`. `disputes` are the voter's objections.
    """

    identity: Records
    channel: Records
    meeting: Meeting
    cap: tuple[bytes, ...]
    issuer: Issuer
    enrolments: tuple[Enrolment, ...]
    voter: tuple[Enrolment, ...]
    session: Session
    amendments: tuple[Confirmed, ...]
    mandates: tuple[Given, ...]
    anchors: tuple[Anchored, ...]
    disputes: tuple[Dispute, ...]
    state: str
    result: bytes
    proposed: Written
    confirmed: Written


def read_held(
    blocks: Mapping[str, Mapping[int, bytes]],
    subject: Subject,
    ballot: SignedBallot,
    trust: TrustRoot,
    offices: Offices,
) -> Held:
    """Verify the blocks of both channels and read the records in them.

    Refuse as `read_blocks` does, with EVIDENCE_GENESIS for a channel that isn't trusted, EVIDENCE_MEETING
    for blocks of another one, EVIDENCE_RECORD where a record is missing or malformed, EVIDENCE_AMENDMENT,
    EVIDENCE_MANDATE, EVIDENCE_ANCHOR and EVIDENCE_OBJECTION likewise.
    """
    content, channel = ballot.ballot, subject.channel
    if blocks.keys() != {IDENTITY, channel}:
        raise EvidenceRefused("EVIDENCE_MEETING", f"blocks of {', '.join(sorted(blocks)) or 'no channel'}")
    for name in (IDENTITY, channel):
        if name not in trust.genesis:
            raise EvidenceRefused("EVIDENCE_GENESIS", f"{name} is in no trust file")
    own = meeting_keys(content)
    begins = dispute_keys(subject.mtg)

    def wanted(key: str) -> bool:
        return key in own or key.startswith(begins)

    held = read_blocks(channel, blocks[channel], trust.genesis[channel], offices, wanted)
    proposed = _first(held, composite("meeting", subject.mtg))
    try:
        meeting = parse_meeting(proposed.value or b"")
        cap = _cap(_first(held, composite("cap", subject.mtg)).value or b"")
    except (Refused, ValueError) as error:
        raise EvidenceRefused("EVIDENCE_RECORD", f"the meeting's record or cap: {error}") from error
    amendments = read_amendments(held, meeting)
    if len(amendments) != subject.amendments:
        said = f"{len(amendments)} amendments, the manifest says {subject.amendments}"
        raise EvidenceRefused("EVIDENCE_AMENDMENT", said)
    mandates = read_mandates(held, content)
    signer = signer_of(mandates, content)
    keys = identity_keys(meeting.institution, {content.sub, signer}, content.ses)
    people = read_blocks(IDENTITY, blocks[IDENTITY], trust.genesis[IDENTITY], offices, keys.__contains__)
    issuers = _all(people, composite("issuer", meeting.institution), Issuer)
    voter, anchors = _enrolments(people, content.sub), read_anchors(held, meeting)
    states = held.of(composite("state", subject.mtg))
    results = held.of(composite("result", subject.mtg))
    return Held(
        identity=people,
        channel=held,
        meeting=meeting,
        cap=cap,
        issuer=issuers[-1],
        enrolments=_enrolments(people, signer),
        voter=voter,
        session=_all(people, composite("session", content.ses), Session)[0],
        amendments=amendments,
        mandates=mandates,
        anchors=anchors,
        disputes=read_disputes(held, meeting, voter, issuers[-1], anchors),
        state=_state(states[-1].value or b"") if states else "",
        result=(results[-1].value or b"") if results else b"",
        proposed=proposed,
        confirmed=_confirmed(states),
    )


def _enrolments(people: Records, sub: str) -> tuple[Enrolment, ...]:
    enrolments = _all(people, composite("enrolment", sub), Enrolment)
    if [one.rev for one in enrolments] != list(range(1, len(enrolments) + 1)):
        raise EvidenceRefused("EVIDENCE_RECORD", "revisions of the enrolment are missing")
    return enrolments


def _confirmed(states: list[Written]) -> Written:
    for one in states:
        if one.transaction.function == "ConfirmMeeting":
            return one
    raise EvidenceRefused("EVIDENCE_RECORD", "the Regulator's confirmation of the meeting is missing")


def _first(records: Records, key: str) -> Written:
    written = records.of(key)
    if not written:
        raise EvidenceRefused("EVIDENCE_RECORD", f"no block has {_named(key)}")
    return written[0]


def _all(records: Records, key: str, kind: type[_Record]) -> tuple[_Record, ...]:
    _first(records, key)
    return tuple(_record(one, kind, _named(key)) for one in records.of(key))


def _record(written: Written, kind: type[_Record], name: str) -> _Record:
    try:
        value: Any = jcs.loads_canonical(written.value or b"")
        names = {one.name for one in fields(kind)}
        if not isinstance(value, dict) or not is_first(value.pop("v", None)) or not value.keys() <= names:
            raise ValueError("other members than such a record has")  # noqa: TRY301  one error for every wrong form
        record = kind(**value)
        if record.encode() != written.value or record.tx != written.transaction.tx_id:
            raise ValueError("it is not in its one form, or names another transaction")  # noqa: TRY301  one error for every wrong form
    except (TypeError, ValueError) as error:
        raise EvidenceRefused("EVIDENCE_RECORD", f"{name}: {error}") from error
    return record


def _cap(data: bytes) -> tuple[bytes, ...]:
    value = cbor.loads(data)
    if not isinstance(value, list) or not all(
        isinstance(one, bytes) and len(one) == HASH_BYTES for one in value
    ):
        raise ValueError("the cap is no list of hashes")
    return tuple(value)


def _state(data: bytes) -> str:
    try:
        return str(jcs.loads(data)["state"])
    except (jcs.JsonError, KeyError, TypeError) as error:
        raise EvidenceRefused("EVIDENCE_RECORD", "the meeting's state") from error


def _named(key: str) -> str:
    return key.strip("\x00").replace("\x00", " ")


def provenance(held: Held) -> dict[str, Any]:
    """Return where the roll comes from, as far as the channel knows: who proposed it, who confirmed it."""
    return {
        "v": 1,
        "root": base64url.encode(held.meeting.roll.root),
        "snapshot": held.meeting.roll.snapshot,
        "proposed": _who(held.proposed),
        "confirmed": _who(held.confirmed),
        "documents": [{"name": one.name, "sha256": one.sha256} for one in held.meeting.documents],
    }


def _who(written: Written) -> dict[str, Any]:
    creator = written.endorsed.creator
    return {
        "msp": creator.msp_id,
        "signer": creator.certificate.subject.rfc4514_string(),
        "block": written.transaction.block,
        "tx": written.transaction.tx_id,
    }
