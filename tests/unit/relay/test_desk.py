from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update

from client.encodings import base64url, certificates, jcs
from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.batch import CompactEntry, decode_entry
from client.encodings.entries import read_entry
from client.encodings.errors import Refused
from client.encodings.es256 import ORDER
from client.encodings.leaf import claims_json
from client.errors import UserError
from client.platform.models import AckCounter, Ballot, Lender, OutboxEntry
from client.platform.registers import roll_entry
from client.platform.times import to_text
from client.relay.backlog import Backlog
from client.relay.desk import Acknowledged
from client.relay.errors import DeskBusy
from tests.unit.platform.scene import OPENS, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.encodings.ballot import SignedBallot
    from client.platform import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def refusal(scene: Scene, compact: str) -> str:
    with pytest.raises(Refused) as caught:
        scene.desk().accept(compact)
    return caught.value.code


def rows(scene: Scene) -> list[Ballot]:
    with scene.database.read() as session:
        return list(session.scalars(select(Ballot).order_by(Ballot.id)))


def malleated(signed: SignedBallot) -> str:
    """Return the same ballot with the other of the two valid signatures."""
    signature = signed.jws.signature
    other = (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    return f"{signed.jws.signing_input.decode()}.{base64url.encode(signature[:32] + other)}"


def test_the_acknowledgement_is_the_doors_signed_word(scene: Scene) -> None:
    signed = scene.ballot(0)
    taken = scene.desk().accept(signed.compact)
    ack = parse_acknowledgement(taken.ack)
    ack.verify(certificates.public_key(scene.signer.certificate))
    ack.verify_for(signed)
    assert (ack.ack.no, ack.ack.door, ack.ack.time) == (1, "AssociationMSP", to_text(OPENS))


def test_ballot_number_and_outbox_row_are_written_together(scene: Scene) -> None:
    signed = scene.ballot(0)
    scene.desk().accept(signed.compact)
    row = rows(scene)[0]
    assert (row.digest, row.jws, row.status, row.ack_no) == (signed.digest, signed.compact, "queued", 1)
    assert row.choices == '{"m1":"approve","m2":"reject"}'
    assert row.claims == '[{"class":"individual","fen":10000}]'
    with scene.database.read() as session:
        outbox = session.scalars(select(OutboxEntry)).one()
    entry = decode_entry(outbox.entry)
    assert isinstance(entry, CompactEntry)
    rebuilt = read_entry(entry, scene.meeting).complete(signed.jws.x5t)
    assert (rebuilt.compact, entry.ack_no) == (signed.compact, 1)


def test_what_is_written_of_votes_and_claims_is_their_jcs(database: Database) -> None:
    scene = Scene(database)
    taken = scene.desk().accept(scene.ballot(0, {"m2": "reject", "m1": "abstain"}).compact)
    row = next(row for row in rows(scene) if row.digest == taken.digest)
    assert row.choices.encode() == jcs.dumps({"m1": "abstain", "m2": "reject"})
    found = roll_entry(database, "m-1", row.sub)
    assert found is not None
    assert row.claims.encode() == jcs.dumps(claims_json(found[1].claims))


def test_a_failure_on_the_way_leaves_no_gap(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    desk = scene.desk()
    with monkeypatch.context() as patch:
        patch.setattr("client.relay.desk.enqueue", broken)
        with pytest.raises(RuntimeError):
            desk.accept(scene.ballot(0).compact)
    assert rows(scene) == []
    assert desk.accept(scene.ballot(1).compact).no == 1


def test_numbers_are_gapless_over_desks_threads_and_refusals(scene: Scene) -> None:
    ballots = [scene.ballot(lender).compact for lender in range(5)]
    refused = [scene.ballot(lender, ses=base64url.encode(b"x" * 16)).compact for lender in range(5)]

    def hand_in(mine: list[str]) -> None:
        scene.desk().accept_many(mine)

    threads = [
        threading.Thread(target=hand_in, args=([a, b],)) for a, b in zip(ballots, refused, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.ack_no for row in rows(scene)) == [1, 2, 3, 4, 5]
    with scene.database.read() as session:
        assert session.scalars(select(AckCounter.last)).one() == 5


def test_the_same_ballot_gets_the_same_acknowledgement_also_after_closing(scene: Scene) -> None:
    signed = scene.ballot(0)
    first = scene.desk().accept(signed.compact)
    scene.clock.now += timedelta(hours=5)
    assert scene.desk().accept(signed.compact) == first
    assert scene.desk().accept(malleated(signed)) == first
    assert len(rows(scene)) == 1


def test_a_copy_with_a_broken_signature_learns_nothing(scene: Scene) -> None:
    signed = scene.ballot(0)
    scene.desk().accept(signed.compact)
    broken = f"{signed.jws.signing_input.decode()}.{base64url.encode(b'1' * 64)}"
    assert refusal(scene, broken) == "SIGNATURE_INVALID"


def test_the_same_ballot_twice_in_one_call_is_one_ballot(scene: Scene) -> None:
    compact = scene.ballot(0).compact
    first, second = scene.desk().accept_many([compact, compact])
    assert first == second
    assert len(rows(scene)) == 1


@pytest.mark.parametrize(
    ("seconds", "code"), [(-1, "BALLOT_EARLY"), (0, None), (3600, None), (3601, "BALLOT_LATE")]
)
def test_the_door_is_open_from_opening_to_closing(scene: Scene, seconds: int, code: str | None) -> None:
    scene.clock.now = OPENS + timedelta(seconds=seconds)
    compact = scene.ballot(0).compact
    if code is None:
        assert scene.desk().accept(compact).time == to_text(scene.clock())
    else:
        assert refusal(scene, compact) == code
        assert rows(scene) == []


def test_the_time_that_counts_is_the_one_under_the_lock(scene: Scene) -> None:
    times = iter([OPENS, OPENS + timedelta(hours=2)])
    compact = scene.ballot(0).compact
    desk = scene.desk()
    desk._clock = lambda: next(times)
    with pytest.raises(Refused, match="BALLOT_LATE"):
        desk.accept(compact)


def _other_lender(scene: Scene) -> str:
    return scene.ballot(0, ses=scene.check(1)).compact


def _other_meeting(scene: Scene) -> str:
    return scene.ballot(0, ses=scene.check(0, mtg="m-2")).compact


def _other_key(scene: Scene) -> str:
    return scene.ballot(0, ses=scene.check(0, x5t="B" * 42 + "A")).compact


def _other_method(scene: Scene) -> str:
    return scene.ballot(0, ses=scene.check(0, method="palm-v1")).compact


def _not_passed(scene: Scene) -> str:
    return scene.ballot(0, ses=scene.check(0, outcome="reject")).compact


def _expired(scene: Scene) -> str:
    compact = scene.ballot(0).compact
    scene.clock.now += timedelta(minutes=31)
    return compact


def _not_recorded(scene: Scene) -> str:
    return scene.ballot(0, ses=scene.check(0, status="prepared")).compact


def _revoked(scene: Scene) -> str:
    compact = scene.ballot(0).compact
    with scene.database.write() as session:
        session.execute(update(Lender).where(Lender.sub == scene.keys[0].sub).values(status="revoked"))
    return compact


def _wrong_key(scene: Scene) -> str:
    key = scene.keys[1]
    forged = type(key)(key.institution, scene.keys[0].sub, key.key, key.certificate)
    return forged.sign(scene.meeting, {"m1": "reject", "m2": "reject"}, ses=scene.check(0), iat=OPENS).compact


def _forged(scene: Scene) -> str:
    mine, other = scene.keys[0], scene.keys[1]
    forged = type(mine)(mine.institution, mine.sub, other.key, mine.certificate)
    return forged.sign(scene.meeting, {"m1": "reject", "m2": "reject"}, ses=scene.check(0), iat=OPENS).compact


def _stranger(scene: Scene) -> str:
    stranger = scene._lender()
    return stranger.sign(
        scene.meeting, {"m1": "reject", "m2": "reject"}, ses=scene.check(0), iat=OPENS
    ).compact


def _unknown_choice(scene: Scene) -> str:
    return scene.ballot(0, {"m1": "maybe", "m2": "approve"}).compact


def _unanswered(scene: Scene) -> str:
    return scene.ballot(0, {"m1": "approve"}).compact


def _not_enrolled(scene: Scene) -> str:
    compact = scene.ballot(0).compact
    with scene.database.write() as session:
        session.execute(update(Lender).where(Lender.sub == scene.keys[0].sub).values(status="certified"))
    return compact


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_other_lender, "SESSION_FOREIGN_LENDER"),
        (_other_meeting, "SESSION_FOREIGN_MEETING"),
        (_other_key, "SESSION_FOREIGN_KEY"),
        (_other_method, "SESSION_METHOD"),
        (_not_passed, "SESSION_OUTCOME"),
        (_expired, "SESSION_EXPIRED"),
        (_not_recorded, "SESSION_NOT_FOUND"),
        (_revoked, "KEY_REVOKED"),
        (_wrong_key, "KEY_FOREIGN"),
        (_forged, "SIGNATURE_INVALID"),
        (_stranger, "ROLL_LEAF_FOREIGN"),
        (_unknown_choice, "CHOICE_UNKNOWN"),
        (_unanswered, "CHOICE_MISSING"),
        (_not_enrolled, "ENROLMENT_NOT_FOUND"),
        (lambda _: "not a ballot", "JWS_FORMAT"),
    ],
)
def test_what_the_chaincode_would_refuse_gets_no_acknowledgement(
    scene: Scene, make: Callable[[Scene], str], code: str
) -> None:
    assert refusal(scene, make(scene)) == code
    assert rows(scene) == []


