"""Mandates brought to the channel again: whether they are in force, the channel says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from client.encodings.mandate import parse_mandate
from client.encodings.mandate_record import MandateRecord, Revoked
from client.mandates import MandateRecorder
from client.platform import Database
from client.platform.models import Mandate
from tests.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ledger import Stub

VECTORS: Any = json.loads((Path(__file__).parents[2] / "vectors" / "mandate.json").read_text("utf-8"))
FIRST = VECTORS["accept"][0]["jws"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'platform.db'}")
    yield opened
    opened.close()


def channel(revoked: Revoked | None) -> Ledger:
    """Return a channel that has the mandate already, in force or revoked."""
    held = MandateRecord(parse_mandate(FIRST), 1, revoked=revoked, tx="aa").encode()

    def record(stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        del stub
        assert json.loads(arguments[1]) == [FIRST]
        return b'{"v":1,"accepted":0,"held":[0],"refused":[],"pending":[]}'

    return Ledger({"RecordMandates": record, "GetMandate": lambda _stub, _arguments: held})


@pytest.mark.parametrize(
    ("revoked", "code"), [(None, None), (Revoked("the lender's word", 1), "MANDATE_REVOKED")]
)
def test_a_mandate_that_is_there_is_in_force_unless_it_was_revoked(
    database: Database, revoked: Revoked | None, code: str | None
) -> None:
    relay = channel(revoked).contract()
    assert MandateRecorder(database, "m-1", relay).record([FIRST]) == [code]
    with database.read() as session:  # the receipts of ballots cast by it need it all the same
        assert session.get(Mandate, parse_mandate(FIRST).digest) is not None
