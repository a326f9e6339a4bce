"""Ballots by proxy that are judged: against the voter's mandate, the proxy's key and check, and history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from client.encodings import base64url
from client.encodings.ballot import SignedBallot, sign_ballot
from client.encodings.entries import compact_entry, raw_entry
from client.encodings.judge import HeldBallot
from client.encodings.mandate import Mandate, SignedMandate, sign_mandate
from client.encodings.mandate_record import MandateRecord, Revoked
from client.encodings.revocation import Revocation, sign_revocation
from tests.vectors.cases import Author, Case
from tests.vectors.scene import ACK_TIME, Lender, Scene, random_id, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from client.encodings.ballot import Vote
    from client.encodings.batch import CompactEntry
    from client.encodings.records import Session

IAT = "2026-03-03T08:00:00Z"


@dataclass
class Agency:
    """Writes ballots that `proxy` signs for `principal` by the principal's mandates."""

    scene: Scene
    principal: Lender
    proxy: Lender
    meeting: str = "proxies"

    def mandate(self, no: int = 1, motions: Any = "*") -> SignedMandate:
        meeting, mine = self.scene.meeting, self.principal
        said = Mandate(meeting.mh, meeting.mtg, motions, mine.sub, self.proxy.sub, IAT, no)
        return sign_mandate(said, mine.x5t, mine.key)

    def record(self, signed: SignedMandate, *past: str, revoked: bool = False) -> MandateRecord:
        meeting, mine = self.scene.meeting, self.principal
        word = Revocation(meeting.mh, meeting.mtg, mine.sub, signed.digest, IAT)
        end = Revoked(sign_revocation(word, mine.x5t, mine.key).compact, 1) if revoked else None
        return MandateRecord(signed, 1, past, end, seeded("tx", "mandate").hex())

    def session(self, number: int = 1, **changes: Any) -> Session:
        ses = random_id(f"session {self.proxy.name} for {self.principal.name} {number}")
        whole = self.scene.session(self.proxy, number, ses=ses, act=self.principal.sub)
        return replace(whole, **changes)

    def signed(
        self,
        mandate: SignedMandate,
        seq: int = 1,
        votes: Mapping[str, Vote] | None = None,
        signer: Lender | None = None,
    ) -> SignedBallot:
        hand = signer or self.proxy
        content = replace(
            self.scene.ballot(self.principal, votes, seq), ses=self.session(seq).ses, prx=mandate.digest
        )
        return sign_ballot(content, hand.x5t, hand.key)

    def compact(self, signed: SignedBallot) -> CompactEntry:
        scene, mine = self.scene, self.principal
        return compact_entry(
            signed,
            scene.meeting,
            scene.leaf(mine),
            index=scene.index(mine),
            proof=scene.proof(mine),
            ack_no=1,
            ack_time=ACK_TIME,
        )

    def case(
        self,
        name: str,
        signed: SignedBallot,
        code: str = "",
        *,
        mandate: MandateRecord | None,
        raw: bool = False,
        **changes: Any,
    ) -> Case:
        """Return the case of a ballot in the proxy's context, or a changed one."""
        scene, mine = self.scene, self.principal
        entry: Any = self.compact(signed)
        if raw:
            entry = raw_entry(
                signed.compact,
                scene.leaf(mine).encode(),
                index=scene.index(mine),
                proof=scene.proof(mine),
                ack_no=1,
                ack_time=ACK_TIME,
            )
        context: dict[str, Any] = {
            "enrolment": self.proxy.enrolment(),
            "session": self.session(signed.ballot.seq),
        }
        case = Author(scene, self.proxy, self.meeting).case(name, entry, code, **(context | changes))
        case.mandate = mandate
        return case

    def held(self, seq: int, digest: str = "", proxy: Lender | None = None, session: int = 9) -> HeldBallot:
        """Return the principal's ballot on the channel: its own, or a proxy's."""
        other = base64url.encode(seeded("another digest"))
        ses = self.session(session).ses if proxy else self.scene.session(self.principal, session).ses
        return HeldBallot(seq, digest or other, ses, proxy.sub if proxy else None)


def _parts(scenes: Mapping[str, Scene]) -> tuple[Agency, Agency]:
    scene = scenes["proxies"]
    principal, proxy, other = (scene.lenders[name] for name in ("an", "ding", "chen"))
    return Agency(scene, principal, proxy), Agency(scene, principal, other)


