"""The random sample: anybody draws the same, a larger one contains it, and it comes only after the close."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from auditor.errors import AuditUnavailable
from auditor.log.errors import LogRefused
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.sampling import Sample, draw, draw_from, size_for
from client.cli.main import main
from client.errors import UserError
from tests.unit.auditor.lenders import b64url, canonical
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.unit.auditor.platform_side import closed_meeting
from tests.unit.auditor.test_run import Peer

if TYPE_CHECKING:
    from auditor.view import ChainMeeting
    from tests.unit.auditor.builder import Network

SEED = "lottery of 2026-03-10: 04 11 19 23 31 33 + 08"


@pytest.fixture
def player(fabric: Network) -> Player:
    one = Player(fabric, revote="last").enrolled(sessions=2).opened()
    one.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"}), ("chen", 3, {})])
    return one.submit([("an", 4, {"seq": 2})])


def drawn(player: Player, size: int, seed: str = SEED) -> Sample:
    return draw_from(Peer(player), Roots(player.genesis, Offices()), MTG, seed, size)


def large_meeting() -> ChainMeeting:
    """A closed meeting of 200 voters."""
    meeting = closed_meeting(200)
    accepted = {name: replace(one, tx=f"{one.block:064x}") for name, one in meeting.accepted.items()}
    return replace(meeting, accepted=accepted)


def tree(hashes: list[bytes]) -> bytes:
    """RFC 9162's definition, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    half = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + tree(hashes[:half]) + tree(hashes[half:])).digest()


def test_a_stranger_draws_the_same_by_the_document(player: Player) -> None:
    """With a few lines of their own, from what the log and the channel publish."""
    sample = drawn(player.closed(), 2)
    meeting = player.follow().meeting(CHANNEL, MTG)
    assert meeting is not None
    leaves, positions = [], Counter[str]()
    for one in meeting.accepted.values():
        leaf = {
            "v": 1,
            "mtg": MTG,
            "digest": one.digest,
            "tx": one.tx,
            "block": one.block,
            "pos": positions[one.tx],
        }
        positions[one.tx] += 1
        leaves.append(hashlib.sha256(b"\x00" + canonical(leaf)).digest())
    root = b64url(tree(leaves))
    ranked = []
    for name in ("an", "bo", "chen"):
        sub = player.scene.lenders[name].sub
        text = canonical({"mh": meeting.mh, "root": root, "seed": SEED, "sub": sub})
        ranked.append((hashlib.sha256(b"concordat/sample/v1" + text).hexdigest(), sub))
    assert (sample.root, sample.population) == (root, 3)
    assert [(one.rank, one.sub) for one in sample.voters] == sorted(ranked)[:2]


def test_the_session_is_that_of_the_ballot_that_stands(player: Player) -> None:
    everybody = {one.sub: one.ses for one in drawn(player.closed(), 100).voters}
    assert len(everybody) == 3
    assert everybody[player.scene.lenders["an"].sub] == player.ballot("an", seq=2).ballot.ses


def test_nothing_but_pseudonyms_and_sessions_is_shown(player: Player) -> None:
    value = drawn(player.closed(), 3).as_json()
    assert {frozenset(one) for one in value["voters"]} == {frozenset({"rank", "sub", "ses"})}
    assert "approve" not in json.dumps(value)


def test_a_larger_sample_contains_the_smaller_and_another_seed_draws_others() -> None:
    meeting = large_meeting()
    small, large = (draw(meeting, SEED, size).voters for size in (20, 40))
    assert large[:20] == small
    other = {one.sub for one in draw(meeting, f"{SEED} 2", 20).voters}
    assert other != {one.sub for one in small}


def test_everybody_is_drawn_about_as_often() -> None:
    """20 of 200, 100 times: ten times each in the mean; 35 would be more than eight deviations off."""
    meeting = large_meeting()
    counted = Counter(
        one.sub for number in range(100) for one in draw(meeting, f"{SEED} {number}", 20).voters
    )
    assert len(counted) == 200
    assert max(counted.values()) < 35


@pytest.mark.parametrize("state", ["open", "closing"])
def test_no_sample_before_the_close(player: Player, state: str) -> None:
    if state == "closing":
        player.step("closing")
    with pytest.raises(UserError) as error:
        drawn(player, 2)
    assert (error.value.exit_code, f"is {state}" in error.value.message) == (2, True)


@pytest.mark.parametrize("seed", ["", "short", "x" * 201, "eine Lösung", "one line\nmore"])
def test_what_is_no_seed(player: Player, seed: str) -> None:
    with pytest.raises(UserError):
        drawn(player.closed(), 2, seed)


def test_no_sample_from_a_chain_that_does_not_verify(player: Player) -> None:
    player.closed().chain.blocks[-1] = player.chain.blocks[-1].replace(b"ConfirmStep", b"ConfirmStop")
    with pytest.raises(LogRefused) as error:
        drawn(player, 2)
    assert error.value.code == "LOG_UNVERIFIED"
    with pytest.raises(AuditUnavailable):
        draw_from(Peer(player), Roots({"identity": player.genesis["identity"]}, Offices()), MTG, SEED, 2)


@pytest.mark.parametrize("voters", [1, 7, 50, 400])
@pytest.mark.parametrize("fraction", [Fraction(1, 100), Fraction(1, 10), Fraction(1, 3), Fraction(1)])
@pytest.mark.parametrize("confidence", [Fraction(1, 2), Fraction(95, 100), Fraction(99, 100)])
def test_the_size_is_the_least_that_detects(voters: int, fraction: Fraction, confidence: Fraction) -> None:
    false = math.ceil(voters * fraction)

    def detects(size: int) -> Fraction:
        return 1 - Fraction(math.comb(voters - false, size), math.comb(voters, size))

    size = size_for(voters, fraction, confidence)
    assert detects(size) >= confidence
    assert size == 0 or detects(size - 1) < confidence


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["audit", "sample-size", "--voters", "390000", "--fraction", "0.01"]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == 298
    assert main([*command, "--confidence", "99%"]) == 2
    assert main([*command, "--confidence", "1"]) == 2
    assert main([*command[:-1], "0"]) == 2
    for endless in ("1e300000000", "1E-9", "0." + "0" * 40 + "1"):
        assert main([*command[:-1], endless]) == 2
    capsys.readouterr()
    assert main([*command[:3], "100000000000", "--fraction", "0.000000001"]) == 0
    assert capsys.readouterr().out == "2951304960\n"