def test_a_second_ballot_with_the_same_seq_is_refused_and_the_first_stays(scene: Scene) -> None:
    first = scene.ballot(0)
    scene.desk().accept(first.compact)
    assert refusal(scene, scene.ballot(0, {"m1": "reject", "m2": "reject"}).compact) == "SEQ_EQUIVOCATION"
    assert [row.digest for row in rows(scene)] == [first.digest]


def test_a_later_ballot_replaces_only_where_the_meeting_allows_it(scene: Scene, database: Database) -> None:
    scene.desk().accept(scene.ballot(0).compact)
    assert refusal(scene, scene.ballot(0, seq=2).compact) == "REVOTE_NOT_ALLOWED"


def test_with_revotes_the_last_counts_and_a_check_is_used_once(database: Database) -> None:
    scene = Scene(database, revote="last")
    ses = scene.check(0)
    scene.desk().accept(scene.ballot(0, seq=2, ses=ses).compact)
    assert refusal(scene, scene.ballot(0, seq=1).compact) == "SEQ_STALE"
    assert refusal(scene, scene.ballot(0, seq=3, ses=ses).compact) == "SESSION_USED"
    assert scene.desk().accept(scene.ballot(0, seq=3).compact).no == 2


def test_one_bad_ballot_never_fails_the_others_of_a_call(scene: Scene) -> None:
    good, bad = scene.ballot(0), scene.ballot(1, {"m1": "approve"})
    answers = scene.desk().accept_many([good.compact, bad.compact, scene.ballot(2).compact])
    assert [answer.no if isinstance(answer, Acknowledged) else answer.code for answer in answers] == [
        1,
        "CHOICE_MISSING",
        2,
    ]


