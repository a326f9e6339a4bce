"""Another peer that evades the comparison: told of whatever it does, and never for being a little slow."""

from __future__ import annotations

import queue
import threading
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from auditor.blocks import parse_block
from auditor.errors import AuditUnavailable
from auditor.following.comparison import Comparison, Seen
from tests.unit.auditor.meeting_player import CHANNEL, Player
from tests.unit.auditor.test_run import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.following.announcement import Announcement
    from tests.unit.auditor.builder import Network


class Steered(Peer):
    """A peer that says a height of its own, and may shift, end early, leave out or fail."""

    tall: int | None = None
    fault = ""

    def height(self, channel: str) -> int:
        if self.fault == "fails":
            raise RuntimeError("nobody expected this")
        if self.fault == "silent" and channel == "identity":
            raise AuditUnavailable("it does not serve")
        return super().height(channel) if self.tall is None else self.tall

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        for place, raw in enumerate(super().blocks(channel, start, stop)):
            if self.fault == "shifted":
                block = pb.common.Block.FromString(raw)
                block.header.number += 1000
                block.header.data_hash = b"\0" * 32
                yield block.SerializeToString()
            elif self.fault == "empty" or (self.fault == "short" and place == 2):
                return
            elif self.fault != "gap" or place != 2:
                yield raw


class Compared:
    """A comparison with a peer that may do anything, at times of its own."""

    def __init__(self, player: Player, window: int = 100) -> None:
        self.player = player
        self.peer = Steered(player)
        self.now = 0.0
        self.found: queue.SimpleQueue[Announcement] = queue.SimpleQueue()
        self.comparison = Comparison(
            "other", self.peer, self.found, interval=0.001, patience=60, window=window, clock=lambda: self.now
        )

    def note(self, channel: str = CHANNEL, most: int | None = None) -> Compared:
        chain = self.player.chain if channel == CHANNEL else self.player.identity
        for raw in islice(chain.blocks, most):
            self.comparison.note(channel, Seen.of(parse_block(raw)))
        return self

    def look(self, now: float = 0.0) -> list[tuple[str, str]]:
        self.now = now
        self.comparison.look()
        self.comparison.watch()
        return self.told()

    def told(self) -> list[tuple[str, str]]:
        heard = [self.found.get() for _ in range(self.found.qsize())]
        return [(one.kind, one.text) for one in heard]


@pytest.fixture
def other(fabric: Network) -> Compared:
    return Compared(Player(fabric).enrolled().opened().submit([("an", 1, {})])).note()


@pytest.mark.parametrize(
    ("fault", "says", "before"),
    [
        ("shifted", "gives block 1000 where block 0 was asked for", 0),
        ("empty", "has block 0 by its height and does not give it", 0),
        ("short", "has block 2 by its height and does not give it", 2),
        ("gap", "gives block 3 where block 2 was asked for", 2),
    ],
)
def test_other_blocks_than_those_asked_for_are_told_once_and_compared_later(
    other: Compared, fault: str, says: str, before: int
) -> None:
    other.peer.fault = fault
    assert other.look() == [("peer", f"other {says}")]
    assert other.comparison.compared == before
    if before == 0:
        assert other.look() == []  # once while it lasts
    other.peer.fault = ""
    assert other.look() == []
    assert other.comparison.compared == len(other.player.chain.blocks)  # nothing was let go
    other.peer.fault = fault
    assert other.note().look() == [("peer", f"other {says}")]  # and again when it comes back


def test_a_peer_that_stays_behind_is_told_twice_and_when_it_caught_up(other: Compared) -> None:
    other.peer.tall = 1
    assert other.look(59) == []
    ((kind, text),) = other.look(60)
    assert (kind, text) == (
        "peer",
        "other is behind: block 1, which the own peer had 60 s ago, is not compared yet",
    )
    assert other.look(599) == []
    ((_, text),) = other.look(600)
    assert text.startswith("other is still behind: block 1")
    assert other.look(10_000) == []
    other.peer.tall = None
    assert other.look(10_001) == [("peer", "other has caught up again")]
    assert other.look(20_000) == []
    assert other.comparison.compared == len(other.player.chain.blocks)


def test_a_peer_that_never_answers_is_told_by_the_thread_that_notes(other: Compared) -> None:
    asked, leave = threading.Event(), threading.Event()

    def hang(channel: str) -> int:
        asked.set()
        leave.wait(60)
        return 0

    other.peer.height = hang  # type: ignore[method-assign]
    with other.comparison:
        assert asked.wait(60)
        other.now = 60
        other.comparison.watch()
        assert [kind for kind, _ in other.told()] == ["peer"]
        leave.set()


def test_an_honest_peer_that_is_slow_is_no_alarm(fabric: Network) -> None:
    slow = Compared(Player(fabric).enrolled().opened().submit([("an", 1, {})]))
    for number, raw in enumerate(slow.player.chain.blocks):
        slow.now = number * 30.0
        slow.comparison.note(CHANNEL, Seen.of(parse_block(raw)))
        slow.peer.tall = number  # one block behind, 30 s long, all the time
        assert slow.look(slow.now) == []
    slow.peer.tall = None
    assert slow.look(slow.now + 59) == []
    assert slow.comparison.compared == len(slow.player.chain.blocks)


def test_blocks_that_are_no_longer_kept_are_told(fabric: Network) -> None:
    few = Compared(Player(fabric).enrolled().opened(), window=2)
    few.peer.tall = 0
    few.note()
    assert few.look() == [
        ("peer", "other is so far behind that blocks are no longer kept to compare with it")
    ]
    few.peer.tall = None
    assert few.look() == []
    assert few.comparison.compared == 2


def test_a_channel_that_fails_keeps_no_other_from_being_compared(other: Compared) -> None:
    both = Compared(other.player).note("identity").note()
    both.peer.fault = "silent"
    with pytest.raises(AuditUnavailable):
        both.comparison.look()
    assert both.comparison.compared == len(other.player.chain.blocks)


def test_a_block_that_is_read_a_second_time_is_compared_once(other: Compared) -> None:
    other.note(most=3)
    assert other.look() == []
    assert other.comparison.compared == 3


def test_no_error_ends_the_comparing_unheard(other: Compared) -> None:
    other.peer.fault = "fails"
    with other.comparison:
        one = other.found.get(timeout=60)
        assert "RuntimeError: nobody expected this" in one.text
        other.peer.fault = ""
        caught = threading.Event()
        while other.comparison.compared < len(other.player.chain.blocks):
            assert not caught.wait(0.001)
    assert other.told() == []
