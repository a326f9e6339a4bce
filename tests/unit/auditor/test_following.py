"""Following over blocks in memory and a real SQLite file: what is told, when, and how often."""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from auditor.ahead import Alone
from auditor.blocks import parse_block
from auditor.checkpoint import Checkpoints
from auditor.errors import AuditUnavailable
from auditor.following.announcement import Announcement
from auditor.following.background import Pass
from auditor.following.comparison import Comparison, Seen
from auditor.following.follow import Following, Rhythm
from auditor.following.heads import Heads
from auditor.following.metrics import Metrics
from auditor.following.passing import PassOrder
from auditor.log.head import HeadSigner, TreeHead
from auditor.log.tree import EMPTY_ROOT
from auditor.members import Organisation
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.store import Store
from tests.unit.auditor.lenders import verdicts
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.unit.auditor.platform_side import change
from tests.unit.auditor.test_run import Peer, save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.unit.auditor.builder import Network

QUICK = Rhythm(look=0.01, checkpoint=0.0, full=0.05)


class Teller:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def tell(self, document: dict[str, Any]) -> None:
        self.told.append(document)

    @property
    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.told]


class Steered(Peer):
    """A peer whose chain changes between two looks; counts the blocks that were read of it.

    Each step is tried at every look until it says that it is done; after the last one following stops.
    """

    def __init__(self, player: Player, stop: threading.Event, steps: Sequence[Callable[[], object]]) -> None:
        super().__init__(player)
        self.read = 0
        self._stop = stop
        self._steps = list(steps)

    def height(self, channel: str) -> int:
        if channel == CHANNEL:
            if not self._steps:
                self._stop.set()
            elif self._steps[0]() is not False:
                del self._steps[0]
        return super().height(channel)

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        for raw in super().blocks(channel, start, stop):
            self.read += 1
            yield raw


class Follower:
    """A follower of a player's channels whose state is one file, so that it can be started again."""

    def __init__(self, player: Player, folder: Path) -> None:
        self.player = player
        self.path = folder / "following.db"
        self.teller = Teller()
        self.metrics = Metrics()
        self.found: queue.SimpleQueue[Announcement] = queue.SimpleQueue()
        self.read = 0

    def run(self, *steps: Callable[[], object], **parts: Any) -> Follower:
        stop = threading.Event()
        source = Steered(self.player, stop, steps)
        with closing(Store(self.path)) as store:
            following = Following(
                parts.pop("source", source),
                Checkpoints(store, Roots(self.player.genesis, Offices())),
                self.metrics,
                sinks=(self.teller,),
                rhythm=QUICK,
                found=self.found,
                **parts,
            )
            following.run(stop, Alone())
        self.read = source.read
        return self

    def order(self, database: Path) -> PassOrder:
        return PassOrder(self.path, self.player.genesis, f"sqlite:///{database}", 10**9)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"concordat_audit_{name}", labels)


@pytest.fixture
def player(fabric: Network) -> Player:
    return Player(fabric).enrolled().opened().submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])


def blocks(player: Player) -> int:
    return len(player.identity.blocks) + len(player.chain.blocks)


def test_blocks_are_verified_as_they_come_and_never_read_again(player: Player, tmp_path: Path) -> None:
    follower = Follower(player, tmp_path)
    follower.run(lambda: player.submit([("chen", 3, {})]), lambda: player.submit([("ding", 4, {})]))
    assert follower.teller.told == []
    assert follower.read == blocks(player)
    assert follower.value("height", channel=CHANNEL) == len(player.chain.blocks)
    before = blocks(player)
    follower.run(player.closed)
    assert follower.teller.told == []
    assert follower.read == blocks(player) - before > 0


def test_a_bad_block_is_told_before_anything_after_it(player: Player, tmp_path: Path) -> None:
    follower = Follower(player, tmp_path)

    def tamper() -> None:
        player.submit([("chen", 3, {})])
        player.chain.blocks[-1] = player.chain.blocks[-1].replace(b"SubmitBallots", b"SubmitBallotz")

    heard: list[int] = []
    follower.run(lambda: None, tamper, lambda: heard.append(len(follower.teller.told)))
    assert heard == [1]  # at the very next look
    (told,) = follower.teller.told
    assert (told["kind"], told["channel"]) == ("unverified", CHANNEL)
    assert "step 3" in told["text"]
    assert follower.value("broken", channel=CHANNEL) == 1
    assert follower.value("alarms_total", kind="unverified", channel=CHANNEL) == 1
    follower.run(lambda: None)
    assert len(follower.teller.told) == 1  # once, also after a restart


