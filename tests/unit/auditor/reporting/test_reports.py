"""Each format of a report does its work, comes out the same byte for byte, and shows no running choice."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import AuditUnavailable
from auditor.replay.authority import Offices
from auditor.reporting.document import Report, parse_report, report_of
from auditor.reporting.errors import REFUSALS, ReportRefused
from auditor.reporting.figures import Text, choices, figures
from auditor.reporting.svg import to_svg
from auditor.reporting.words import yuan
from auditor.reporting.write import formats, write_reports
from auditor.run import Roots, run_audit
from auditor.withhold import WITHHELD
from client.encodings import jcs
from tests.unit.auditor.meeting_player import MTG, Player
from tests.unit.auditor.platform_side import change
from tests.unit.auditor.test_run import Peer, audited, save

if TYPE_CHECKING:
    from tests.unit.auditor.builder import Network


@pytest.fixture
def player(fabric: Network) -> Player:
    one = Player(fabric).enrolled().opened()
    return one.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])


def refused(code: str, value: dict[str, Any]) -> None:
    with pytest.raises(ReportRefused) as error:
        Report(value)
    assert error.value.code == code


def shown(pdf: bytes) -> int:
    """Return how many strokes and glyph runs the pages of a PDF draw."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    drawn = 0
    for one in streams:
        try:
            drawn += len(re.findall(rb" (?:Tj|TJ|re|S)\b", zlib.decompress(one)))
        except zlib.error:
            continue
    return drawn


def test_the_same_chain_and_snapshot_give_the_same_bytes(player: Player, tmp_path: Path) -> None:
    """Another database file with the same rows, another folder, another time."""
    player.closed()
    path = save(player, tmp_path / "platform.db")
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "renamed.db"
    other.write_bytes(path.read_bytes())
    first = formats(report_of(audited(player, path)))
    roots = Roots(player.genesis, Offices())
    later = run_audit(Peer(player), roots, MTG, f"sqlite:///{other}", as_of="2031-01-01T00:00:00Z")
    second = formats(report_of(later))
    assert first == second
    assert set(first) == {"json", "html", "pdf"}
    assert b"platform.db" not in b"".join(first.values())


def test_one_row_more_gives_other_bytes_in_every_format(player: Player, tmp_path: Path) -> None:
    path = save(player.closed(), tmp_path / "platform.db")
    first = formats(report_of(audited(player, path)))
    change(path, "UPDATE ballots SET block = 99 WHERE ack_no = 1")
    second = formats(report_of(audited(player, path)))
    assert all(first[name] != second[name] for name in first)


@pytest.mark.parametrize("name", ["", "/", "/etc/passwd/report", "/nowhere/report"])
def test_a_report_that_can_not_be_written(player: Player, tmp_path: Path, name: str) -> None:
    path = save(player.closed(), tmp_path / "platform.db")
    with pytest.raises(AuditUnavailable, match="report") as caught:
        write_reports(audited(player, path), Path(name))
    assert caught.value.exit_code == 2


def test_a_closed_meeting_in_every_format(player: Player, tmp_path: Path) -> None:
    path = save(player.closed(), tmp_path / "platform.db")
    change(path, "UPDATE ballots SET choices = '<script>alert(1)</script>🗳' WHERE ack_no = 1")
    written = write_reports(audited(player, path), tmp_path / "report.json")
    assert [one.name for one in written] == ["report.json", "report.html", "report.pdf"]
    machine, human, paper = (one.read_bytes() for one in written)
    report = parse_report(machine)
    assert report.encode() == machine
    assert (report.value["verdict"], report.kinds) == ("inconsistent", {"altered": 1})
    assert report.choices("m2") == {"approve": [1, 1234567], "reject": [1, 25000001], "abstain": [0, 0]}
    page = human.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "同一台主机" in page
    assert "same host" in page
    assert page.count("<svg") == len(figures(report)) == 6  # turnout, two motions twice, discrepancies
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert paper.startswith(b"%PDF-")
    assert b"D:20260303083000" in paper  # the last acknowledgement, no clock
    assert shown(paper) > 100


