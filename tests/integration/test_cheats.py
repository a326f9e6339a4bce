"""Relays, platforms and institutions that cheat: refused by endorsers, or named by the audit."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete

from auditor.withhold import WITHHELD
from client.encodings import base64url
from client.encodings.ballot import parse_ballot
from client.encodings.batch import CompactEntry, RawEntry, encode_batch
from client.encodings.entries import compact_entry, raw_entry
from client.enrolment.lender import LenderKey
from client.gateway.errors import EndorseError
from client.platform.chain import commit, refusal_code
from client.platform.models import OutboxEntry
from client.platform.registers import load_meeting, roll_entry
from client.platform.verdicts import Verdicts
from client.services import ASSOCIATION
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.integration.test_audit_meeting import audit, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from client.encodings.ballot import SignedBallot
    from client.encodings.batch import Entry
    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network
LENDERS = 7
DROPPED, SILENT = 2, 6


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage.set(network.profile, tmp_path_factory.mktemp("cheats"), LENDERS)
    yield opened
    opened.close()


# -- in the batch: refused by every endorser ---------------------------------------------------------------


class Forger:
    """Makes entries of a meeting, honest or not, with the roll's true leaf and path."""

    def __init__(self, stage: Stage, meeting: Meeting) -> None:
        self._stage, self._meeting = stage, meeting
        self._file = load_meeting(stage.services.database, meeting.mtg)

    def compact(self, signed: SignedBallot) -> CompactEntry:
        leaf, place = self._place(signed.ballot.sub)
        return compact_entry(signed, self._meeting, leaf, **place)

    def raw(self, signed: SignedBallot, **changes: Any) -> RawEntry:
        leaf, place = self._place(signed.ballot.sub)
        return replace(raw_entry(signed.compact, leaf.encode(), **place), **changes)

    def reweighed(self, signed: SignedBallot) -> tuple[CompactEntry, RawEntry]:
        """Return both forms of a ballot with a fen more than the roll has."""
        leaf, _ = self._place(signed.ballot.sub)
        more = replace(leaf, claims=tuple(replace(claim, fen=claim.fen + 1) for claim in leaf.claims))
        entry = self.compact(signed)
        claims = tuple((index, fen + 1) for index, fen, *_ in entry.claims)
        return replace(entry, claims=claims), self.raw(signed, leaf=more.encode())

    def _place(self, sub: str) -> tuple[Any, dict[str, Any]]:
        found = roll_entry(self._stage.services.database, self._meeting.mtg, sub)
        assert found is not None
        index, leaf = found
        proof = self._file.tree.run_path(index, self._meeting.roll.cap_height)
        seconds = int(self._stage.clock().timestamp())
        return leaf, {"index": index, "proof": proof, "ack_no": 1, "ack_time": seconds}


def test_what_a_relay_alters_injects_or_reweighs_is_refused_and_the_rest_counts(stage: Stage) -> None:
    meeting = stage.open()
    forger, ballots = Forger(stage, meeting), stage.ballots(meeting)
    turned = replace(forger.compact(ballots[0]), votes=(1, 1))
    heavier, heavier_raw = forger.reweighed(ballots[1])[0], forger.reweighed(ballots[2])[1]
    silent, ses = stage.keys[SILENT], ballots[SILENT].ballot.ses
    ours = stage.keys[0]
    by_our_key = LenderKey(INSTITUTION, silent.sub, ours.key, ours.certificate)
    in_its_name = LenderKey(INSTITUTION, stage.keys[4].sub, ours.key, stage.keys[4].certificate)
    votes = {"m1": "approve", "m2": "approve"}
    own = by_our_key.sign(meeting, votes, ses=ses, iat=stage.clock())
    named = in_its_name.sign(meeting, votes, ses=ballots[4].ballot.ses, iat=stage.clock())
    other = replace(ballots[5].ballot, votes={"m1": "reject", "m2": "reject"})
    header, _, signature = ballots[5].compact.split(".")
    rewritten = parse_ballot(f"{header}.{base64url.encode(other.payload())}.{signature}")
    cheats: list[tuple[str, Entry]] = [
        ("SIGNATURE_INVALID", turned),
        ("ROLL_PROOF", heavier),
        ("ROLL_PROOF", heavier_raw),
        ("KEY_FOREIGN", forger.raw(own)),
        ("SIGNATURE_INVALID", forger.raw(named)),
        ("SIGNATURE_INVALID", forger.raw(rewritten)),
    ]
    entries: list[Entry] = [*(entry for _, entry in cheats), forger.compact(ballots[3])]
    relay = stage.services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    answer = commit(relay, "SubmitBallots", encode_batch(meeting.mtg, entries)).result
    verdicts = Verdicts.parse(answer, len(entries))
    said = [verdicts.of(index) for index in range(len(entries))]
    assert said == [*(code for code, _ in cheats), "accepted"]
    for number in (0, 1, 2, SILENT, 4, 5):
        assert relay.evaluate("GetBallot", meeting.mtg, stage.keys[number].sub) == b"null"


def test_an_institution_brings_no_batch_to_the_channel_itself(stage: Stage) -> None:
    meeting = stage.open()
    batch = encode_batch(meeting.mtg, [Forger(stage, meeting).compact(stage.ballots(meeting)[0])])
    institution = stage.services.arbitration(INSTITUTION, "officer", INSTITUTION)
    with pytest.raises(EndorseError) as caught:
        institution.new_proposal("SubmitBallots", arguments=[batch]).endorse()
    assert refusal_code(caught.value) == "NOT_AUTHORISED"


# -- in the platform's database: named by the audit --------------------------------------------------------


