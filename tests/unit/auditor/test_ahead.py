"""Helpers and state on disk change nothing that the verifier finds, on good chains and on bad ones."""

from __future__ import annotations

import pickle
from contextlib import closing
from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

import pytest

from auditor.ahead import MOST_BYTES, Alone, HelperProcesses, ReadAhead
from auditor.facts import Facts, that_hold
from auditor.replay.authority import Offices
from auditor.replay.people import Certified, Signed
from auditor.store import InMemory, Store
from auditor.verifier import Verifier
from client.encodings.errors import Refused
from tests.unit.auditor.lenders import verdicts
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.ahead import Helpers
    from auditor.store import Tables
    from tests.unit.auditor.builder import Network


@pytest.fixture(scope="module")
def helpers() -> Iterator[HelperProcesses]:
    with HelperProcesses(2) as processes:
        yield processes


def honest(player: Player) -> None:
    player.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])
    player.submit([("an", 3, {"seq": 2, "m1": "reject"})], raw=True).closed()


def forged_signature(player: Player) -> None:
    """Accepted on the chain, and nobody's: the last byte of the signature is another."""
    honest_entry = player.entry

    def entry(name: str, number: int, **options: Any) -> Any:
        one: Any = honest_entry(name, number, **options)
        object.__setattr__(one, "signature", one.signature[:-1] + bytes([one.signature[-1] ^ 1]))
        return one

    player.entry = entry  # type: ignore[method-assign]
    player.submit([("an", 1, {}), ("bo", 2, {})])


def wrong_verdict(player: Player) -> None:
    player.submit([("an", 1, {}), ("bo", 2, {})], response=verdicts(1, refused=[[1, "KEY_FOREIGN", 1]]))


def revoked_key(player: Player) -> None:
    player.revoke(player.scene.lenders["an"])
    player.submit([("an", 1, {}), ("bo", 2, {})])


def reused_number(player: Player) -> None:
    player.submit([("an", 1, {})]).submit([("bo", 1, {})])


def forged_block(player: Player) -> None:
    honest(player)
    player.chain.blocks[-3] = player.chain.blocks[-3].replace(b"ConfirmStep", b"ConfirmStap")


STORIES = (honest, forged_signature, wrong_verdict, revoked_key, reused_number, forged_block)


def seen(player: Player, helpers: Helpers, tables: Tables) -> dict[str, Any]:
    """Everything that a verifier says of the player's channels."""
    verifier = Verifier(player.genesis, Offices(), helpers, tables)
    verifier.follow("identity", player.identity.blocks)
    verifier.follow(CHANNEL, player.chain.blocks)
    return heard(verifier)


def heard(verifier: Verifier) -> dict[str, Any]:
    """Everything that a verifier says."""
    meeting = verifier.meeting(CHANNEL, MTG)
    assert meeting is not None
    return {
        "findings": [(type(one), str(one), one.ballot) for one in verifier.findings(CHANNEL)],
        "height": verifier.height(CHANNEL),
        "broken": verifier.broken(CHANNEL),
        "count": verifier.count(CHANNEL, MTG),
        "accepted": list(meeting.accepted.items()),
        "refused": list(meeting.refused.items()),
        "sessions": list(meeting.sessions.items()),
        "numbers": {door: sorted(numbers) for door, numbers in meeting.numbers.items()},
        "result": meeting.result,
    }


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_findings_are_the_same_with_helpers_and_without_on_disk_and_in_memory(
    fabric: Network, helpers: HelperProcesses, story: Any
) -> None:
    player = Player(fabric, revote="last").enrolled(sessions=2).opened()
    story(player)
    plain = seen(player, Alone(), InMemory())
    assert bool(plain["findings"]) == (story not in (honest, revoked_key))
    with closing(Store()) as store:
        assert seen(player, helpers, store) == plain


def test_what_helpers_verified_is_not_verified_again(fabric: Network, helpers: HelperProcesses) -> None:
    player = Player(fabric).enrolled().opened().submit([("an", 1, {}), ("bo", 2, {})])
    verifier = Verifier(player.genesis, Offices(), helpers)
    # What a block relies on is known ahead once the blocks that say it were replayed.
    verifier.follow("identity", player.identity.blocks[:3])
    verifier.follow("identity", player.identity.blocks[3:])
    assert verifier.known("identity") == len(player.scene.lenders)
    verifier.follow(CHANNEL, player.chain.blocks[:4])
    verifier.follow(CHANNEL, player.chain.blocks[4:])
    assert verifier.known(CHANNEL) == 2


def test_only_what_holds_is_known_and_only_for_its_own_values(fabric: Network) -> None:
    player = Player(fabric).enrolled()
    lender, other = player.scene.lenders["an"], player.scene.lenders["bo"]
    jws = player.ballot("an").jws
    certificate = lender.enrolment().as_json()["certificate"]
    good = Signed(certificate, jws.signature, jws.signing_input)
    foreign = Signed(other.enrolment().as_json()["certificate"], jws.signature, jws.signing_input)
    nonsense = Certified(lender.sub, "bm9uc2Vuc2U=", "bm9uc2Vuc2U=")
    assert that_hold([good, foreign, nonsense]) == [True, False, False]
    facts = Facts()
    facts.renew([good])
    facts.verify(good)
    assert facts.known == 1
    with pytest.raises(Refused):
        facts.verify(foreign)


def test_an_audit_goes_on_without_helpers_that_were_killed(fabric: Network) -> None:
    player = Player(fabric).enrolled().opened().submit([("an", 1, {}), ("bo", 2, {})])
    with HelperProcesses(1) as helpers:
        before = set(active_children())
        verifier = Verifier(player.genesis, Offices(), helpers)
        verifier.follow("identity", player.identity.blocks[:3])
        verifier.follow("identity", player.identity.blocks[3:])
        assert verifier.known("identity") > 0
        (helper,) = set(active_children()) - before
        helper.kill()
        helper.join()
        verifier.follow(CHANNEL, player.chain.blocks)
    assert verifier.findings(CHANNEL) == ()
    assert verifier.height(CHANNEL) == len(player.chain.blocks)
    assert verifier.known(CHANNEL) == 0


def test_a_block_of_many_batches_is_read_ahead_whole() -> None:
    ahead = ReadAhead[int]()
    names = [str(number).encode() for number in range(200)]
    for number, name in enumerate(names):
        ahead.put(name, number)
    assert [ahead.take(name) for name in names] == list(range(200))


def test_what_was_read_ahead_is_taken_once_kept_for_a_while_and_never_saved() -> None:
    ahead = ReadAhead[int]()
    names = [bytes([number]) * (MOST_BYTES // 10) for number in range(12)]
    for number, name in enumerate(names):
        ahead.put(name, number)
    saved: ReadAhead[int] = pickle.loads(pickle.dumps(ahead))  # noqa: S301  our own
    assert [saved.take(name) for name in names] == [None] * len(names)
    assert [ahead.take(name) for name in names] == [None, None, *range(2, 12)]
    assert ahead.take(names[-1]) is None
