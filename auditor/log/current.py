"""From the own peer's blocks to a signed head: the chain is verified first, whatever anybody says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.errors import AuditUnavailable
from auditor.log.errors import LogRefused
from auditor.log.publish import LastBlock, publish
from auditor.verifier import IDENTITY, Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.log.head import HeadSigner, SignedHead
    from auditor.log.service_db import ServiceDatabase
    from auditor.members import Organisation
    from auditor.run import Roots
    from auditor.source import BlockSource
    from auditor.view import ChainMeeting


@dataclass(frozen=True, slots=True)
class Current:
    """A meeting on a channel that verified up to its present height, and on `identity` beside it."""

    meeting: ChainMeeting
    last: LastBlock
    heights: Mapping[str, int]


def verify_current(source: BlockSource, roots: Roots, mtg: str) -> Current:
    """Verify the channels up to their present heights and return a meeting as it then is.

    Raises AuditUnavailable where no channel has the meeting; refuses with LOG_UNVERIFIED where anything
    on the channel failed a step.
    """
    verifier = Verifier(roots.genesis, roots.offices)
    channels = [name for name in roots.genesis if name != IDENTITY]
    # Identity is read last of the heights: what a channel's ballots rely on was there before.
    heights = {name: source.height(name) for name in channels}
    verifier.follow(IDENTITY, source.blocks(IDENTITY, 0, source.height(IDENTITY)))
    for channel in channels:
        verifier.follow(channel, source.blocks(channel, 0, heights[channel]))
        meeting = verifier.meeting(channel, mtg)
        if meeting is None and not verifier.broken(channel):
            continue
        findings = verifier.findings(channel, mtg)
        if findings or meeting is None:
            said = str(findings[0]) if findings else "it is broken"
            raise LogRefused("LOG_UNVERIFIED", f"{channel}: {len(findings)} findings, the first: {said}")
        last = LastBlock(verifier.height(channel) - 1, verifier.head(channel))
        return Current(meeting, last, {name: verifier.height(name) for name in (IDENTITY, channel)})
    raise AuditUnavailable(
        f"there is no meeting {mtg!r} on {', '.join(channels) or 'any channel'}; check its id"
    )


def publish_current(  # noqa: PLR0917  a world, a question, and who answers
    source: BlockSource,
    roots: Roots,
    mtg: str,
    database: ServiceDatabase,
    signer: HeadSigner,
    regulator: Organisation,
    *,
    now: str,
) -> SignedHead:
    """Verify the channels up to their present heights, log a meeting's accepted ballots, sign the head.

    Raises and refuses as `verify_current` and `publish` do.
    """
    current = verify_current(source, roots, mtg)
    return publish(database, current.meeting, current.last, signer, regulator, now=now)