def agency_accepted(scenes: Mapping[str, Scene]) -> Iterator[Case]:
    """Yield ballots by proxy that are accepted, held or pending, and own ballots that prevail."""
    agency, second = _parts(scenes)
    first = agency.mandate()
    there = agency.record(first)
    signed = agency.signed(first)
    yield agency.case("raw: by proxy", signed, mandate=there, raw=True)
    yield agency.case("compact: by proxy", signed, mandate=there)
    part = agency.mandate(2, ("m2",))
    votes: dict[str, Vote] = {"m1": (), "m2": "reject"}
    partly = agency.signed(part, votes=votes)
    after = agency.record(part, first.digest)
    yield agency.case("raw: by proxy on one motion", partly, mandate=after, raw=True)
    yield agency.case("compact: by proxy on one motion", partly, mandate=after)
    yield agency.case(
        "by proxy, a revote", agency.signed(first, 3), mandate=there, held=agency.held(2, proxy=agency.proxy)
    )
    new = second.mandate(2)
    yield second.case(
        "by a second proxy, with a lower seq",
        second.signed(new),
        mandate=second.record(new, first.digest),
        held=agency.held(5, proxy=agency.proxy),
    )
    mine = Author(agency.scene, agency.principal, agency.meeting)
    for name, held in (
        ("a lower", agency.held(7, proxy=agency.proxy)),
        ("the same", agency.held(1, proxy=agency.proxy)),
    ):
        yield mine.case(f"one's own ballot after a proxy's, with {name} seq", mine.compact(), held=held)
    known = agency.held(1, signed.digest, agency.proxy)
    yield agency.case("by proxy, held already", signed, mandate=there, expect="held", held=known)
    yield agency.case(
        "by proxy, held already, the mandate revoked since",
        signed,
        mandate=agency.record(first, revoked=True),
        expect="held",
        held=known,
    )
    yield agency.case(
        "by proxy, held already, another's mandate since",
        signed,
        mandate=second.record(new, first.digest),
        expect="held",
        held=known,
    )
    pending: dict[str, Any] = {"expect": "pending", "code": "MANDATE_NOT_FOUND"}
    yield agency.case("by proxy, no mandate yet", signed, mandate=None, **pending)
    yield agency.case("by proxy, an older mandate yet", partly, mandate=there, **pending)
    yield agency.case(
        "by proxy, nothing known yet", signed, mandate=None, enrolment=None, session=None, **pending
    )
    yield agency.case(
        "by proxy, the proxy not enrolled yet",
        signed,
        "ENROLMENT_NOT_FOUND",
        expect="pending",
        mandate=there,
        enrolment=None,
    )
    yield agency.case(
        "by proxy, no check yet", signed, "SESSION_NOT_FOUND", expect="pending", mandate=there, session=None
    )


def agency_refused(scenes: Mapping[str, Scene]) -> Iterator[Case]:
    """Yield ballots by proxy that are refused for the mandate, the proxy or the ballot held."""
    agency, second = _parts(scenes)
    first, new = agency.mandate(), second.mandate(2)
    there, signed = agency.record(first), agency.signed(first)
    yield agency.case(
        "by proxy, revoked", signed, "MANDATE_REVOKED", mandate=agency.record(first, revoked=True)
    )
    yield agency.case(
        "by proxy, replaced", signed, "MANDATE_REVOKED", mandate=second.record(new, first.digest)
    )
    part = agency.mandate(1, ("m2",))
    answers: dict[str, dict[str, Vote]] = {
        "an uncovered motion answered": {"m1": "approve", "m2": "approve"},
        "a covered motion not answered": {"m1": "approve", "m2": ()},
        "nothing answered": {"m1": (), "m2": ()},
    }
    for name, votes in answers.items():
        partly = agency.signed(part, votes=votes)
        yield agency.case(f"by proxy, {name}", partly, "MANDATE_SCOPE", mandate=agency.record(part))
    principal = agency.principal
    forged = agency.signed(first, signer=principal)
    yield agency.case("by proxy, by the principal's key", forged, "KEY_FOREIGN", mandate=there, raw=True)
    yield agency.case("compact: by proxy, by the principal's key", forged, "SIGNATURE_INVALID", mandate=there)
    revoked = agency.proxy.enrolment(status="revoked", rev=2)
    yield agency.case(
        "by a proxy whose key was revoked", signed, "KEY_REVOKED", mandate=there, enrolment=revoked
    )
    for name, changes in (
        ("for the proxy itself", {"act": None}),
        ("for another principal", {"act": second.proxy.sub}),
        ("of the principal", {"sub": principal.sub, "act": None}),
    ):
        session = agency.session(**changes)
        yield agency.case(
            f"by proxy, a check {name}", signed, "SESSION_FOREIGN_LENDER", mandate=there, session=session
        )
    yield agency.case(
        "by proxy, the principal voted", signed, "PRINCIPAL_VOTED", mandate=there, held=agency.held(1)
    )
    later = agency.signed(first, 9)
    yield agency.case(
        "by proxy with a higher seq, the principal voted",
        later,
        "PRINCIPAL_VOTED",
        mandate=there,
        held=agency.held(1),
    )
    for name, code, seq in (("the same", "SEQ_EQUIVOCATION", 1), ("a lower", "SEQ_STALE", 2)):
        held = agency.held(seq, proxy=agency.proxy)
        yield agency.case(f"by the same proxy, {name} seq", signed, code, mandate=there, held=held)
    yield agency.case(
        "by proxy, the check of the ballot held",
        agency.signed(first, 2),
        "SESSION_USED",
        mandate=there,
        held=agency.held(1, proxy=agency.proxy, session=2),
    )
    special = scenes["special"]
    lone, other = (
        Agency(special, special.lenders["an"], special.lenders[name], "special") for name in ("ding", "zeng")
    )
    old, then = lone.mandate(), other.mandate(2)
    yield other.case(
        "by a second proxy where no revote is allowed",
        other.signed(then),
        "REVOTE_NOT_ALLOWED",
        mandate=other.record(then, old.digest),
        held=lone.held(1, proxy=lone.proxy),
    )
