"""Who signs a ballot: the voter, or a proxy by the voter's mandate (Enterprise Bankruptcy Law art. 59)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.encodings.ballot import chosen
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from client.encodings.ballot import Ballot
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.meeting import Meeting


def proxy_of(ballot: Ballot, mandate: MandateRecord | None, held_proxy: str | None) -> str | None:
    """Return the pseudonym of the proxy who signs, None for a ballot of one's own.

    `mandate` is the voter's last one. A proxy whose mandate was replaced is found in the ballot held that a
    proxy cast, so that the very ballot is known again; where there is neither, no check asks who it is.
    """
    if ballot.prx is None:
        return None
    if mandate is not None and mandate.digest == ballot.prx:
        return mandate.mandate.proxy
    return held_proxy or ballot.sub


def signer_of(ballot: Ballot, mandate: MandateRecord | None, held_proxy: str | None) -> str:
    """Return the pseudonym whose key and identity check a ballot is judged by."""
    return proxy_of(ballot, mandate, held_proxy) or ballot.sub


def check_agency(ballot: Ballot, meeting: Meeting, mandate: MandateRecord | None) -> bool:
    """Say whether the mandate by which a ballot was signed is there; refuse one that doesn't cover it.

    In order: MANDATE_SCOPE where the meeting takes no proxies, MANDATE_REVOKED, and MANDATE_SCOPE where the
    motions answered are not exactly those that the mandate covers.
    """
    if ballot.prx is None:
        return True
    if not meeting.proxies:
        raise Refused("MANDATE_SCOPE", "the meeting takes no proxies")
    if mandate is not None and ballot.prx in mandate.past:
        raise Refused("MANDATE_REVOKED", f"{mandate.digest} stands in its place")
    if mandate is None or mandate.digest != ballot.prx:
        return False
    if mandate.revoked is not None:
        raise Refused("MANDATE_REVOKED")
    for motion, vote in ballot.votes.items():
        if mandate.mandate.covers(motion) != bool(chosen(vote)):
            raise Refused("MANDATE_SCOPE", motion)
    return True
