"""Logging what the verifier accepted, and signing heads that continue one another."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, update

from auditor.checkpoint import Checkpoints
from auditor.errors import AuditUnavailable
from auditor.log.current import publish_current
from auditor.log.errors import LogRefused
from auditor.log.head import TreeHead, verify_head
from auditor.log.leaf import LogLeaf, leaves_of
from auditor.log.publish import BATCH, extend_log, sign_head
from auditor.log.service_db import LogBook, ServiceDatabase
from auditor.log.service_db.tables import HEADS, LEAVES, NODES
from auditor.log.tree import EMPTY_ROOT, LogTree, MemoryNodes
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.store import Store
from tests.unit.auditor.log.stage import LATER, NOW, LogStage
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.portal.peer import Peer as CountingPeer
from tests.unit.auditor.test_run import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.auditor.builder import Network

TX = "ab" * 32
THROUGH = 10**6


def leaf(number: int) -> LogLeaf:
    digest = f"{number:042d}A"  # 43 characters whose trailing bits are zero
    return LogLeaf(MTG, digest, f"{number // 3:064x}", 10 + number // 6, number % 3)


def size_of(database: ServiceDatabase) -> int:
    with database.read() as connection:
        return LogBook(connection, MTG).size()


def root_of(database: ServiceDatabase, size: int | None = None) -> bytes:
    with database.read() as connection:
        return LogBook(connection, MTG).tree().root(size)


def leaves_in(database: ServiceDatabase) -> list[LogLeaf]:
    with database.read() as connection:
        return [one.leaf for one in LogBook(connection, MTG).leaves()]


def heads_in(database: ServiceDatabase) -> list[str]:
    with database.read() as connection:
        return [one.compact for one in LogBook(connection, MTG).heads()]


def code_of(ask: object) -> str:
    with pytest.raises(LogRefused) as caught:
        ask()  # type: ignore[operator]
    return caught.value.code


def test_a_meeting_is_logged_in_the_chains_order(stage: LogStage) -> None:
    signed = stage.publish()
    accepted = list(stage.meeting().accepted.values())
    with stage.database.read() as connection:
        stored = list(LogBook(connection, MTG).leaves())
    assert [one.leaf.digest for one in stored] == [one.digest for one in accepted]
    assert [(one.index, one.leaf.pos) for one in stored[:2]] == [(0, 0), (1, 1)]
    head = verify_head(signed, stage.regulator).head
    tree = LogTree(MemoryNodes())
    tree.extend(one.hash() for one in leaves_of(MTG, accepted))
    assert (head.size, head.root) == (len(accepted), tree.root())
    assert (head.mtg, head.mh, head.channel) == (MTG, stage.player.scene.meeting.mh, CHANNEL)
    assert (head.block, head.block_hash) == (stage.last().number, stage.last().hash)


def test_a_meeting_without_ballots_has_a_head(fabric: Network, database: ServiceDatabase) -> None:
    stage = LogStage(fabric, database)
    head = stage.publish(accepted={}).head
    assert (head.size, head.root) == (0, EMPTY_ROOT)


def test_a_ballot_that_is_replaced_stays(fabric: Network, database: ServiceDatabase) -> None:
    stage = LogStage(fabric, database, revote="last")
    stage.player.submit([("an", 3, {"seq": 2, "m1": "reject"})])
    assert stage.publish().head.size == 3
    with database.read() as connection:
        book = LogBook(connection, MTG)
        for seq, votes in ((1, {}), (2, {"m1": "reject"})):
            assert book.find(stage.player.ballot("an", seq=seq, **votes).digest) is not None


def test_a_longer_chain_continues_the_log(stage: LogStage) -> None:
    first = stage.publish()
    stage.player.submit([("chen", 3, {})])
    second = stage.publish(LATER)
    assert (first.head.size, second.head.size) == (2, 3)
    assert heads_in(stage.database) == [first.compact, second.compact]


def test_the_same_chain_gives_the_same_head_again(stage: LogStage) -> None:
    first = stage.publish().compact
    assert [stage.publish(now).compact for now in (LATER, "2026-03-09T00:00:00Z")] == [first, first]


def test_what_was_interrupted_goes_on_where_it_stopped(database: ServiceDatabase) -> None:
    count = 2 * BATCH + 10
    leaves = [leaf(number) for number in range(count)]

    def broken() -> Iterator[LogLeaf]:
        yield from leaves[: BATCH + 5]
        raise ConnectionError("the peer is gone")

    with pytest.raises(ConnectionError):
        extend_log(database, MTG, broken(), through=THROUGH)
    assert size_of(database) == BATCH
    assert extend_log(database, MTG, leaves[BATCH - 3 :], through=THROUGH, start=BATCH - 3) == count
    assert extend_log(database, MTG, [], through=THROUGH, start=count) == count
    tree = LogTree(MemoryNodes())
    tree.extend(one.hash() for one in leaves)
    assert root_of(database) == tree.root()
    assert leaves_in(database) == leaves


@pytest.mark.parametrize("start", [0, 3])
def test_a_chain_that_differs_from_the_log_does_not_continue_it(
    database: ServiceDatabase, start: int
) -> None:
    leaves = [leaf(number) for number in range(9)]
    extend_log(database, MTG, leaves[:6], through=THROUGH)
    changed = [*leaves[start:5], replace(leaves[5], tx=TX), *leaves[6:]]
    with pytest.raises(LogRefused) as caught:
        extend_log(database, MTG, changed, through=THROUGH, start=start)
    assert caught.value.code == "LOG_CHAIN"
    assert leaves[5].tx in str(caught.value.expected)
    assert TX in str(caught.value.found)
    assert size_of(database) == 6


def test_a_chain_that_lost_ballots_left_some_out_or_repeats_one(database: ServiceDatabase) -> None:
    leaves = [leaf(number) for number in range(6)]
    extend_log(database, MTG, leaves, through=THROUGH)
    assert code_of(lambda: extend_log(database, MTG, leaves[:5], through=THROUGH)) == "LOG_CHAIN"
    assert code_of(lambda: extend_log(database, MTG, [leaf(7)], through=THROUGH, start=7)) == "LOG_CHAIN"
    again = [replace(leaves[2], block=99)]
    assert code_of(lambda: extend_log(database, MTG, again, through=THROUGH, start=6)) == "LOG_CHAIN"
    assert size_of(database) == 6


def test_a_log_that_is_further_is_no_contradiction(database: ServiceDatabase) -> None:
    """Another run saw more blocks: this one logs nothing, and knows how many leaves its own blocks have."""
    leaves = [leaf(number) for number in range(13)]
    extend_log(database, MTG, leaves, through=12)
    assert extend_log(database, MTG, leaves[:6], through=10) == 6
    assert extend_log(database, MTG, leaves[:12], through=11) == 12
    assert code_of(lambda: extend_log(database, MTG, leaves[:11], through=11)) == "LOG_CHAIN"
    assert size_of(database) == 13


def test_ballots_out_of_the_chains_order(stage: LogStage) -> None:
    one, other = stage.meeting().accepted.values()
    backwards = {"a": replace(one, block=9), "b": replace(other, block=8)}
    assert code_of(lambda: stage.publish(accepted=backwards)) == "LOG_ORDER"


def refused(stage: LogStage, head: TreeHead) -> str:
    before = len(heads_in(stage.database))
    code = code_of(lambda: sign_head(stage.database, head, stage.signer, stage.regulator))
    assert len(heads_in(stage.database)) == before
    return code


def test_an_older_head_is_not_signed(stage: LogStage) -> None:
    head = stage.publish(LATER).head
    root = root_of(stage.database, 1)
    assert refused(stage, stage.next_head(head, block=head.block - 1)) == "HEAD_OLDER"
    assert refused(stage, stage.next_head(head, size=1, root=root)) == "HEAD_OLDER"
    assert refused(stage, stage.next_head(head, time=NOW)) == "HEAD_OLDER"


def test_a_fork_is_not_signed(stage: LogStage) -> None:
    head = stage.publish().head
    assert refused(stage, replace(head, block_hash="cd" * 32)) == "HEAD_FORK"
    stage.player.submit([("chen", 3, {})])
    longer = stage.publish(LATER).head
    # A ballot more, yet the very block of the last head.
    extend_log(stage.database, MTG, [leaf(0)], through=THROUGH, start=3)
    root = root_of(stage.database)
    assert refused(stage, replace(longer, size=4, root=root)) == "HEAD_FORK"


def test_a_log_rewritten_under_its_head_is_not_signed(stage: LogStage) -> None:
    """Somebody replaces a leaf and every node, consistently: the last head still knows."""
    head = stage.publish().head
    with stage.database.write() as connection:
        for table in (LEAVES, NODES):
            connection.execute(delete(table))
        LogBook(connection, MTG).append([leaf(0), leaf(1)])
        root = LogBook(connection, MTG).tree().root()
    with pytest.raises(LogRefused) as caught:
        sign_head(stage.database, stage.next_head(head, root=root), stage.signer, stage.regulator)
    assert caught.value.code == "HEAD_FORK"
    assert caught.value.expected != caught.value.found


def test_a_changed_node_is_not_signed_over(stage: LogStage) -> None:
    head = stage.publish().head
    with stage.database.write() as connection:
        connection.execute(update(NODES).where(NODES.c.level == 1).values(hash=bytes(32)))
    assert refused(stage, stage.next_head(head)) == "LOG_ROOT"
    assert refused(stage, stage.next_head(head, root=bytes(32))) == "HEAD_FORK"


def test_a_node_that_is_gone_is_one_sentence(stage: LogStage) -> None:
    stage.publish()
    with stage.database.write() as connection:
        connection.execute(delete(NODES).where(NODES.c.level == 1))
    with pytest.raises(AuditUnavailable, match="damaged"):
        root_of(stage.database)


def test_a_head_of_another_record_is_not_signed(stage: LogStage) -> None:
    head = stage.publish().head
    assert refused(stage, stage.next_head(head, mh="A" * 43)) == "HEAD_MEETING"
    assert refused(stage, stage.next_head(head, channel="arbitration-institutionb")) == "HEAD_MEETING"


def test_nobody_else_signs_and_no_other_head_is_continued(stage: LogStage) -> None:
    head = stage.publish().head
    successor = stage.next_head(head)
    for signer, code in (
        (stage.signer_of("AssociationMSP", "auditor"), "HEAD_SIGNER"),
        (stage.signer_of("RegulatorMSP", "officer"), "HEAD_ROLE"),
    ):
        assert code_of(lambda: sign_head(stage.database, successor, signer, stage.regulator)) == code  # noqa: B023
    forged = stage.signer_of("AssociationMSP", "auditor").sign(successor)
    with stage.database.write() as connection:
        row = {"mtg": MTG, "number": 2, "size": 2, "block": successor.block, "document": forged.encode()}
        connection.execute(insert(HEADS), [row])
    assert refused(stage, stage.next_head(successor)) == "HEAD_SIGNER"


def test_from_the_own_peers_blocks_to_a_head(stage: LogStage) -> None:
    def current(mtg: str = MTG) -> TreeHead:
        roots = Roots(stage.player.genesis, Offices())
        peer = Peer(stage.player)
        return publish_current(peer, roots, mtg, stage.database, stage.signer, stage.regulator, now=NOW).head

    assert current() == stage.publish().head
    with pytest.raises(AuditUnavailable, match="no-such-meeting"):
        current("no-such-meeting")
    stage.player.chain.blocks[-1] = stage.player.chain.blocks[-1].replace(b"SubmitBallots", b"SubmitBallotz")
    assert code_of(current) == "LOG_UNVERIFIED"


def test_signing_again_reads_only_what_is_new(stage: LogStage, tmp_path: Path) -> None:
    roots, peer = Roots(stage.player.genesis, Offices()), CountingPeer(stage.player)

    def current() -> TreeHead:
        with closing(Store(tmp_path / "signing.db")) as store:
            kept = Checkpoints(store, roots)
            parts = (MTG, stage.database, stage.signer, stage.regulator)
            return publish_current(peer, roots, *parts, now=NOW, checkpoints=kept).head

    first = current()
    assert first == stage.publish().head
    read = len(peer.served)
    assert current() == first
    assert len(peer.served) == read
    stage.player.submit([("chen", 3, {})])
    second = current()
    assert (second.size, len(peer.served)) == (first.size + 1, read + 1)
    assert second == stage.publish().head
    # What failed once stays failed, also for who comes later.
    stage.player.submit([("bo", 4, {"seq": 2})], response=b"{}")
    for _ in range(2):
        assert code_of(current) == "LOG_UNVERIFIED"


def test_no_head_over_a_wrong_transaction(stage: LogStage) -> None:
    stage.player.submit([("chen", 3, {})], response=b"{}")
    roots = Roots(stage.player.genesis, Offices())

    def current() -> None:
        peer = Peer(stage.player)
        publish_current(peer, roots, MTG, stage.database, stage.signer, stage.regulator, now=NOW)

    assert code_of(current) == "LOG_UNVERIFIED"
    assert heads_in(stage.database) == []
