"""What `concordat identity` does on this host's store, without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from client.cli.main import main
from tests.unit.biometrics_service.doubles import INSTITUTION, TEXTS, certificate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path))
    return tmp_path


def ok(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert main(list(arguments)) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def credentials(folder: Path) -> tuple[str, ...]:
    """Write an officer's certificate and key; return the options that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    loaded = x509.load_der_x509_certificate(certificate("officer-one", key))
    (folder / "cert.pem").write_bytes(loaded.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return ("--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem"))


@pytest.mark.usefixtures("home")
def test_the_texts_in_force_are_shown_with_the_digests_that_a_consent_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = ok(capsys, "identity", "texts")["texts"]
    assert len(shown) == 6
    assert all(TEXTS.find(text["digest"]).text == text["text"] for text in shown)  # type: ignore[union-attr]


def test_a_folder_of_altered_texts_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "texts" / "2026-11").mkdir(parents=True)
    (home / "texts" / "index.toml").write_text('["2026-11".face]\nen = "AAAA"\n', "utf-8")
    (home / "texts" / "2026-11" / "face.en.txt").write_text("another text", "utf-8")
    monkeypatch.setenv("CONCORDAT_CONSENT_TEXTS", str(home / "texts"))
    assert "make a new version" in fails(capsys, 2, "identity", "texts")


def test_only_an_officer_settles_and_only_what_the_channel_says_is_over(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer = credentials(home)
    settle = ("identity", "retention", "settle", INSTITUTION, "exit-2026", *signer)
    assert "NOT_OFFICER" in fails(capsys, 2, *settle)
    ok(capsys, "identity", "officer", "appoint", INSTITUTION, "--cert", str(home / "cert.pem"))
    # There is no network here: what can't be asked is not settled.
    assert "LEDGER_UNAVAILABLE" in fails(capsys, 2, *settle)
    assert "leave --url away" in fails(capsys, 2, *settle, "--url", "http://127.0.0.1:9")
