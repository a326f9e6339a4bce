"""A report's signature: genuine for each format, and refused by name for whatever is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.log.trust import TrustRoot
from auditor.reporting.document import parse_report
from auditor.reporting.errors import ReportRefused
from auditor.reporting.signature import TYP, VerifiedReport, sign_report, verify_signed
from auditor.reporting.write import write_reports
from client.cli.main import main
from client.encodings import jcs, jws
from tests.unit.auditor.log.stage import LogStage
from tests.unit.auditor.test_run import audited, save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.auditor.builder import Network

from auditor.log.service_db import ServiceDatabase

FORMATS = ("json", "html", "pdf")


@pytest.fixture
def stage(fabric: Network, tmp_path: Path) -> Iterator[LogStage]:
    database = ServiceDatabase.open(f"sqlite:///{tmp_path / 'audit.db'}")
    yield LogStage(fabric, database)
    database.close()


@pytest.fixture
def folder(stage: LogStage, tmp_path: Path) -> Path:
    """A folder with a signed report, and the trust file."""
    stage.player.closed()
    audit = audited(stage.player, save(stage.player, tmp_path / "platform.db"))
    write_reports(audit, tmp_path / "report", stage.signer)
    (tmp_path / "trust.json").write_bytes(jcs.dumps(stage.trust.as_json()))
    return tmp_path


def refused(code: str, data: bytes, signature: bytes, trust: TrustRoot) -> None:
    with pytest.raises(ReportRefused) as error:
        verify_signed(data, signature, trust)
    assert error.value.code == code


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_verifies_and_refuses(stage: LogStage, folder: Path, name: str) -> None:
    data, signature = (folder / f"report.{name}").read_bytes(), (folder / "report.jws").read_bytes()
    verified = verify_signed(data, signature, stage.trust)
    assert (verified.format, verified.statement["verdict"]) == (name, "consistent")
    for place in (0, len(data) // 2, len(data) - 1):
        tampered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        refused("REPORT_ALTERED", tampered, signature, stage.trust)


def test_who_may_sign(stage: LogStage, folder: Path) -> None:
    data = (folder / "report.json").read_bytes()
    report, files = parse_report(data), {"json": data}
    relay, stranger = stage.signer_of("RegulatorMSP", "relay"), stage.signer_of("AssociationMSP", "auditor")
    refused("REPORT_ROLE", data, sign_report(report, files, relay), stage.trust)
    refused("REPORT_SIGNER", data, sign_report(report, files, stranger), stage.trust)
    value = json.loads((folder / "report.jws").read_bytes())
    head, payload, _ = value["signature"].split(".")
    other = json.loads(sign_report(report, files, stage.signer))["signature"].split(".")[2]
    forged = jcs.dumps(value | {"signature": f"{head}.{payload}.{other}"})
    refused("REPORT_SIGNATURE", data, forged, stage.trust)
    exchanged = jcs.dumps(value | {"certificates": value["certificates"][::-1]})
    refused("REPORT_SIGNER", data, exchanged, stage.trust)


def test_what_is_no_signature(stage: LogStage, folder: Path) -> None:
    data, signature = (folder / "report.json").read_bytes(), (folder / "report.jws").read_bytes()
    value = json.loads(signature)
    wrong: list[dict[str, Any]] = [
        {"signature": 1},
        {"signature": "a.b"},
        {"certificates": []},
        {"certificates": ["?"]},
    ]
    for changed in wrong:
        refused("REPORT_FORMAT", data, jcs.dumps(value | changed), stage.trust)
    refused("REPORT_FORMAT", data, b"", stage.trust)
    signed = jws.parse(value["signature"], TYP)
    stated = jcs.dumps(jcs.loads(signed.payload) | {"v": True})
    other = jws.sign(TYP, signed.x5t, stated, stage.signer.key).compact
    refused("REPORT_FORMAT", data, jcs.dumps(value | {"signature": other}), stage.trust)
    with pytest.raises(TypeError):
        VerifiedReport("json", {}, object())  # type: ignore[arg-type]


def test_another_network(stage: LogStage, folder: Path) -> None:
    data, signature = (folder / "report.json").read_bytes(), (folder / "report.jws").read_bytes()
    other = TrustRoot({"identity": "0" * 64}, stage.trust.regulator_ca)
    refused("REPORT_NETWORK", data, signature, other)


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trust = ["--trust", str(folder / "trust.json")]
    assert main(["report", "verify", str(folder / "report.pdf"), "--json", *trust]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "pdf"
    assert main(["report", "verify", str(folder / "report.html"), *trust]) == 0
    assert "genuine: the html report" in capsys.readouterr().out
    (folder / "report.html").write_bytes(b"<p>all is well</p>")
    assert main(["report", "verify", str(folder / "report.html"), *trust]) == 1
    assert "REPORT_ALTERED" in capsys.readouterr().err
    signature = folder / "report.jws"
    signature.rename(folder / "elsewhere")
    assert main(["report", "verify", str(folder / "report.pdf"), *trust]) == 1
    assert "REPORT_UNSIGNED" in capsys.readouterr().err
    elsewhere = ["--signature", str(folder / "elsewhere")]
    assert main(["report", "verify", str(folder / "report.pdf"), *elsewhere, *trust]) == 0
    assert main(["report", "verify", str(folder / "none.pdf"), *elsewhere, *trust]) == 2


def test_a_report_written_without_a_signer_takes_the_old_signature_away(
    stage: LogStage, folder: Path
) -> None:
    write_reports(audited(stage.player, folder / "platform.db"), folder / "report")
    assert not (folder / "report.jws").exists()


@pytest.mark.parametrize(
    "options", [["--sign"], ["--as-of", "yesterday"]], ids=["nothing to sign", "no time"]
)
def test_options_that_make_no_sense(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "run", "--meeting", "m", *options]) == 2
    assert options[0] in capsys.readouterr().err
