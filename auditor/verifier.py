"""The verifier of a whole network: the identity channel and the arbitration channels beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.acknowledged import Doors
from auditor.ahead import Alone
from auditor.alarm import OTHER_MEETING, Alarms
from auditor.follower import Follower
from auditor.motion_margins import margin_of
from auditor.replay.arbitration import ArbitrationReplay
from auditor.replay.identity import IdentityReplay
from auditor.replay.kept import ENROLMENTS, SESSIONS
from auditor.replay.people import People
from auditor.replay.views import NumbersOf, SessionsOf
from auditor.rules import outcome
from auditor.store import InMemory
from auditor.view import ChainMeeting, Count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.ahead import Helpers
    from auditor.alarm import Alarm
    from auditor.errors import VerificationError
    from auditor.members import Membership
    from auditor.replay.authority import Offices
    from auditor.replay.meetings import MeetingState
    from auditor.rules import Tally
    from auditor.store import Tables

IDENTITY = "identity"


class Verifier:
    """Verifies channels from their pinned genesis hashes; pure: bytes in, values and findings out.

    `identity` has to be followed at least as far as the arbitration channels' verdicts rely on it.
    """

    def __init__(
        self,
        genesis: Mapping[str, bytes],
        offices: Offices,
        helpers: Helpers | None = None,
        tables: Tables | None = None,
    ) -> None:
        """Pin genesis hashes and offices.

        `helpers` verify ahead and `tables` keep what grows with ballots; neither changes a finding.
        """
        self.offices = offices
        by, kept = helpers or Alone(), tables or InMemory()
        people = People(
            enrolments=kept.table(f"{IDENTITY}/enrolments", ENROLMENTS),
            sessions=kept.table(f"{IDENTITY}/sessions", SESSIONS),
        )
        identity = IdentityReplay(offices, people)
        self._people = identity.people
        self._replays = {
            name: ArbitrationReplay(name, people, offices, genesis, kept)
            for name in genesis
            if name != IDENTITY
        }
        self._followers = {
            name: Follower(name, genesis[name], "arbitration", replay, offices, by, kept)
            for name, replay in self._replays.items()
        }
        self._followers[IDENTITY] = Follower(
            IDENTITY, genesis[IDENTITY], IDENTITY, identity, offices, by, kept
        )

    def follow(self, channel: str, blocks: Iterable[bytes]) -> None:
        """Verify a channel's next blocks; nothing happens on a channel that is broken."""
        if not self.broken(channel):
            self._followers[channel].follow(blocks)

    def height(self, channel: str) -> int:
        """How many blocks of a channel were verified."""
        return self._followers[channel].ledger.height

    def head(self, channel: str) -> str:
        """Return the hash (hex) of a channel's last verified block, "" before there is one."""
        ledger = self._followers[channel].ledger
        return ledger.head.hash().hex() if ledger.height else ""

    def hash_of(self, channel: str, number: int) -> str | None:
        """Return the hash (hex) of a verified block, None for one that wasn't yet."""
        return self._followers[channel].hashes.get(str(number))

    def channels(self) -> tuple[str, ...]:
        """Return the channels, `identity` first."""
        return (IDENTITY, *self._replays)

    def meetings(self, channel: str) -> tuple[str, ...]:
        """Return the ids of a channel's meetings."""
        return tuple(self._replays[channel].meetings)

    def accepted(self, channel: str) -> int:
        """How many ballots of a channel's meetings were ever accepted."""
        return sum(len(state.accepted) for state in self._replays[channel].meetings.values())

    def own_findings(self, channel: str) -> tuple[VerificationError, ...]:
        """Return what failed on a channel itself."""
        return tuple(self._followers[channel].findings)

    def own_alarms(self, channel: str) -> tuple[Alarm, ...]:
        """Return what is on a channel itself and not audited."""
        return self._followers[channel].alarms.raised()

    def broken(self, channel: str) -> bool:
        """Say whether a block failed, here or on `identity`, so that nothing after it can be verified."""
        return any(self._followers[name].broken is not None for name in (IDENTITY, channel))

    def findings(self, channel: str, mtg: str | None = None) -> tuple[VerificationError, ...]:
        """Return what failed on a channel and on the identity channel that it relies on.

        With a meeting, only what may concern it: what touched another one's records alone is an alarm.
        """
        return tuple(error for error in self._failed(channel) if mtg is None or error.mtg in ("", mtg))

    def alarms(self, channel: str, mtg: str) -> tuple[Alarm, ...]:
        """Return what is on a channel, or on the identity channel, and no part of a meeting's audit."""
        elsewhere = Alarms(channel)
        for error in self._failed(channel):
            if error.mtg not in ("", mtg):
                elsewhere.add(OTHER_MEETING, error.mtg, error.where)
        own = (one for name in (IDENTITY, channel) for one in self._followers[name].alarms.raised())
        return (*own, *elsewhere.raised())

    def _failed(self, channel: str) -> Iterator[VerificationError]:
        return (error for name in (IDENTITY, channel) for error in self._followers[name].findings)

    def doors(self, channel: str) -> Doors:
        """Return the keys of the relays that brought ballots to a channel."""
        return Doors(self._followers[channel].relays)

    def transactions(self, channel: str) -> int:
        """How many transactions of a channel passed every step of their own."""
        return self._followers[channel].transactions

    def invalid(self, channel: str) -> int:
        """How many transactions of a channel the peer marked invalid."""
        return self._followers[channel].invalid

    def known(self, channel: str) -> int:
        """How many signatures and certificates of a channel helpers had verified when their turn came."""
        return self._followers[channel].known

    def foreign(self, channel: str) -> int:
        """How many transactions of other chaincodes a channel has, which are not replayed."""
        return self._followers[channel].foreign

    def meeting(self, channel: str, mtg: str) -> ChainMeeting | None:
        """Return what a channel holds of a meeting, None where it holds none of that id."""
        state = self._replays[channel].meetings.get(mtg)
        if state is None:
            return None
        return ChainMeeting(
            mtg=mtg,
            channel=channel,
            record=state.record.record.decode(),
            mh=state.record.mh,
            state=state.state,
            result=state.result.decode(),
            accepted=state.accepted,
            refused=state.refused,
            sessions=self.sessions(mtg),
            numbers=NumbersOf(state.numbers),
            anchors=tuple(state.anchors),
            disputes=tuple(state.disputes.values()),
            entitled=state.overlay.entitled(),
        )

    def count(self, channel: str, mtg: str) -> Count | None:
        """Count a meeting's ballots; the choices only once it is closed, since nobody sees running ones."""
        state = self._replays[channel].meetings.get(mtg)
        if state is None:
            return None
        if state.tally is None:
            return Count(sum(1 for _ in state.counted()), None, None)
        return _count(state, state.tally)

    def sessions(self, mtg: str) -> SessionsOf:
        """Return the identity checks that `identity` has for a meeting, by id, in the chain's order."""
        return SessionsOf(mtg, self._people)

    # For a service that answers questions while it follows; what these return, only the replay changes.

    def states(self, channel: str) -> Mapping[str, MeetingState]:
        """Return every meeting of a channel as the replay has it now."""
        return self._replays[channel].meetings

    @property
    def people(self) -> People:
        """Return the identity channel's records as the replay has them now."""
        return self._people

    def membership(self, channel: str) -> Membership:
        """Return the organisations of a channel's configuration in force; BlockError before there is one."""
        return self._followers[channel].ledger.configuration.members


def _count(state: MeetingState, counted: Tally) -> Count:
    result = outcome(state.amended, counted)
    motions: dict[str, Any] = result["motions"]
    classes = tuple(entry.cls for entry in state.amended.roll.classes)
    margins = {
        motion.id: margin_of(motion, counted.motions[motion.id].whole, classes)
        for motion in state.amended.motions
    }
    return Count(
        counted.ballots,
        {
            "ballots": counted.ballots,
            "present": result["present"],
            "motions": {name: {"choices": motion["choices"]} for name, motion in motions.items()},
        },
        {
            name: {member: value for member, value in motion.items() if member not in ("choices", "excluded")}
            | {"margin": margins[name]}
            for name, motion in motions.items()
        },
    )
