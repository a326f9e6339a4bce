"""`concordat audit answer`: signs challenges and nothing else; `serve` without a network."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from client.cli.main import main
from client.enrolment.lender import LenderKey
from tests.unit.auditor.portal.site import PATH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Signer
    from tests.unit.auditor.portal.site import Site


@pytest.fixture
def key_file(site: Site, tmp_path: Path) -> Path:
    lender = site.player.scene.lenders["an"]
    path = tmp_path / "an.json"
    LenderKey("InstitutionAMSP", lender.sub, lender.key, lender.certificate).save(path)
    return path


def test_a_lenders_answer_opens_what_the_lender_may_see(
    site: Site, key_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "challenge.txt"
    file.write_text(site.challenge("no-vote") + "\n")
    for challenge in (site.challenge("no-vote"), str(file)):
        assert main(["audit", "answer", challenge, "--lender", str(key_file)]) == 0
        form = {"place": json.dumps(site.place("an")), "answer": capsys.readouterr().out}
        page = site.client.post(f"{PATH}/no-vote", data=form)
        assert page.status_code == 200
        assert site.player.ballot("an").digest in page.get_data(as_text=True)


def profile_of(officer: Signer, home: Path) -> None:
    """Write a connection profile whose one organisation has this officer."""
    folder = home / "network"
    folder.mkdir()
    (folder / "officer.pem").write_bytes(officer.certificate.public_bytes(Encoding.PEM))
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "officer.key").write_bytes(officer.key.private_bytes(*form))
    org = {
        "name": "institutiona",
        "peers": [],
        "orderers": [],
        "ca": {"url": "", "tls_root": "", "names": {}, "registrar": {"name": "", "secret_file": ""}},
        "roots": {},
        "identities": {"officer": {"cert": "officer.pem", "key": "officer.key"}},
    }
    content = {"v": 1, "channels": {}, "orgs": {officer.msp_id: org}}
    (folder / "connection.json").write_text(json.dumps(content))


def test_an_officers_answer_carries_the_certificate(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    officer = site.player.officer
    profile_of(officer, tmp_path)
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path))
    assert main(["audit", "answer", site.challenge("records"), "--msp", officer.msp_id]) == 0
    said = capsys.readouterr().out
    value = json.loads(said)
    assert x509.load_der_x509_certificate(base64.b64decode(value["certificate"])) == officer.certificate
    assert site.client.post(f"{PATH}/records", data={"answer": said}).status_code == 200


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-file", "--lender", "x"],
        ["{}", "--lender", "x"],
        ['{"v":1,"mh":"x","votes":{}}', "--lender", "x"],
        ['{"v":1,"purpose":"p","channel":"c","mtg":"m","nonce":"n"}'],
        ['{"v":1,"purpose":"p","channel":"c","mtg":"m","nonce":"n"}', "--lender", "x", "--msp", "y"],
        ['{"v":1,"purpose":"p","channel":"c","mtg":"m","nonce":"n"}', "--lender", "no-such-file"],
    ],
)
def test_anything_else_is_not_signed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "answer", *arguments]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)


def test_without_a_network_there_is_nothing_to_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path))
    assert main(["audit", "serve", "--port", "0"]) == 2
    assert "no network is running" in capsys.readouterr().err
