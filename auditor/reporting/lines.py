"""A report's text as headings, paragraphs and tables, for a format without markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.motion_margins import in_words
from auditor.reporting import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.reporting.document import Report

_LONGEST: Final = 400
_YES, _NO = "是 / yes", "否 / no"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 3."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, and how wide each column is beside the others."""

    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]

    @property
    def text(self) -> str:
        """Everything in it."""
        return "".join(cell for row in self.rows for cell in row)


def content(report: Report) -> list[Heading | Paragraph | Table]:
    """Return a report's parts in reading order."""
    return [*_verdict(report), *_found(report.value), *_outcome(report.value), *_rests_on(report.value)]


def _verdict(report: Report) -> Iterator[Heading | Paragraph | Table]:
    value = report.value
    yield Heading(1, words.TITLE)
    said = words.CONSISTENT if report.consistent else words.inconsistent(len(value["discrepancies"]))
    yield Heading(2, "\n".join(said))
    rows = [
        ("会议 / Meeting", value["meeting"]),
        ("状态 / State", value["state"] or "-"),
        ("有效选票 / Ballots that stand", f"{value['ballots']:,}"),
        ("在途 / Still on their way", f"{value['pending']:,}"),
        *((words.NUMBERS.get(name, name), f"{count:,}") for name, count in value["numbers"].items()),
    ]
    yield Table(tuple(rows), (3, 2))
    yield Heading(2, "区块 / Blocks")
    heads = value["heads"]
    yield Table(
        (
            ("通道 / Channel", "高度 / Height", "末块哈希 / Hash of the last block"),
            *((name, f"{height:,}", heads.get(name, "")) for name, height in value["blocks"].items()),
        ),
        (3, 1, 6),
    )


def _found(value: dict[str, Any]) -> Iterator[Heading | Paragraph | Table]:
    yield Heading(2, "差异 / Discrepancies")
    if not value["discrepancies"]:
        yield Paragraph("无。 None.")
    for one in value["discrepancies"]:
        rows = [
            ("种类 / Kind", words.KINDS.get(one["kind"], one["kind"])),
            ("选票 / Ballot", one["ballot"]),
            ("字段 / Field", one["field"]),
            ("链上 / Chain", _cut(one["chain"])),
            ("平台 / Platform", _cut(one["platform"])),
            ("位置 / Where", " ".join((one["where"], one["detail"])).strip()),
        ]
        yield Table(tuple(rows), (1, 4))
    yield from _anchored(value)
    if value["alarms"]:
        yield Heading(2, "警报 / Alarms")
        head = ("种类 / Kind", "通道 / Channel", "关于 / Subject", "首次 / First", "次数 / Times")
        alarms = (
            (
                words.ALARMS.get(one["kind"], one["kind"]),
                *(one[name] for name in ("channel", "subject", "where")),
                f"{one['count']:,}",
            )
            for one in value["alarms"]
        )
        yield Table((head, *alarms), (3, 3, 2, 4, 1))


def _anchored(value: dict[str, Any]) -> Iterator[Heading | Paragraph | Table]:
    if value["anchors"]:
        yield Heading(2, "上链锚定的核验 / Audits anchored on the channel")
        head = ("结论 / Verdict", "选票 / Ballots", "树根 / Root", "报告 / Report", "位置 / Where")
        rows = (
            (one["verdict"], f"{one['size']:,}", one["root"], one["report"], one["where"])
            for one in value["anchors"]
        )
        yield Table((head, *rows), (2, 1, 3, 4, 3))
    if value["objections"]:
        yield Heading(2, "异议与裁决 / Objections and awards")
        head = ("异议 / Objection", "事由 / Ground", "收到 / Received", "机构答复 / Answer", "裁决 / Award")
        rows = (
            (
                one["obj"],
                one["ground"],
                f"{one['door']}, {one['ack_time']}",
                f"{one['answer']['position']}, {one['answer']['at']}" if one["answer"] else "-",
                f"{one['award']['award']} ({one['award']['remedy']}), {one['award']['at']}"
                if one["award"]
                else "未裁决 / undecided",
            )
            for one in value["objections"]
        )
        yield Table((head, *rows), (3, 2, 3, 3, 3))


def _outcome(value: dict[str, Any]) -> Iterator[Heading | Paragraph | Table]:
    if value["outcome"] is None:
        if value["state"] not in ("", "void"):
            yield Paragraph("\n".join(words.NOT_CLOSED))
        return
    yield Heading(2, "结果 / Outcome")
    for motion, outcome in value["outcome"].items():
        yield Heading(3, f"{motion}: {'通过 / passed' if outcome['passed'] else '未通过 / not passed'}")
        counted = value["tally"]["motions"][motion]["choices"]
        rows = [(name, f"{cell['*'][0]:,}", words.yuan(cell["*"][1])) for name, cell in counted.items()]
        yield Table((("选项 / Choice", words.HEADS, words.VALUE), *rows), (2, 1, 1))
        head = ("规则 / Test", "范围 / Scope", "分子 / 分母", "要求 / Needed", "满足 / Met")
        tests = [
            (
                f"{one['name']} ({one['count']} / {one['base']}, {one['unit']})",
                one["scope"],
                f"{one['numerator']:,} / {one['denominator']:,}",
                f"{one['comparator']} {one['fraction'][0]}/{one['fraction'][1]}",
                _YES if one["passed"] else _NO,
            )
            for one in outcome["tests"]
        ]
        if tests:
            yield Table((head, *tests), (4, 1, 4, 2, 1))
        if changed := in_words(outcome["margin"], election="election" in outcome):
            yield Paragraph(f"差距 / Margin: {changed}.")


def _rests_on(value: dict[str, Any]) -> Iterator[Heading | Paragraph | Table]:
    yield Heading(2, "依据 / What this rests on")
    snapshot = value["snapshot"]
    if snapshot is not None:
        digest = f", SHA-256 {snapshot['sha256']}" if snapshot["sha256"] else ""
        as_of = f", {value['as_of']}" if value["as_of"] else ""
        yield Paragraph(
            f"平台数据库快照 / Snapshot of the platform's database: {snapshot['method']}{digest}{as_of}"
        )
        if snapshot["same_host"]:
            yield Paragraph("\n".join(words.SAME_HOST))
    for name, genesis in value["genesis"].items():
        yield Paragraph(f"创世区块 / Genesis: {name} {genesis}")
    yield Paragraph("\n".join(words.RESTS_ON))
    yield Paragraph("\n".join(words.REPRODUCIBLE))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