def test_a_false_verdict_is_told_and_following_goes_on(player: Player, tmp_path: Path) -> None:
    refused = verdicts(0, refused=[[0, "KEY_FOREIGN", 1]])
    follower = Follower(player, tmp_path).run(
        lambda: player.submit([("chen", 3, {})], response=refused), lambda: player.submit([("ding", 4, {})])
    )
    assert set(follower.teller.kinds) == {"unverified"}
    assert player.ballot("chen").digest in {one["ballot"] for one in follower.teller.told}
    assert follower.value("height", channel=CHANNEL) == len(player.chain.blocks)


def test_another_chaincode_is_told(player: Player, tmp_path: Path) -> None:
    other = player.chain.invoke(player.relay, "stranger", [b"f"], endorsers=["InstitutionAMSP"])
    follower = Follower(player, tmp_path).run(lambda: player.chain.add(other))
    assert [(one["kind"], one["text"]) for one in follower.teller.told] == [
        ("foreign-transaction", "stranger")
    ]


def test_a_row_altered_in_silence_is_told_by_the_next_pass_once_while_it_lasts(
    player: Player, tmp_path: Path
) -> None:
    database = save(player, tmp_path / "platform.db")
    follower = Follower(player, tmp_path)
    after: list[float] = []

    def passes() -> float:
        return sum(
            follower.value("passes_total", verdict=one) or 0
            for one in ("consistent", "inconsistent", "failed")
        )

    def alter(value: str) -> Callable[[], object]:
        def step() -> None:
            assert bool(follower.teller.told) == bool(after)
            after.append(passes())
            change(database, f"UPDATE ballots SET choices = '{value}' WHERE ack_no = 1")  # noqa: S608

        return step

    def passed_twice() -> bool:
        return passes() >= after[-1] + 2

    genuine = '{"m1":"approve","m2":"approve"}'
    follower.run(
        lambda: passes() >= 1,
        alter('{"m1":"reject","m2":"approve"}'),
        passed_twice,
        alter(genuine),
        passed_twice,
        order=follower.order(database),
    )
    (told,) = follower.teller.told
    assert (told["kind"], told["ballot"]) == ("discrepancy", player.ballot("an").digest)
    assert "altered choices" in told["text"]
    assert (follower.value("passes_total", verdict="consistent") or 0) >= 2
    assert follower.value("pending", meeting=MTG) == 0


def test_a_pass_begins_when_it_is_due_and_never_beside_another(player: Player, tmp_path: Path) -> None:
    database = save(player, tmp_path / "platform.db")
    follower = Follower(player, tmp_path).run(lambda: None)  # leaves a checkpoint
    passing = Pass(follower.order(database))

    def running() -> bool:
        return passing.running

    def heard() -> dict[str, Any]:
        while (answer := passing.answer()) is None:
            assert running()
        assert isinstance(answer, dict)
        return answer

    passing.begin(3600)
    assert running()
    passing.begin(0)  # due, but the first one still runs
    assert heard()["discrepancies"] == []
    assert not running()
    passing.begin(3600)
    assert not running()
    change(database, "UPDATE ballots SET ses = 'another' WHERE ack_no = 1")
    passing.begin(0)
    assert [one["field"] for one in heard()["discrepancies"]] == ["ses"]
    passing.end()


def test_a_platform_without_database_is_told_and_blocks_are_followed(player: Player, tmp_path: Path) -> None:
    follower = Follower(player, tmp_path)
    follower.run(
        lambda: bool(follower.teller.told),
        lambda: player.submit([("chen", 3, {})]),
        order=follower.order(tmp_path / "nothing.db"),
    )
    assert follower.teller.kinds == ["reconciliation"]
    assert "there is no platform database" in follower.teller.told[0]["text"]
    assert follower.value("height", channel=CHANNEL) == len(player.chain.blocks)


def test_an_own_peer_that_falls_silent_is_told_once_and_asked_again(player: Player, tmp_path: Path) -> None:
    silent = [False]

    def unless_silent() -> None:
        if silent[0]:
            raise AuditUnavailable("the auditor's own peer does not serve")

    def fail() -> None:
        silent[0] = True
        unless_silent()

    def again() -> None:
        silent[0] = False
        player.submit([("chen", 3, {})])

    follower = Follower(player, tmp_path)
    failing = [fail] * 3
    steps = iter(failing)

    def three_times() -> bool:
        step = next(steps, None)
        if step is None:
            return True
        step()
        return False

    follower.run(lambda: None, three_times, again)
    assert follower.teller.kinds == ["peer"]
    assert follower.value("height", channel=CHANNEL) == len(player.chain.blocks)


