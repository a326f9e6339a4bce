from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from client.cli.main import main
from client.platform.models import Ballot
from client.receipts import ReceiptOffice
from client.relay.history import history
from tests.unit.platform.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from client.platform import Database


def settle(database: Database, digest: str, **values: object) -> None:
    with database.write() as session:
        session.execute(update(Ballot).where(Ballot.digest == digest).values(**values))


def test_a_lender_sees_what_became_of_each_ballot(database: Database) -> None:
    scene = Scene(database, revote="last")
    signed = [scene.ballot(0, seq=seq) for seq in (1, 2, 3, 4)]
    for one in (*signed, scene.ballot(1)):
        scene.desk().accept(one.compact)
    for number, one in enumerate(signed[:2]):
        settle(database, one.digest, status="committed", tx=f"tx{number}", block=number)
    settle(database, signed[2].digest, status="refused", code="SEQ_STALE")
    past = history(database, "m-1", scene.keys[0].sub)
    assert [(one.digest, one.seq, one.ack_no) for one in past] == [
        (one.digest, one.ballot.seq, one.ballot.seq) for one in signed
    ]
    assert [(one.state, one.code, one.tx, one.block) for one in past] == [
        ("replaced", None, "tx0", 0),
        ("counts", None, "tx1", 1),
        ("refused", "SEQ_STALE", None, None),
        ("waiting", None, None, None),
    ]
    assert {one.votes for one in past} == {'{"m1":"approve","m2":"reject"}'}


def test_what_counts_is_what_the_channel_took_last_whichever_door_was_first(database: Database) -> None:
    scene = Scene(database, revote="last")
    signed = [scene.ballot(0, seq=seq) for seq in (1, 2)]
    for one, block in zip(signed, (9, 8), strict=True):
        scene.desk().accept(one.compact)
        settle(database, one.digest, status="committed", tx=f"tx{block}", block=block)
    states = [(one.block, one.state) for one in history(database, "m-1", scene.keys[0].sub)]
    assert states == [(9, "counts"), (8, "replaced")]


def test_who_has_not_voted_has_no_history(database: Database) -> None:
    scene = Scene(database)
    scene.desk().accept(scene.ballot(0).compact)
    assert history(database, "m-1", scene.keys[1].sub) == ()
    assert history(database, "m-2", scene.keys[0].sub) == ()


def test_a_replaced_ballot_keeps_its_receipt(database: Database) -> None:
    scene = Scene(database, revote="last")
    for seq in (1, 2):
        scene.desk().accept(scene.ballot(0, seq=seq).compact)
    for one in history(database, "m-1", scene.keys[0].sub):
        settle(database, one.digest, status="committed", tx=f"{one.seq:064x}", block=one.seq)
    office = ReceiptOffice(database, "m-1", scene.signer)
    past = history(database, "m-1", scene.keys[0].sub)
    assert [one.state for one in past] == ["replaced", "counts"]
    receipts = [office.issue(one.digest) for one in past]
    assert [(receipt.tx, receipt.block) for receipt in receipts] == [(one.tx, one.block) for one in past]


def test_the_command_takes_pseudonyms_that_begin_with_hyphens(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(database)
    scene.desk().accept(scene.ballot(0).compact)
    monkeypatch.setenv("CONCORDAT_DATABASE_URL", f"sqlite:///{tmp_path / 'platform.db'}")
    assert main(["ballot", "history", "m-1", scene.keys[0].sub, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["state"], told["seq"], told["ack_no"]) == ("waiting", 1, 1)
    for sub in ("-1" + "A" * 20, "--" + "A" * 20):
        assert main(["ballot", "history", "m-1", sub]) == 0
        assert capsys.readouterr().out == "no ballot\n"


@pytest.mark.parametrize("words", [("m-1", "\udcff"), ("\udcff", "A" * 22), ("m-1", "A")])
def test_the_command_refuses_what_names_nobody(
    words: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CONCORDAT_DATABASE_URL", f"sqlite:///{tmp_path / 'platform.db'}")
    assert main(["ballot", "history", *words]) == 2
    assert "no pseudonym" in capsys.readouterr().err