@dataclass
class Held:
    """An open meeting: an acknowledged ballot was kept from the channel, and one lender is silent."""

    meeting: Meeting
    ballots: list[SignedBallot]
    path: Path

    def run(self, statement: str, **values: Any) -> None:
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            assert connection.execute(statement, values | {"mtg": self.meeting.mtg}).rowcount == 1

    @property
    def dropped(self) -> tuple[str, ...]:
        return ("pending", self.ballots[DROPPED].digest, "status", "", "queued")


@pytest.fixture(scope="module")
def meeting_held(stage: Stage) -> tuple[Meeting, list[SignedBallot]]:
    meeting = stage.open()
    ballots = stage.ballots(meeting)
    desk = stage.services.desk(meeting.mtg)
    for signed in ballots[:SILENT]:
        desk.accept(signed.compact)
    with stage.services.database.write() as session:
        gone = delete(OutboxEntry).where(OutboxEntry.sub == stage.keys[DROPPED].sub)
        session.execute(gone.where(OutboxEntry.mtg == meeting.mtg))
    with stage.services.relay(meeting.mtg, INSTITUTION) as relay:
        relay.drain(60)
    return meeting, ballots


@pytest.fixture
def held(stage: Stage, meeting_held: tuple[Meeting, list[SignedBallot]], tmp_path: Path) -> Held:
    return Held(*meeting_held, copied(stage, tmp_path / "platform.db"))


def _altered(held: Held) -> list[tuple[str, ...]]:
    after = '{"m1":"approve","m2":"reject"}'
    digest = held.ballots[3].digest
    held.run("UPDATE ballots SET choices = :to WHERE mtg = :mtg AND digest = :it", to=after, it=digest)
    return [("altered", digest, "choices", WITHHELD, WITHHELD), held.dropped]


def _reweighed(held: Held) -> list[tuple[str, ...]]:
    after = '[{"class":"individual","fen":90000003}]'
    digest = held.ballots[3].digest
    held.run("UPDATE ballots SET claims = :to WHERE mtg = :mtg AND digest = :it", to=after, it=digest)
    return [("altered", digest, "claims", WITHHELD, WITHHELD), held.dropped]


def _injected(held: Held) -> list[tuple[str, ...]]:
    """Write a committed row for the silent lender, in the block of another's ballot."""
    signed, model = held.ballots[SILENT], held.ballots[3]
    held.run(
        "INSERT INTO ballots (mtg, sub, seq, digest, jws, choices, claims, ses, door, ack_no, ack_time,"
        " ack_jws, status, tx, block, created_at)"
        " SELECT mtg, :sub, seq, :digest, :jws, choices, claims, :ses, door, ack_no + 100,"
        " ack_time, ack_jws, status, tx, block, created_at FROM ballots"
        " WHERE mtg = :mtg AND digest = :model",
        sub=signed.ballot.sub,
        digest=signed.digest,
        jws=signed.compact,
        ses=signed.ballot.ses,
        model=model.digest,
    )
    return [("extra", signed.digest, "row", "", WITHHELD), held.dropped]


def _dropped(held: Held) -> list[tuple[str, ...]]:
    return [held.dropped]


def _dropped_and_hidden(held: Held) -> list[tuple[str, ...]]:
    """Delete the row of the ballot kept back: the door's numbers have a hole then."""
    digest = held.ballots[DROPPED].digest
    held.run("DELETE FROM ballots WHERE mtg = :mtg AND digest = :it", it=digest)
    return []


def _claimed_as_committed(held: Held) -> list[tuple[str, ...]]:
    """Say of the ballot kept back that it is on the channel."""
    digest = held.ballots[DROPPED].digest
    held.run(
        "UPDATE ballots SET status = 'committed', tx = :tx, block = 1 WHERE mtg = :mtg AND digest = :it",
        tx=secrets.token_hex(32),
        it=digest,
    )
    return [("receipt without ballot", digest, "ack_no", "", str(DROPPED + 1))]


@pytest.mark.parametrize(
    "cheat", [_altered, _reweighed, _injected, _dropped, _claimed_as_committed, _dropped_and_hidden]
)
def test_what_a_platform_does_to_its_rows_is_named_and_nothing_else(
    home: Path, held: Held, capsys: pytest.CaptureFixture[str], cheat: Callable[[Held], list[tuple[str, ...]]]
) -> None:
    expected = cheat(held)
    code, found, _ = audit(capsys, held.meeting.mtg, held.path, "--patience", "0")
    names = ("kind", "ballot", "field", "chain", "platform")
    said = sorted(tuple(one[name] for name in names) for one in found["discrepancies"])
    assert (code, said) == (int(bool(expected)), sorted(expected))


def test_a_hidden_drop_shows_when_the_meeting_is_closed(
    stage: Stage,
    home: Path,
    meeting_held: tuple[Meeting, list[SignedBallot]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    meeting, ballots = meeting_held
    stage.clock.advance(hours=3)
    stage.step(meeting.mtg, "closing")
    stage.step(meeting.mtg, "closed")
    held = Held(meeting, ballots, copied(stage, tmp_path / "platform.db"))
    _, found, _ = audit(capsys, meeting.mtg, held.path)
    late = [(one["kind"], one["ballot"]) for one in found["discrepancies"]]
    assert late == [("late", ballots[DROPPED].digest)]
    _dropped_and_hidden(held)
    _, found, _ = audit(capsys, meeting.mtg, held.path)
    gap = [(one["kind"], one["field"], one["platform"]) for one in found["discrepancies"]]
    assert gap == [("missing", "ack_no", str(DROPPED + 1))]
