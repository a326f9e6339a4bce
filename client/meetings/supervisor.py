"""The Regulator's side of a meeting: nothing is confirmed that wasn't recomputed here first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.encodings import times
from client.encodings.amendment import Entitlement
from client.errors import Negative, UserError
from client.meetings.amendments import look_up_amendments, verify_amendment
from client.meetings.channel import wait_until
from client.meetings.record import FrozenRoll
from client.platform.chain import LAG_SECONDS, commit
from client.platform.times import now

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from client.encodings.amendment import Amendment
    from client.encodings.leaf import Leaf
    from client.encodings.meeting import Meeting
    from client.encodings.step import Step
    from client.platform.chain import Committed, Contract
    from client.platform.times import Clock
    from client.rolls import Roll

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class RollLine:
    """One line of the full roll that the Regulator gets: the leaf, and whose document it stands for."""

    leaf: Leaf
    document: Hashable


def lines(roll: Roll) -> list[RollLine]:
    """Return the lines of a roll file that was read."""
    return [RollLine(entry.leaf, entry.person.document) for entry in roll.entries]


def verify_roll(meeting: Meeting, roll: Sequence[RollLine]) -> FrozenRoll:
    """Recompute root, size and totals from the full roll, and look for a person who appears twice.

    Raises Negative, naming both sides' values, unless all of them are the record's.
    """
    # 1. Each person once.
    seen: set[Hashable] = set()
    for line in roll:
        if line.document in seen:
            raise Negative(f"one identity document is on the roll twice, the second time as {line.leaf.sub}")
        seen.add(line.document)
    # 2. The leaves are of this meeting.
    for line in roll:
        if line.leaf.mtg != meeting.mtg:
            raise Negative(
                f"the leaf of {line.leaf.sub} is of meeting {line.leaf.mtg!r}, not {meeting.mtg!r}"
            )
    # 3. Root and figures come out as proposed.
    frozen = FrozenRoll.freeze([line.leaf for line in roll], meeting.roll.snapshot)
    for name, proposed in meeting.roll.as_json().items():
        computed = frozen.summary.as_json()[name]
        if computed != proposed:
            raise Negative(f"the roll's {name} is {computed} by the full file but {proposed} in the record")
    return frozen


CLOCKS_DIFFER: Final = 300
"""The seconds that the proposer's clock may be ahead of the Regulator's."""


class Supervisor:
    """Confirms meetings and their steps as an officer of the Regulator."""

    def __init__(self, officer: Contract, genesis: Mapping[str, str], *, clock: Clock = now) -> None:
        """Take the officer's contract, and the genesis hashes as the Regulator itself computed them."""
        self._officer = officer
        self._genesis = dict(genesis)
        self._clock = clock

    def confirm(self, mtg: str, roll: Sequence[RollLine]) -> Committed:
        """Check a proposed meeting against the full roll and this network, and confirm its hash.

        Raises Negative when it is not what the roll says, UserError when there is nothing to confirm.
        """
        there = wait_until(self._officer, mtg, lambda there: there.state == "draft")
        if there.state != "draft":
            raise UserError(
                f"meeting {mtg!r} is {there.state}, there is nothing to confirm", code="MEETING_STATE"
            )
        if dict(there.meeting.genesis) != self._genesis:
            raise Negative(
                f"meeting {mtg!r} names the networks {dict(there.meeting.genesis)}, "
                f"this one is {self._genesis}"
            )
        verify_roll(there.meeting, roll)
        return commit(self._officer, "ConfirmMeeting", mtg, there.meeting.mh)

    def pending_step(self, mtg: str) -> Step:
        """Return the step that waits; raise UserError where none does."""
        step = wait_until(self._officer, mtg, lambda there: there.pending is not None).pending
        if step is None:
            raise UserError(f"no step of meeting {mtg!r} waits for confirmation", code="STEP_NOT_PROPOSED")
        return step

    def pending_amendment(self, mtg: str, seconds: float = LAG_SECONDS) -> Amendment:
        """Return the amendment that waits, once this peer has it; raise UserError where none does."""
        deadline = time.monotonic() + seconds
        while True:
            pending = look_up_amendments(self._officer, mtg).pending
            if pending is not None:
                return pending
            if time.monotonic() >= deadline:
                raise UserError(
                    f"no amendment of meeting {mtg!r} waits for confirmation", code="AMENDMENT_MISMATCH"
                )
            time.sleep(_POLL_SECONDS)

    def confirm_amendment(self, amendment: Amendment, roll: Sequence[RollLine]) -> Committed:
        """Check an amendment against the full roll as amended so far, and confirm exactly this one.

        Raises Negative where the roll is not the frozen one, or where what the amendment says of a lender
        is not what the roll has.
        """
        mtg = amendment.mtg
        verify_roll(wait_until(self._officer, mtg, lambda _: True).meeting, roll)
        leaves = {line.leaf.sub: Entitlement(line.leaf.claims, line.leaf.excluded) for line in roll}
        verify_amendment(amendment, look_up_amendments(self._officer, mtg), leaves.get)
        return commit(self._officer, "ConfirmAmendment", mtg, amendment.digest)

    def confirm_step(self, mtg: str, step: Step, *, insecure_ahead: bool = False) -> Committed:
        """Confirm exactly this step, once the Regulator's own peer has it.

        The chaincode has no clock: it holds the moment that a step names to the announced times, and whether
        that moment has come is for the Regulator to say. Raises Negative (STEP_EARLY) for one to come, unless
        `insecure_ahead`, which rehearsals and benchmarks need.
        """
        if not insecure_ahead and times.parse(step.at) > self._clock().timestamp() + CLOCKS_DIFFER:
            raise Negative(
                f"the step of {mtg} to {step.to} names {step.at}, which is still to come", code="STEP_EARLY"
            )
        wait_until(self._officer, mtg, lambda there: there.pending == step)
        return commit(self._officer, "ConfirmStep", mtg, step.digest)