def test_an_unknown_meeting_has_no_desk(scene: Scene) -> None:
    with pytest.raises(UserError, match="knows no meeting 'nowhere'") as caught:
        scene.desk("nowhere")
    assert caught.value.code == "MEETING_NOT_FOUND"


def test_each_meeting_counts_from_one(scene: Scene) -> None:
    scene.desk().accept(scene.ballot(0).compact)
    scene.meeting = scene.hold("m-2")
    assert scene.desk("m-2").accept(scene.ballot(0).compact).no == 1


def test_a_ballot_for_another_network_is_refused(scene: Scene) -> None:
    there = scene.meeting
    scene.meeting = scene.hold("m-2", genesis={"identity": "c" * 64, "arbitration-institutiona": "b" * 64})
    foreign = scene.ballot(0).compact
    assert refusal(scene, foreign) == "BALLOT_MEETING"
    scene.meeting = there
    document = base64.urlsafe_b64decode(foreign.split(".")[1] + "==")
    assert b'"mtg":"m-2"' in document


def test_a_door_that_is_far_behind_gives_no_word_and_stores_nothing(scene: Scene) -> None:
    desk = scene.desk(bound=2)
    first = scene.ballot(0)
    taken = desk.accept(first.compact)
    answers = desk.accept_many([scene.ballot(lender).compact for lender in (1, 2)])
    assert [type(answer) for answer in answers] == [Acknowledged, DeskBusy]
    scene.clock.now += timedelta(seconds=20)
    late = scene.ballot(3)
    with pytest.raises(DeskBusy, match=r"hand the same ballot in again in \d+ s") as caught:
        desk.accept(late.compact)
    assert (caught.value.code, caught.value.exit_code) == ("DESK_BUSY", 2)
    assert caught.value.retry_after >= 1
    assert [row.ack_no for row in rows(scene)] == [1, 2]
    assert desk.accept(first.compact) == taken


