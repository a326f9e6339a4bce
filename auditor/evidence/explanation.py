"""The explanation (PDF) of a package: what each item is, proves and doesn't, in Chinese and in English."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fpdf import FPDF

from auditor.evidence import words
from auditor.evidence.agency import status_of
from auditor.evidence.font import font_for
from auditor.evidence.printable import printable
from client.encodings import base64url, jcs, times
from client.encodings.leaf import claims_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.evidence.counted import Counted
    from auditor.evidence.manifest import Subject
    from auditor.evidence.records import Held
    from auditor.log.head import TreeHead
    from client.encodings.ballot import SignedBallot
    from client.encodings.objection_record import Dispute

_FONT: Final = "explanation"
_TITLE: Final = 15
_HEADING: Final = 11.5
_TEXT: Final = 9
_LINE: Final = 5.0  # millimetres
_MARGIN: Final = 18


@dataclass(frozen=True, slots=True)
class Facts:
    """What the explanation speaks of."""

    subject: Subject
    held: Held
    ballot: SignedBallot
    counted: Counted
    head: TreeHead


def explain(facts: Facts) -> bytes:
    """Return the explanation as PDF/1.x with selectable text; the same facts give the same bytes."""
    lines = _lines(facts)
    document = FPDF()
    document.set_creation_date(datetime.fromtimestamp(times.parse(facts.subject.time), UTC))
    document.set_title(f"{facts.subject.mtg} {facts.subject.digest}")
    document.set_margin(_MARGIN)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "explanation.ttf")
        path.write_bytes(font_for(text for _, text in lines))
        document.add_font(_FONT, fname=path)
        document.add_page()
        for size, text in lines:
            document.set_font(_FONT, size=size)
            document.multi_cell(0, _LINE * size / _TEXT, text, align="L", new_x="LMARGIN", new_y="NEXT")
            if size != _TEXT:
                document.ln(1)
        return bytes(document.output())


def _lines(facts: Facts) -> list[tuple[float, str]]:
    lines: list[tuple[float, str]] = []
    figures = _figures(facts)
    for language in ("zh", "en"):
        said = words.TEXTS[language]
        lines += [(_TITLE, said["title"]), (_TEXT, said["about"]), (_TEXT, said["limits"])]
        lines.append((_HEADING, said["figures"]))
        lines += [(_TEXT, printable(f"{said[name]}: {value}")) for name, value in figures.items()]
        lines.append((_HEADING, said["items"]))
        for item in words.ITEMS[language]:
            lines.append((_TEXT, f"{item.files} - {item.what}"))
            lines.append((_TEXT, f"   {said['proves']}: {item.proves}"))
            lines.append((_TEXT, f"   {said['not']}: {item.not_proved}"))
        lines += [(_HEADING, said["check"]), (_TEXT, said["how"])]
    return lines


def _figures(facts: Facts) -> Mapping[str, str]:
    subject, held, counted = facts.subject, facts.held, facts.counted
    votes = facts.ballot.ballot.votes
    named = {motion.id: motion.title for motion in held.meeting.motions}
    answers = "; ".join(
        f"{name} ({printable(named[name])}): {vote if isinstance(vote, str) else ', '.join(vote)}"
        for name, vote in sorted(votes.items())
    )
    newest, roll, head = held.enrolments[-1], held.meeting.roll, facts.head
    return {
        "meeting": f"{subject.mtg}, {printable(held.meeting.title)}",
        "mh": subject.mh,
        "channel": subject.channel,
        "state": subject.state,
        "digest": subject.digest,
        "sub": facts.ballot.ballot.sub,
        "votes": answers,
        "proxy": _proxy(facts),
        "objections": "; ".join(_disputed(one) for one in held.disputes) or "-",
        "claims": jcs.dumps(claims_json(counted.record.claims)).decode(),
        "excluded": ", ".join(counted.record.excluded) or "-",
        "reweighed": _reweighed(counted),
        "acknowledged": f"{times.form(counted.record.ack_time)}, {counted.record.ack_no}",
        "place": f"{counted.block}, {counted.tx}",
        "stands": str(subject.stands).lower(),
        "session": f"{held.session.method}, {held.session.issued_at}, {held.session.commitment}",
        "certificate": f"{counted.enrolment.x5t}; {newest.status} ({newest.rev})",
        "roll": f"{base64url.encode(roll.root)}, {roll.heads}, {roll.fen}",
        "head": f"{head.size}, {base64url.encode(head.root)}, {head.block} {head.block_hash}",
        "rules": "; ".join(f"{one['id']}: {jcs.dumps(one['rules']).decode()}" for one in _motions(held)),
        "result": _result(held),
        "exported": f"{subject.time}, {jcs.dumps(dict(subject.heights)).decode()}",
    }


def _proxy(facts: Facts) -> str:
    digest = facts.ballot.ballot.prx
    if digest is None:
        return "-"
    return f"{facts.counted.record.proxy}; {digest}, {status_of(facts.held.mandates, digest)}"


def _reweighed(counted: Counted) -> str:
    record = counted.reweighed
    if record is None:
        return "-"
    excluded = f"; {', '.join(record.excluded)}" if record.excluded else ""
    return jcs.dumps(claims_json(record.claims)).decode() + excluded


def _disputed(dispute: Dispute) -> str:
    """Return an objection's ground, position in the answer and award, by their words on the channel."""
    answer = "-" if dispute.answer is None else dispute.answer.answer.position
    award = "-" if dispute.award is None else f"{dispute.award.award.award} {dispute.award.award.remedy}"
    return f"{dispute.filed.objection.obj}: {dispute.filed.objection.ground}, {answer}, {award}"


def _motions(held: Held) -> list[dict[str, Any]]:
    motions: list[dict[str, Any]] = jcs.loads(held.meeting.record)["motions"]
    return motions


def _result(held: Held) -> str:
    if not held.result:
        return "-"
    value = jcs.loads(held.result)
    motions = "; ".join(
        f"{name}: {'passed' if motion['passed'] else 'not passed'} {jcs.dumps(motion['choices']).decode()}"
        for name, motion in sorted(value["motions"].items())
    )
    return f"{value['ballots']}; {motions}"