# -- forks ------------------------------------------------------------------------------------------------


def compared(player: Player, other: Peer) -> list[Announcement]:
    found: queue.SimpleQueue[Announcement] = queue.SimpleQueue()
    comparison = Comparison("the peer of ArbitrationMSP", other, found)
    for name, chain in (("identity", player.identity), (CHANNEL, player.chain)):
        for raw in chain.blocks:
            comparison.note(name, Seen.of(parse_block(raw)))
    comparison.look()
    assert comparison.compared == sum(other.height(name) for name in ("identity", CHANNEL))
    return [found.get() for _ in range(found.qsize())]


class Other(Peer):
    """Another peer of the same channels, with a few blocks of its own."""

    def __init__(self, player: Player, blocks: Sequence[bytes]) -> None:
        super().__init__(player)
        self.own = blocks

    def height(self, channel: str) -> int:
        return len(self.own) if channel == CHANNEL else super().height(channel)

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        yield from self.own[start:stop] if channel == CHANNEL else super().blocks(channel, start, stop)


def test_a_peer_of_the_same_chain_differs_in_nothing(player: Player) -> None:
    assert compared(player, Other(player, player.chain.blocks)) == []
    assert compared(player, Other(player, player.chain.blocks[:-1])) == []  # it is behind


def test_another_hash_at_one_height_is_a_fork(player: Player) -> None:
    own = list(player.chain.blocks)
    last = player.chain.blocks.pop()
    player.submit([("chen", 3, {})])
    forked = list(player.chain.blocks)
    assert len(forked) == len(own)
    player.chain.blocks[-1] = last
    (told,) = compared(player, Other(player, forked))
    number = len(own) - 1
    assert (told.kind, told.where) == ("fork", f"{CHANNEL} block {number}")
    hashes = [parse_block(one).header.hash().hex() for one in (own[-1], forked[-1])]
    assert all(one in told.text for one in hashes)


def test_other_validation_codes_are_told(player: Player) -> None:
    raw = player.chain.blocks[-1]
    code = parse_block(raw).codes
    assert code == b"\x00"
    other = raw.replace(b"\x12\x01\x00\x12\x00", b"\x12\x01\x0b\x12\x00")
    changed = raw.rpartition(b"\x0a\x01\x00")
    other = other if other != raw else changed[0] + b"\x0a\x01\x0b" + changed[2]
    (told,) = compared(player, Other(player, [*player.chain.blocks[:-1], other]))
    assert (told.kind, told.where) == ("codes", f"{CHANNEL} block {len(player.chain.blocks) - 1}")
    assert "0 and 11" in told.text


def test_what_a_comparison_finds_is_told_by_the_follower(player: Player, tmp_path: Path) -> None:
    follower = Follower(player, tmp_path)
    fork = Announcement("fork", CHANNEL, f"{CHANNEL} block 3", "two hashes")
    follower.run(lambda: follower.found.put(fork), lambda: follower.found.put(fork), lambda: None)
    assert follower.teller.kinds == ["fork"]


def head(player: Player, block: int, block_hash: str) -> bytes:
    person = player.identity.network.person("RegulatorMSP", "auditor")
    root = player.identity.network.orgs["RegulatorMSP"].root
    signer = HeadSigner(person.key, (_der(person.certificate), _der(root)))
    content = TreeHead(
        MTG, player.scene.meeting.mh, CHANNEL, 0, EMPTY_ROOT, block, block_hash, "2026-03-03T09:00:00Z"
    )
    return signer.sign(content).encode()


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    data: bytes = certificate.public_bytes(Encoding.DER)
    return data


def test_a_signed_head_over_another_block_is_a_fork(player: Player, tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    folder.mkdir()
    own = player.chain.header(4).hash().hex()
    (folder / "good.json").write_bytes(head(player, 4, own))
    (folder / "forked.json").write_bytes(head(player, 4, "ab" * 32))
    (folder / "ahead.json").write_bytes(head(player, 99, "ab" * 32))
    (folder / "broken.json").write_text("{}")
    regulator = Organisation("RegulatorMSP", (player.identity.network.orgs["RegulatorMSP"].root,))
    follower = Follower(player, tmp_path)
    follower.run(lambda: None, lambda: None, heads=Heads(folder, regulator))
    told = {one["kind"]: one for one in follower.teller.told}
    assert sorted(follower.teller.kinds) == ["fork", "peer"]
    assert told["peer"]["where"] == "broken.json"
    assert told["fork"]["where"] == f"{CHANNEL} block 4"
    assert own in told["fork"]["text"]
    assert "forked.json" in told["fork"]["text"]