def test_anchors_objections_and_margins_are_on_the_page(player: Player, tmp_path: Path) -> None:
    value = report_of(audited(player, save(player.closed(), tmp_path / "platform.db"))).value
    anchored = {"size": 2, "root": "R" * 43, "report": "ab" * 32, "result": "", "head": "", "tx": ""}
    objection = {
        "obj": "O" * 22,
        "ground": "claims",
        "door": "RegulatorMSP",
        "ack_time": "2026-03-10T08:00:00Z",
    }
    award = {"award": "partial", "remedy": "recount", "at": "2026-03-12T08:00:00Z"}
    answer = {"position": "contested", "at": "2026-03-11T08:00:00Z"}
    more = {
        "anchors": [anchored | {"verdict": "consistent", "where": "block 9"}],
        "objections": [
            objection | {"answer": answer, "award": award},
            objection | {"answer": None, "award": None},
        ],
    }
    plain, full = formats(Report(value)), formats(Report(value | more))
    page = full["html"].decode()
    for said in ("R" * 43, "O" * 22, "partial (recount)", "contested", "undecided", "Margin: "):
        assert said in page
    assert shown(full["pdf"]) > shown(plain["pdf"])


def test_the_plots_hold_the_figures(player: Player, tmp_path: Path) -> None:
    report = report_of(audited(player, save(player.closed(), tmp_path / "platform.db")))
    heads, value = choices("m2", report)
    said = [shape.words for shape in (*heads.shapes, *value.shapes) if isinstance(shape, Text)]
    assert {"approve", "reject", "1", "0", "12,345.67", "250,000.01"} <= set(said)
    turnout = report.value["turnout"]
    assert (turnout["points"][0], turnout["points"][-1][1]) == (["2026-03-02T01:00:00Z", 0], 2)
    assert turnout["roll"]["heads"] == 7
    drawn = to_svg(replace(heads, title="<m2>"))
    assert "&lt;m2&gt;" in drawn


def test_no_format_shows_a_running_choice(player: Player, tmp_path: Path) -> None:
    path = save(player, tmp_path / "platform.db")
    change(path, """UPDATE ballots SET choices = '{"m1":"reject","m2":"approve"}' WHERE ack_no = 1""")
    change(path, "DELETE FROM ballots WHERE ack_no = 2")
    player.chain.blocks.append(b"")  # and a block that is none
    audit = audited(player, path)
    report = report_of(audit)
    found = {(one["kind"], one["field"], one["chain"]) for one in report.value["discrepancies"]}
    assert {("altered", "choices", WITHHELD), ("missing", "row", WITHHELD)} <= found
    made = formats(report)
    for name in ("json", "html"):
        for word in (b"approve", b"reject", b"abstain", player.ballot("an").compact.encode()):
            assert word not in made[name], name
    assert len(figures(report)) == 2  # turnout, discrepancies
    with pytest.raises(ReportRefused) as error:
        choices("m1", report)
    assert error.value.code == "REPORT_RUNNING"


def test_a_report_that_shows_running_choices_is_refused(player: Player, tmp_path: Path) -> None:
    closed = report_of(audited(player, save(player.closed(), tmp_path / "platform.db"))).value
    refused("REPORT_RUNNING", closed | {"state": "open"})
    refused("REPORT_RUNNING", closed | {"state": "void", "tally": None})
    refused("REPORT_FORMAT", closed | {"seconds": 1})
    refused("REPORT_FORMAT", closed | {"v": 2})
    refused("REPORT_FORMAT", closed | {"v": True})
    for data in (b"[]", b"{", jcs.dumps(closed) + b"\n"):
        with pytest.raises(ReportRefused) as error:
            parse_report(data)
        assert error.value.code == "REPORT_FORMAT"


def test_what_is_pending_hangs_on_the_time_which_the_report_then_names(
    player: Player, tmp_path: Path
) -> None:
    path = save(player, tmp_path / "platform.db")
    change(path, "UPDATE ballots SET status = 'queued', tx = NULL, block = NULL WHERE ack_no = 1")
    roots, url = Roots(player.genesis, Offices()), f"sqlite:///{path}"
    soon, late = "2026-03-03T08:31:00Z", "2026-03-03T09:30:00Z"
    values = [report_of(run_audit(Peer(player), roots, MTG, url, as_of=at)).value for at in (soon, late)]
    assert [(one["verdict"], one["as_of"]) for one in values] == [
        ("consistent", soon),
        ("inconsistent", late),
    ]


def test_a_report_without_a_meeting(player: Player, tmp_path: Path) -> None:
    path = save(player, tmp_path / "platform.db")
    del player.identity.blocks[2]
    report = report_of(audited(player, path))
    assert report.date == "1970-01-01T00:00:00Z"
    assert formats(report)["pdf"].startswith(b"%PDF-")


def test_yuan() -> None:
    written = [yuan(fen) for fen in (0, 7, 123456789, -7)]
    assert written == ["0.00", "0.07", "1,234,567.89", "-0.07"]


def test_the_document_has_every_refusal() -> None:
    text = (Path(__file__).parents[4] / "docs" / "reports.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(REPORT_\w+)` \| (.+) \|$", text, re.MULTILINE)) == REFUSALS
