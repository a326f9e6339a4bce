"""A case: one batch entry with everything it is judged against, and the verdict due."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from client.encodings import ballot as ballots
from client.encodings import base64url, es256, jws
from client.encodings.batch import AmendedEntry, CompactEntry, Entry, RawEntry, encode_entry
from client.encodings.entries import amended_entry, compact_entry, raw_entry
from client.encodings.judge import HeldBallot
from tests.vectors.amendment_file import overlay_bytes
from tests.vectors.scene import ACK_TIME, Lender, Scene, seeded

if TYPE_CHECKING:
    from client.encodings.amendment import Amended
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.records import Enrolment, Session

OWN: Any = object()
"""Stands for the record that the lender really has."""


@dataclass
class Case:
    """One entry in its context. `expect` is accepted, held, pending or refused (with `code`)."""

    name: str
    scene: Scene
    entry: Entry
    expect: str
    code: str = ""
    enrolment: Enrolment | None = None
    session: Session | None = None
    held: HeldBallot | None = None
    session_used: str | None = None
    mandate: MandateRecord | None = None
    meeting: str = field(default="plain")
    amended: Amended | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the case as it stands in the vectors' files."""
        value: dict[str, Any] = {
            "name": self.name,
            "meeting": self.meeting,
            "kind": kind_of(self.entry),
            "entry": encode_entry(self.entry).hex(),
        }
        if isinstance(self.entry, RawEntry):
            value["jws"] = self.entry.jws
        if self.amended is not None and self.enrolment is not None:
            overlay = overlay_bytes(1, {self.enrolment.sub: self.amended}, self.scene.meeting)
            value["overlay"] = overlay.hex()
            value["amended"] = [one and one.as_json() for one in (self.amended.before, self.amended.after)]
        if self.mandate is not None:
            value["mandate"] = json.loads(self.mandate.encode())
        return value | {
            "enrolment": self.enrolment.as_json() if self.enrolment else None,
            "session": self.session.as_json() if self.session else None,
            "held": self.held and _held_json(self.held),
            "session_used": self.session_used,
            "expect": self.expect,
            "code": self.code,
        }


def _held_json(held: HeldBallot) -> dict[str, Any]:
    value = {"seq": held.seq, "digest": held.digest, "ses": held.ses}
    return value if held.proxy is None else value | {"proxy": held.proxy}


def kind_of(entry: Entry) -> str:
    """Return the word for an entry's kind in the vectors' files."""
    match entry:
        case RawEntry():
            return "raw"
        case AmendedEntry():
            return "amended"
        case CompactEntry(prx=None):
            return "compact"
    return "by proxy"


@dataclass
class Author:
    """Writes a lender's ballots for a scene: good ones, and bad ones byte by byte."""

    scene: Scene
    lender: Lender
    meeting: str = "plain"

    def header(self, typ: str = ballots.TYP) -> bytes:
        return jws.header(typ, self.lender.x5t)

    def payload(self, **changes: Any) -> dict[str, Any]:
        """Return the good payload as JSON; a change to None takes the member out."""
        value = json.loads(self.scene.ballot(self.lender).payload())
        value |= changes
        return {name: item for name, item in value.items() if item is not None}

    def craft(self, header: bytes, payload: bytes, signature: bytes | None = None) -> str:
        """Return a JWS over any bytes, truly signed unless a signature is given."""
        data = f"{base64url.encode(header)}.{base64url.encode(payload)}"
        if signature is None:
            signature = es256.sign(self.lender.key, data.encode())
        return f"{data}.{base64url.encode(signature)}"

    def good(self, seq: int = 1) -> str:
        return self.scene.signed(self.lender, seq=seq).compact

    def raw(self, compact: str, **changes: Any) -> RawEntry:
        """Return the raw entry of a JWS with the lender's own leaf and proof, then changed."""
        entry = raw_entry(
            compact,
            self.scene.leaf(self.lender).encode(),
            index=self.scene.index(self.lender),
            proof=self.scene.proof(self.lender),
            ack_no=1,
            ack_time=ACK_TIME,
        )
        return replace(entry, **changes)

    def compact(self, seq: int = 1, votes: dict[str, Any] | None = None, **changes: Any) -> CompactEntry:
        """Return the compact entry of a good ballot, then changed."""
        entry = compact_entry(
            self.scene.signed(self.lender, votes, seq),
            self.scene.meeting,
            self.scene.leaf(self.lender),
            index=self.scene.index(self.lender),
            proof=self.scene.proof(self.lender),
            ack_no=1,
            ack_time=ACK_TIME,
        )
        return replace(entry, **changes)

    def amended(self, **changes: Any) -> AmendedEntry:
        """Return the entry of a good ballot whose leaf an amendment is to have, then changed."""
        signed = self.scene.signed(self.lender)
        return replace(amended_entry(signed, self.scene.meeting, ack_no=1, ack_time=ACK_TIME), **changes)

    def held(self, seq: int, digest: str | None = None, session: int | None = None) -> HeldBallot:
        """Return the ballot that the channel holds: another one with `seq`, by the session of its number."""
        other = base64url.encode(seeded("another digest"))
        ses = self.scene.session(self.lender, seq if session is None else session).ses
        return HeldBallot(seq, digest or other, ses)

    def case(
        self,
        name: str,
        entry: Entry | str,
        code: str = "",
        *,
        expect: str = "",
        enrolment: Any = OWN,
        session: Any = OWN,
        seq: int = 1,
        held: HeldBallot | None = None,
        session_used: str | None = None,
        amended: Amended | None = None,
    ) -> Case:
        """Return the case of an entry (or a JWS) in the lender's own context, or another."""
        return Case(
            name=name,
            scene=self.scene,
            entry=self.raw(entry) if isinstance(entry, str) else entry,
            expect=expect or ("refused" if code else "accepted"),
            code=code,
            enrolment=self.lender.enrolment() if enrolment is OWN else enrolment,
            session=self.scene.session(self.lender, seq) if session is OWN else session,
            held=held,
            session_used=session_used,
            meeting=self.meeting,
            amended=amended,
        )


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
