"""The institution's side of a meeting: record and roll proposed, steps proposed, results fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from client.encodings import jcs
from client.encodings.amendment import Entitlement
from client.encodings.step import Step
from client.errors import UserError
from client.gateway.errors import EndorseError
from client.meetings.amendments import draw_up, look_up_amendments
from client.meetings.channel import look_up, result_of, wait_until
from client.platform.chain import LAG_SECONDS, commit
from client.platform.models import Ballot, Meeting, MeetingStep, Result, RollEntry
from client.platform.registers import roll_entries
from client.platform.times import now, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from client.encodings.amendment import Amendment
    from client.encodings.meeting import Meeting as MeetingRecord
    from client.encodings.step import To
    from client.meetings.channel import OnChannel
    from client.meetings.record import FrozenRoll
    from client.platform import Database
    from client.platform.chain import Committed, Contract
    from client.platform.times import Clock

_CHUNK = 1000


class Convener:
    """Holds meetings as an officer of the institution or of Association, and writes down what it does."""

    def __init__(self, database: Database, officer: Contract, *, clock: Clock = now) -> None:
        self._database = database
        self._officer = officer
        self._clock = clock

    def propose(self, meeting: MeetingRecord, roll: FrozenRoll) -> Committed:
        """Keep the meeting with its roll, and propose it on its channel.

        Raises UserError when the platform has another meeting of this id. What the ledger raises passes
        through: nothing is kept then, unless the proposal was sent and its outcome is unknown (proposing
        it again is safe).
        """
        self._refuse_another(meeting)
        added = self._keep(meeting, roll)
        try:
            return commit(self._officer, "ProposeMeeting", meeting.record, roll.cap)
        except EndorseError:
            if added:
                self._forget(meeting.mtg)
            raise

    def propose_step(self, mtg: str, to: To, *, at: str | None = None, reason: str | None = None) -> Step:
        """Propose a step; nothing happens before the Regulator confirms its digest.

        `at` is the moment that the step names, by default the present. The step to `closed` names how many
        ballots and subtotals there are; raises UserError when the channel finds fewer than were committed.
        """
        ballots, subtotals = self._count(mtg) if to == "closed" else (None, None)
        step = Step(to, at or to_text(self._clock()), reason, ballots, subtotals)
        committed = commit(self._officer, "ProposeStep", mtg, step.encode())
        with self._database.write() as session:
            # An officer may propose from a host whose platform doesn't hold the meeting.
            if session.get(Meeting, mtg) is not None:
                session.add(
                    MeetingStep(
                        mtg=mtg,
                        step=step.encode().decode(),
                        digest=step.digest,
                        proposed_tx=committed.tx,
                        created_at=to_text(self._clock()),
                    )
                )
        return step

    def propose_amendment(
        self,
        mtg: str,
        wanted: Mapping[str, Entitlement | None],
        *,
        reason: str,
        decision: str,
        at: str | None = None,
    ) -> Amendment:
        """Propose what lenders are to be on a frozen roll with; the Regulator confirms the digest.

        `wanted` has None for a lender to be taken off, `decision` is the hex SHA-256 of the document that
        decides it. What stands now comes from the channel and from this platform's roll. Raises Refused
        (AMENDMENT_FORMAT), UserError where the platform doesn't hold the meeting.
        """
        with self._database.read() as session:
            if session.get(Meeting, mtg) is None:
                raise UserError(
                    f"this platform doesn't hold the roll of {mtg!r}: amend it where it was proposed",
                    code="MEETING_NOT_FOUND",
                )
        amendment = draw_up(
            mtg,
            look_up_amendments(self._officer, mtg),
            wanted,
            self._on_roll(mtg, wanted),
            at=at or to_text(self._clock()),
            reason=reason,
            decision=decision,
        )
        commit(self._officer, "ProposeAmendment", amendment.encode())
        return amendment

    def _on_roll(self, mtg: str, subs: Collection[str]) -> Callable[[str], Entitlement | None]:
        found = roll_entries(self._database, mtg, subs)

        def on_roll(sub: str) -> Entitlement | None:
            if sub not in found:
                return None
            leaf = found[sub][1]
            return Entitlement(leaf.claims, leaf.excluded)

        return on_roll

    def refresh(self, mtg: str, expected: str | None = None) -> OnChannel:
        """Fetch the meeting's state, and its result once there is one, into the database.

        `expected` is a state that was just confirmed: this peer is given a moment to get there.
        """
        there = wait_until(self._officer, mtg, lambda there: expected in (None, there.state))
        with self._database.write() as session:
            session.execute(update(Meeting).where(Meeting.mtg == mtg).values(state=there.state))
        if there.state in ("closed", "objections", "certified"):
            self.result(mtg, seconds=LAG_SECONDS)
        return there

    def result(self, mtg: str, seconds: float = 0.0) -> dict[str, Any]:
        """Fetch the result and keep it; raise UserError when there is none after `seconds`."""
        result = result_of(self._officer, mtg, seconds)
        with self._database.write() as session:
            if session.get(Meeting, mtg) is not None:
                session.merge(Result(mtg=mtg, result=jcs.dumps(result).decode()))
        return result

    def _count(self, mtg: str) -> tuple[int | None, int | None]:
        """Return the channel's count, which may exceed this platform's: there is a second door."""
        found, own = look_up(self._officer, mtg).count, self._committed(mtg)
        if found is None:
            return own
        if found[0] < own[0] or found[1] < own[1]:
            raise UserError(
                f"the channel finds {found[0]} ballots in {found[1]} subtotals of {mtg!r}, but {own[0]} in "
                f"{own[1]} were committed: raise totalQueryLimit on every endorser",
                code="CLOSE_COUNT",
            )
        return found

    def _committed(self, mtg: str) -> tuple[int, int]:
        """Count the voters with a committed ballot, and the transactions that brought them.

        Voters whom an amendment took off the roll are left out: their ballots count no longer.
        """
        removed = look_up_amendments(self._officer, mtg).removed
        committed = (Ballot.mtg == mtg, Ballot.status == "committed")
        with self._database.read() as session:
            subtotals = session.scalar(select(func.count(func.distinct(Ballot.tx))).where(*committed))
            voters = session.scalar(select(func.count(func.distinct(Ballot.sub))).where(*committed))
            gone = session.scalar(
                select(func.count(func.distinct(Ballot.sub))).where(*committed, Ballot.sub.in_(removed))
            )
            return int(voters or 0) - int(gone or 0), int(subtotals or 0)

    def _refuse_another(self, meeting: MeetingRecord) -> None:
        """Refuse a second record under an id that the channel has: the first one's roll must stay here."""
        with self._database.read() as session:
            row = session.get(Meeting, meeting.mtg)
        if row is None or row.mh == meeting.mh:
            return
        try:
            look_up(self._officer, meeting.mtg)
        except UserError as error:
            if error.code == "MEETING_NOT_FOUND":
                return  # never reached the channel, so it may be replaced
            raise
        raise UserError(
            f"meeting {meeting.mtg!r} was proposed with another record: choose another id",
            code="MEETING_EXISTS",
        )

    def _forget(self, mtg: str) -> None:
        with self._database.write() as session:
            session.execute(delete(RollEntry).where(RollEntry.mtg == mtg))
            session.execute(delete(Meeting).where(Meeting.mtg == mtg))

    def _keep(self, meeting: MeetingRecord, roll: FrozenRoll) -> bool:
        """Write down meeting and roll; return whether they are new here."""
        with self._database.write() as session:
            row = session.get(Meeting, meeting.mtg)
            if row is not None:
                if row.mh == meeting.mh:
                    return False
                if row.state != "draft":
                    raise UserError(
                        f"meeting {meeting.mtg!r} was announced with another record: choose another id",
                        code="MEETING_EXISTS",
                    )
                session.execute(delete(RollEntry).where(RollEntry.mtg == meeting.mtg))
                session.delete(row)
                session.flush()
            session.add(
                Meeting(
                    mtg=meeting.mtg,
                    institution=meeting.institution,
                    channel=meeting.channel,
                    record=meeting.record.decode(),
                    mh=meeting.mh,
                    cap=roll.cap,
                    state="draft",
                    created_at=to_text(self._clock()),
                )
            )
            session.flush()
            rows = [
                {"mtg": meeting.mtg, "sub": leaf.sub, "idx": index, "leaf": leaf.encode()}
                for index, leaf in enumerate(roll.leaves)
            ]
            for start in range(0, len(rows), _CHUNK):
                session.execute(insert(RollEntry), rows[start : start + _CHUNK])
        return True
