"""From the own peer's blocks to a signed head: the chain is verified first, whatever anybody says of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from auditor.ahead import Alone
from auditor.checkpoint import Checkpoints
from auditor.errors import AuditUnavailable
from auditor.log.errors import LogRefused
from auditor.log.publish import LastBlock, publish
from auditor.resumed import catch_up, resumed
from auditor.store import Store
from auditor.verifier import IDENTITY
from auditor.withhold import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.ahead import Helpers
    from auditor.log.head import HeadSigner, SignedHead
    from auditor.log.service_db import ServiceDatabase
    from auditor.members import Organisation
    from auditor.run import Roots
    from auditor.source import BlockSource
    from auditor.verifier import Verifier
    from auditor.view import ChainMeeting

SAVE: Final = 10.0
"""Seconds from one checkpoint to the next while catching up."""


@dataclass(frozen=True, slots=True)
class Current:
    """A meeting on a channel that verified up to its present height, and on `identity` beside it."""

    meeting: ChainMeeting
    last: LastBlock
    heights: Mapping[str, int]


def verify_current(
    source: BlockSource,
    roots: Roots,
    mtg: str,
    *,
    checkpoints: Checkpoints | None = None,
    helpers: Helpers | None = None,
) -> Current:
    """Verify the channels up to their present heights and return a meeting as it then is.

    Goes on at the last of the `checkpoints`, whose store the meeting then reads from and which has to stay
    open; without them from genesis, in a temporary file. `helpers` verify ahead.

    Raises AuditUnavailable where no channel has the meeting, CheckpointRefused as `resumed` does; refuses
    with LOG_UNVERIFIED where anything on the channel failed a step.
    """
    kept = checkpoints or Checkpoints(Store(), roots)
    verifier = resumed(kept, helpers or Alone())
    channels = [name for name in roots.genesis if name != IDENTITY]
    # Identity is read last of the heights: what a channel's ballots rely on was there before.
    heights = {name: source.height(name) for name in channels}
    follow = partial(_follow, source, verifier, kept)
    follow(IDENTITY, source.height(IDENTITY))
    for channel in channels:
        follow(channel, heights[channel])
        meeting = verifier.meeting(channel, mtg)
        if meeting is None and not verifier.broken(channel):
            continue
        findings = verifier.findings(channel, mtg)
        if findings or meeting is None:
            closed = meeting is not None and bool(meeting.result)
            said = told(findings[0], closed=closed) if findings else "it is broken"
            raise LogRefused("LOG_UNVERIFIED", f"{channel}: {len(findings)} findings, the first: {said}")
        last = LastBlock(verifier.height(channel) - 1, verifier.head(channel))
        return Current(meeting, last, {name: verifier.height(name) for name in (IDENTITY, channel)})
    raise AuditUnavailable(
        f"there is no meeting {mtg!r} on {', '.join(channels) or 'any channel'}; check its id"
    )


def _follow(source: BlockSource, verifier: Verifier, kept: Checkpoints, channel: str, height: int) -> None:
    saved, before = time.monotonic(), verifier.height(channel)
    for _ in catch_up(source, verifier, channel, height):
        if time.monotonic() - saved > SAVE:
            kept.save(verifier)
            saved = time.monotonic()
    if verifier.height(channel) != before or verifier.broken(channel):
        kept.save(verifier)


def publish_current(  # noqa: PLR0917  a world, a question, and who answers
    source: BlockSource,
    roots: Roots,
    mtg: str,
    database: ServiceDatabase,
    signer: HeadSigner,
    regulator: Organisation,
    *,
    now: str,
    checkpoints: Checkpoints | None = None,
    helpers: Helpers | None = None,
) -> SignedHead:
    """Verify the channels up to their present heights, log a meeting's accepted ballots, sign the head.

    Raises and refuses as `verify_current` and `publish` do.
    """
    current = verify_current(source, roots, mtg, checkpoints=checkpoints, helpers=helpers)
    return publish(database, current.meeting, current.last, signer, regulator, now=now)
