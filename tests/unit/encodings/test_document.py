"""docs/encodings.md says what the code does: codes, tags, limits."""

from __future__ import annotations

import re
from pathlib import Path

from client.encodings import ballot, batch, hashes, mandate, merkle, receipt
from client.encodings.acknowledgement import TYP as ACK_TYP
from client.encodings.codes import CODES
from client.rolls.claims import COLUMNS
from client.rolls.person import ID_TYPES

TEXT = (Path(__file__).parents[3] / "docs" / "encodings.md").read_text("utf-8")


def test_the_table_of_codes_is_the_registry() -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert dict(rows) == CODES
    assert [code for code, _ in rows] == list(CODES)


def test_only_codes_of_the_registry_are_named() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`", TEXT))
    assert named <= set(CODES)


def test_every_domain_tag_and_type_is_described() -> None:
    tags = (hashes.BALLOT, hashes.COMMITMENT, hashes.MANDATE, hashes.MEETING, hashes.STEP)
    for name in (*(tag.decode() for tag in tags), ballot.TYP, ACK_TYP, mandate.TYP, receipt.TYP):
        assert name in TEXT


def test_limits_are_the_codes() -> None:
    for limit in (ballot.MAX_BYTES, batch.MAX_BATCH, batch.MAX_ENTRY, mandate.MAX_BYTES, merkle.MAX_CAP):
        assert f"{limit:,}" in TEXT


def test_the_register_is_described() -> None:
    assert ",".join(COLUMNS) in TEXT
    for name in ID_TYPES:
        assert f"`{name}`" in TEXT
