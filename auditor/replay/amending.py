"""What a confirmed amendment changes: the overlay, the ballots already cast, the count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.replay.amendments import reweighed
from auditor.replay.effect import Effect, composite
from auditor.rules import Change, CountedBallot
from client.encodings import jcs
from client.encodings.amendment import parse_amendment

if TYPE_CHECKING:
    from auditor.replay.amendments import PendingAmendment
    from auditor.replay.meetings import MeetingState


def confirm_amendment(state: MeetingState, pending: PendingAmendment, tx: str) -> Effect:
    """Take an amendment that waits over into the meeting; refuses as `MeetingState.amend` does.

    The chaincode must have looked at every ballot of the lenders named, so that none is cast meanwhile and
    goes on counting as before.
    """
    amendment, meeting = parse_amendment(pending.encoded), state.record
    state.overlay = state.amend(amendment)
    mtg = meeting.mtg
    effect = Effect(
        writes={
            composite("amended", mtg, str(amendment.no)): pending.record(tx),
            composite("amendments", mtg): state.overlay.encode(meeting),
            composite("amendment", mtg): None,
        },
        reads={composite(kind, mtg) for kind in ("meeting", "state", "amendment", "amendments")},
    )
    subtotal, cast = Change(meeting), 0
    for change in amendment.changes:
        key = composite("ballot", mtg, change.sub)
        effect.reads.add(key)
        held = state.held.get(change.sub)
        if held is None:
            continue
        stands = reweighed(held, change.after)
        subtotal.reweigh(CountedBallot.of(held), CountedBallot.of(stands))
        state.held[change.sub] = stands
        effect.writes[key] = stands.encode(meeting)
        cast += 1
    if cast:
        state.subtotals += 1
        effect.writes[composite("subtotal", mtg, tx)] = subtotal.encode()
    state.amendment = None
    effect.response = jcs.dumps({"v": 1, "mtg": mtg, "no": amendment.no, "reweighed": cast})
    return effect