def test_a_busy_door_still_says_what_is_wrong_with_a_ballots_form(scene: Scene) -> None:
    desk = scene.desk(bound=0)
    assert [getattr(answer, "code", None) for answer in desk.accept_many(["x", _unanswered(scene)])] == [
        "JWS_FORMAT",
        "CHOICE_MISSING",
    ]


def test_a_door_that_has_caught_up_takes_ballots_again(scene: Scene) -> None:
    turned = [0.0]
    desk = scene.desk(bound=1)
    desk._backlog._clock = lambda: turned[0]
    desk._backlog._counted_at = None
    desk.accept(scene.ballot(0).compact)
    waiting = scene.ballot(1).compact
    with pytest.raises(DeskBusy):
        desk.accept(waiting)
    with scene.database.write() as session:
        session.execute(delete(OutboxEntry))
    with pytest.raises(DeskBusy):  # the last count still stands
        desk.accept(waiting)
    turned[0] += 1.0
    assert desk.accept(waiting).no == 2


def test_the_longer_the_oldest_waits_the_later_to_ask_again(scene: Scene) -> None:
    door = scene.signer.msp
    for seconds, after in ((0, 1), (20, 20), (300, 60)):
        scene.meeting = scene.hold(f"m-{seconds}")
        scene.desk(scene.meeting.mtg).accept(scene.ballot(0).compact)
        backlog = Backlog(scene.database, scene.meeting.mtg, door, bound=1)
        backlog.refresh()
        assert backlog.room() == 0
        assert backlog.retry_after(scene.clock().timestamp() + seconds) == after


def test_two_ballots_of_one_voter_in_one_call_follow_each_other(database: Database) -> None:
    scene = Scene(database, revote="last")
    ses = scene.check(0)
    ballots = [scene.ballot(0, seq=1), scene.ballot(0, seq=2, ses=ses), scene.ballot(0, seq=3, ses=ses)]
    answers = scene.desk().accept_many([signed.compact for signed in ballots])
    assert [getattr(answer, "code", None) for answer in answers] == [None, None, "SESSION_USED"]
    with database.read() as session:
        queued = select(Ballot.seq).join(OutboxEntry, OutboxEntry.ballot == Ballot.id)
        assert session.scalars(queued.order_by(OutboxEntry.ballot)).all() == [1, 2]
