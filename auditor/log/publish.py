"""Continuing a meeting's log by what the verifier accepted, and signing how far it went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import IntegrityError

from auditor.log.errors import LogRefused
from auditor.log.head import TreeHead, verify_head
from auditor.log.leaf import leaves_of
from auditor.log.proofs import verify_consistency
from auditor.log.service_db import LogBook
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.log.head import HeadSigner, SignedHead, VerifiedHead
    from auditor.log.leaf import LogLeaf
    from auditor.log.service_db import ServiceDatabase
    from auditor.log.tree import LogTree
    from auditor.members import Organisation
    from auditor.view import ChainMeeting

BATCH: Final = 4096
"""Leaves that become durable together."""


@dataclass(frozen=True, slots=True)
class LastBlock:
    """The last block that was verified: its number, and its header's hash in hex."""

    number: int
    hash: str


def extend_log(
    database: ServiceDatabase, mtg: str, leaves: Iterable[LogLeaf], *, through: int, start: int = 0
) -> int:
    """Continue a log by the verifier's leaves, of which `start` is the first one's index; return how many
    leaves there are up to block `through`, the last that the verifier saw.

    Leaves that the log has already are compared, every byte of them; the rest is appended, BATCH at a
    time, so that what was interrupted goes on where it stopped. Refuse with LOG_CHAIN where log and
    chain disagree: at an index, or because the log has more of these blocks than the chain. Leaves of
    later blocks are another run's, which is further.
    """  # noqa: D205  one sentence
    source, index = iter(leaves), start
    while batch := list(islice(source, BATCH)):
        with database.write() as connection:
            book = LogBook(connection, mtg)
            book.lock()
            _continue(book, batch, index)
        index += len(batch)
    with database.read() as connection:
        for extra in LogBook(connection, mtg).leaves(index, index + 1):
            if extra.leaf.block <= through:
                said = f"the log has a ballot in block {extra.leaf.block} that the chain has not"
                raise LogRefused("LOG_CHAIN", said, expected="no leaf", found=extra.leaf.encode().decode())
    return index


def _continue(book: LogBook, batch: list[LogLeaf], index: int) -> None:
    size = book.size()
    if index > size:
        raise LogRefused("LOG_CHAIN", "leaves are left out", expected=size, found=index)
    known = min(size - index, len(batch))
    for (number, stored), leaf in zip(book.encoded_leaves(index, index + known), batch, strict=False):
        data = leaf.encode()
        if stored != data:
            raise LogRefused("LOG_CHAIN", f"leaf {number}", expected=stored.decode(), found=data.decode())
    try:
        book.append(batch[known:])
    except IntegrityError as error:  # the lock leaves no other reason than a digest that is there already
        raise LogRefused(
            "LOG_CHAIN", f"leaf {size} or one soon after it has a ballot that was logged before"
        ) from error


def sign_head(
    database: ServiceDatabase, head: TreeHead, signer: HeadSigner, regulator: Organisation
) -> SignedHead:
    """Sign a head over the log as it is stored, and keep it as the newest.

    Where the newest says the same of the same block, it is returned again. Refuse, keeping nothing,
    with HEAD_MEETING, HEAD_OLDER or HEAD_FORK a head that doesn't continue the newest; with LOG_ROOT
    one that isn't the stored tree's; with a head's own codes a signer whom nobody would believe, and
    a newest head that isn't genuine.
    """
    with database.write() as connection:
        book = LogBook(connection, head.mtg)
        book.lock()
        tree = book.tree()
        root = tree.root(head.size)
        if root != head.root:
            raise LogRefused("LOG_ROOT", f"{head.size} leaves", expected=root.hex(), found=head.root.hex())
        last = book.last_head()
        if last is not None:
            _verify_continues(verify_head(last, regulator), head, tree)
            if last.head.block == head.block:
                return last
        signed = signer.sign(head)
        verify_head(signed, regulator)
        book.keep_head(signed)
        return signed


def _verify_continues(last: VerifiedHead, head: TreeHead, tree: LogTree) -> None:
    old = last.head
    head.verify_meeting(mtg=old.mtg, mh=old.mh, channel=old.channel)
    steps = [("block", old.block, head.block), ("size", old.size, head.size)]
    if old.block != head.block:  # over the same block nothing new is signed, so the clock doesn't matter
        steps.append(("time", times.parse(old.time), times.parse(head.time)))
    for name, before, now in steps:
        if now < before:
            raise LogRefused("HEAD_OLDER", name, expected=f"at least {before}", found=now)
    if old.block == head.block:
        for name, was, found in (
            ("block_hash", old.block_hash, head.block_hash),
            ("size", old.size, head.size),
        ):
            if was != found:
                raise LogRefused("HEAD_FORK", f"{name} at block {old.block}", expected=was, found=found)
    try:
        verify_consistency(
            first=old.size,
            second=head.size,
            first_root=old.root,
            second_root=head.root,
            path=tree.consistency(old.size, head.size),
        )
    except LogRefused as refused:
        raise LogRefused(
            "HEAD_FORK", f"{old.size} to {head.size} leaves", expected=refused.expected, found=refused.found
        ) from refused


def publish(
    database: ServiceDatabase,
    meeting: ChainMeeting,
    last: LastBlock,
    signer: HeadSigner,
    regulator: Organisation,
    *,
    now: str,
) -> SignedHead:
    """Log every ballot that a verified chain holds of a meeting, and sign the head over it.

    `last` is the channel's last verified block, `now` the head's time. Refuses as `extend_log` and
    `sign_head` do.
    """
    size = extend_log(database, meeting.mtg, _accepted(meeting), through=last.number)
    with database.read() as connection:
        root = LogBook(connection, meeting.mtg).tree().root(size)
    head = TreeHead(
        mtg=meeting.mtg,
        mh=meeting.mh,
        channel=meeting.channel,
        size=size,
        root=root,
        block=last.number,
        block_hash=last.hash,
        time=now,
    )
    return sign_head(database, head, signer, regulator)


def _accepted(meeting: ChainMeeting) -> Iterator[LogLeaf]:
    return leaves_of(meeting.mtg, meeting.accepted.values())
