"""The explanation: text that can be extracted, in both languages, and the same bytes every time."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.evidence.explanation import Facts, explain
from auditor.evidence.shown import as_text
from auditor.evidence.verify import verify_evidence
from auditor.evidence.words import ITEMS, TEXTS

if TYPE_CHECKING:
    from tests.unit.auditor.evidence.case import Case


_ESCAPES = {b"r": b"\r", b"n": b"\n"}


def text_of(pdf: bytes) -> str:
    """Read the text as a reader's search does: codes in the content, by the font's own ToUnicode map."""
    streams = [_inflated(found[1]) for found in re.finditer(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    named: dict[int, str] = {}
    for stream in streams:
        if b"beginbfchar" in stream:
            for code, point in re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", stream):
                named[int(code, 16)] = bytes.fromhex(point.decode()).decode("utf-16-be")
    shown = []
    for stream in streams:
        for found in re.finditer(
            rb"\(((?:\\.|[^\\)])*)\) Tj|\[\(((?:\\.|[^\\)])*)\)\] TJ", stream, re.DOTALL
        ):
            escaped = found[1] or found[2] or b""
            raw = re.sub(rb"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), escaped, flags=re.DOTALL)
            codes = (int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw) - 1, 2))
            shown.append("".join(named.get(code, "\ufffd") for code in codes))
    return "".join(shown)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream  # not compressed


def facts(case: Case) -> Facts:
    verified = verify_evidence(case.package, case.trust)
    subject = verified.manifest.subject
    return Facts(subject, verified.held, verified.ballot, verified.counted, verified.head.head)


def test_the_same_facts_give_the_same_bytes(case: Case) -> None:
    assert explain(facts(case)) == case.files["explanation.pdf"]


def test_its_text_is_there_in_both_languages(case: Case) -> None:
    text = text_of(case.files["explanation.pdf"])
    for said in TEXTS.values():
        assert said["title"].replace(" ", "") in text.replace(" ", "")
    for figure in (case.digest, case.subject.mh, "approve", "exit-a"):
        assert figure in text
    assert "\ufffd" not in text


def test_every_item_says_what_it_proves_and_what_not(case: Case) -> None:
    assert {item.files for item in ITEMS["zh"]} == {item.files for item in ITEMS["en"]}
    spoken = {part.rstrip("/") for item in ITEMS["en"] for part in item.files.split()}
    there = {name.split("/")[0] for name in case.files} - {"explanation.pdf"}
    assert there == spoken - {"notices", "mandate", "disputes"}  # which only some packages have
    assert all(item.proves and item.not_proved for items in ITEMS.values() for item in items)


def test_only_a_part_of_the_font_is_in_it(case: Case) -> None:
    assert len(case.files["explanation.pdf"]) < 200_000


def test_what_others_wrote_neither_starts_a_line_nor_turns_the_text(case: Case) -> None:
    """A record that was endorsed may have any text where the chain asks for none in particular."""
    verified = verify_evidence(case.package, case.trust)
    session = replace(verified.held.session, issued_at="now\ngenuine: all of it\x1b[2J\u202e")
    changed = replace(verified, held=replace(verified.held, session=session))
    text = as_text(changed)
    assert len(text.splitlines()) == len(as_text(verified).splitlines())
    assert "\x1b" not in text
    assert "\u202e" not in text
    told = explain(replace(facts(case), held=changed.held))
    assert "now genuine: all of it" in text_of(told).replace("\n", " ")


def test_the_figures_name_the_explanation_as_what_is_not_compared(case: Case) -> None:
    files = {**case.files, "explanation.pdf": b"%PDF-1.4 the ballot was never cast"}
    assert "explanation.pdf is not compared" in as_text(verify_evidence(case.signed(files), case.trust))
