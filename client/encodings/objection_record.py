"""An objection as the channel holds it, with its answer and its award where there are such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import jcs, times
from client.encodings.award import Answer, Award
from client.encodings.ids import is_count, is_hex_hash
from client.encodings.objection import SignedObjection, parse_objection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.encodings.objection import Objection


@dataclass(frozen=True, slots=True)
class ObjectionRecord:
    """An objection that `door` brought, which says that it had it at `ack_time`.

    `rev` is the revision of the lender's enrolment that was relied on.
    """

    signed: SignedObjection
    door: str
    ack_time: str
    rev: int
    tx: str

    @property
    def objection(self) -> Objection:
        """What it says."""
        return self.signed.objection

    def encode(self) -> bytes:
        """Return the record's canonical bytes."""
        return jcs.dumps(
            {
                "v": 1,
                "objection": self.signed.compact,
                "door": self.door,
                "ack_time": self.ack_time,
                "enr": self.rev,
                "tx": self.tx,
            }
        )


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer, and the transaction that brought it."""

    answer: Answer
    tx: str

    def encode(self) -> bytes:
        """Return the record's canonical bytes."""
        return jcs.dumps({**self.answer.as_json(), "tx": self.tx})


@dataclass(frozen=True, slots=True)
class AwardRecord:
    """An award, the transaction that brought it, and that of the audit that stood anchored then ("" none)."""

    award: Award
    anchor: str
    tx: str

    def encode(self) -> bytes:
        """Return the record's canonical bytes."""
        return jcs.dumps({**self.award.as_json(), "anchor": self.anchor, "tx": self.tx})


@dataclass(frozen=True, slots=True)
class Dispute:
    """An objection and what became of it."""

    filed: ObjectionRecord
    answer: AnswerRecord | None = None
    award: AwardRecord | None = None

    def as_json(self) -> dict[str, Any]:
        """Return its JSON as commands and reports show it, the signed text included."""
        said = self.filed.objection
        answer, award = self.answer, self.award
        return {
            "obj": said.obj,
            "mtg": said.mtg,
            "sub": said.sub,
            "ground": said.ground,
            "evidence": said.evidence,
            "door": self.filed.door,
            "ack_time": self.filed.ack_time,
            "tx": self.filed.tx,
            "jws": self.filed.signed.compact,
            "answer": None
            if answer is None
            else {
                "position": answer.answer.position,
                "evidence": answer.answer.evidence,
                "at": answer.answer.at,
                "tx": answer.tx,
            },
            "award": None
            if award is None
            else {
                "award": award.award.award,
                "remedy": award.award.remedy,
                "evidence": award.award.evidence,
                "at": award.award.at,
                "tx": award.tx,
            },
        }


def parse_objection_record(data: bytes) -> ObjectionRecord:
    """Return the record; raise ValueError for any other form, Refused for an objection that is none."""
    match jcs.loads(data):
        case {"v": 1, "objection": str(compact), "door": str(door), "ack_time": ack, "enr": rev, "tx": tx}:
            pass
        case _:
            raise ValueError("it is no objection's record")
    if not is_count(rev) or not is_hex_hash(tx) or not times.is_time(ack):
        raise ValueError("a revision, a transaction or a time is none")
    record = ObjectionRecord(parse_objection(compact), door, ack, rev, tx)
    if record.encode() != data:
        raise ValueError("it is not in its one form")
    return record


def parse_dispute(value: Any) -> Dispute:
    """Return what GetObjection answers, parsed from JSON; raise ValueError or Refused otherwise."""
    if not isinstance(value, dict) or value.keys() != {"v", "objection", "answer", "award"}:
        raise ValueError("it is no objection with answer and award")
    return Dispute(
        parse_objection_record(jcs.dumps(value["objection"])),
        None if value["answer"] is None else _answer(value["answer"]),
        None if value["award"] is None else _award(value["award"]),
    )


def _answer(value: Mapping[str, Any]) -> AnswerRecord:
    match value:
        case {"tx": str(tx), **members}:
            return AnswerRecord(Answer.parse(jcs.dumps(members)), tx)
    raise ValueError("it is no answer's record")


def _award(value: Mapping[str, Any]) -> AwardRecord:
    match value:
        case {"tx": str(tx), "anchor": str(anchor), **members}:
            return AwardRecord(Award.parse(jcs.dumps(members)), anchor, tx)
    raise ValueError("it is no award's record")
