"""Ballots after a ballot at a live meeting: replaced, replayed, malleated, twice in a batch; one counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from client.encodings import base64url
from client.encodings.ballot import parse_ballot
from client.encodings.batch import encode_batch
from client.encodings.judge import HeldBallot
from client.platform.chain import commit
from client.services import ASSOCIATION
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.integration.test_meeting_refusals import Bad, Trouble, judged, submit, verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.platform.chain import Contract
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage.set(network.profile, tmp_path_factory.mktemp("history"), lenders=2)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def relay(stage: Stage) -> Contract:
    return stage.services.arbitration(ASSOCIATION, "relay", INSTITUTION)


@pytest.mark.parametrize("revote", ["none", "last", "first"])
def test_history_decides_alike(stage: Stage, relay: Contract, revote: str) -> None:
    meeting = stage.open(revote=revote)
    trouble = Trouble(stage, meeting)
    first_session = trouble.session(0)
    first = trouble.sign(0, first_session.ses, seq=2)
    answer = commit(relay, "SubmitBallots", encode_batch(meeting.mtg, [trouble.entry(first)])).result
    assert verdict_of(answer) == ["accepted"]
    held = HeldBallot(2, first.digest, first_session.ses)
    fresh = [trouble.session(0) for _ in range(3)]
    attempts = [
        Bad("held", first, first_session, held),
        Bad("SEQ_EQUIVOCATION", trouble.sign(0, fresh[0].ses, seq=2), fresh[0], held),
        Bad("SEQ_STALE", trouble.sign(0, fresh[1].ses, seq=1), fresh[1], held),
    ]
    later = Bad("accepted", trouble.sign(0, fresh[2].ses, seq=3), fresh[2], held)
    used = Bad("SESSION_USED", trouble.sign(0, first_session.ses, seq=3), first_session, held)
    replaced = HeldBallot(3, later.signed.digest, fresh[2].ses)
    again = Bad(
        "SESSION_USED", trouble.sign(0, first_session.ses, seq=4), first_session, replaced, first.digest
    )
    refused = replace(later, code={"none": "REVOTE_NOT_ALLOWED"}.get(revote, "FIRST_STANDS"))
    attempts += [used, later, again] if revote == "last" else [refused]
    for item in attempts:
        entry = trouble.entry(item.signed)
        answer = commit(relay, "SubmitBallots", encode_batch(meeting.mtg, [entry])).result
        assert (verdict_of(answer)[0], judged(entry, trouble.context(item))) == (item.code, item.code)


def test_one_voter_twice_in_a_batch_counts_once(stage: Stage, relay: Contract) -> None:
    meeting = stage.open(revote="last")
    trouble = Trouble(stage, meeting)
    ballots = [trouble.sign(0, trouble.session(0).ses, seq=seq) for seq in (1, 2)]
    batch = encode_batch(meeting.mtg, [trouble.entry(signed) for signed in ballots])
    assert verdict_of(commit(relay, "SubmitBallots", batch).result, 2) == [
        "accepted",
        "BATCH_DUPLICATE_VOTER",
    ]


def test_a_malleated_ballot_is_the_same_ballot_and_counts_once(stage: Stage, relay: Contract) -> None:
    meeting = stage.open(revote="last")
    trouble = Trouble(stage, meeting)
    signed = trouble.sign(0, trouble.session(0).ses)
    r, s = signed.jws.signature[:32], int.from_bytes(signed.jws.signature[32:])
    other = base64url.encode(r + (P256_ORDER - s).to_bytes(32))
    twin = parse_ballot(f"{signed.compact.rpartition('.')[0]}.{other}")
    broken = parse_ballot(f"{signed.compact.rpartition('.')[0]}.{base64url.encode(r + r)}")
    assert twin.digest == signed.digest
    said = [submit(relay, meeting, trouble.entry(one)) for one in (twin, signed, twin, broken)]
    assert said == ["accepted", "held", "held", "SIGNATURE_INVALID"]
    history = json.loads(relay.evaluate("GetBallotHistory", meeting.mtg, signed.ballot.sub))
    assert [entry["ballot"]["digest"] for entry in history] == [signed.digest]
    stage.clock.advance(hours=3)
    stage.step(meeting.mtg, "closing")
    stage.step(meeting.mtg, "closed")
    assert stage.services.convener(INSTITUTION).result(meeting.mtg)["ballots"] == 1
