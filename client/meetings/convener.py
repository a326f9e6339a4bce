"""The institution's side of a meeting: record and roll proposed, steps proposed, results fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from client.encodings import cbor, jcs
from client.encodings.step import Step
from client.errors import UserError
from client.meetings.channel import look_up, result_of
from client.platform.chain import commit
from client.platform.models import Ballot, Meeting, MeetingStep, Result, RollEntry
from client.platform.times import now, to_text

if TYPE_CHECKING:
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
        through; the meeting is then kept as `draft`, and proposing it again is safe.
        """
        self._keep(meeting, roll)
        committed = commit(self._officer, "ProposeMeeting", meeting.record, roll.cap)
        self.refresh(meeting.mtg)
        return committed

    def propose_step(self, mtg: str, to: To, *, at: str | None = None, reason: str | None = None) -> Step:
        """Propose a step; nothing happens before the Regulator confirms its digest.

        `at` is the moment that the step names, by default the present. Closing names how many ballots and
        subtotals this platform knows of, so that a count that missed some is noticed.
        """
        ballots, subtotals = self._counts(mtg) if to == "closed" else (None, None)
        step = Step(to, at or to_text(self._clock()), reason, ballots, subtotals)
        committed = commit(self._officer, "ProposeStep", mtg, step.encode())
        with self._database.write() as session:
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

    def refresh(self, mtg: str) -> OnChannel:
        """Fetch the meeting's state, and its result once there is one, into the database."""
        there = look_up(self._officer, mtg)
        with self._database.write() as session:
            session.execute(update(Meeting).where(Meeting.mtg == mtg).values(state=there.state))
        if there.state in ("closed", "objections", "certified"):
            self.result(mtg)
        return there

    def result(self, mtg: str) -> dict[str, Any]:
        """Fetch the result and keep it; raise UserError while there is none."""
        result = result_of(self._officer, mtg)
        with self._database.write() as session:
            if session.get(Meeting, mtg) is not None:
                session.merge(Result(mtg=mtg, result=jcs.dumps(result).decode()))
        return result

    def _counts(self, mtg: str) -> tuple[int, int]:
        """Count the voters whose ballot the channel holds, and the transactions that brought them."""
        with self._database.read() as session:
            query = select(func.count(func.distinct(Ballot.sub)), func.count(func.distinct(Ballot.tx))).where(
                Ballot.mtg == mtg, Ballot.status == "committed"
            )
            ballots, subtotals = session.execute(query).one()
            return int(ballots), int(subtotals)

    def _keep(self, meeting: MeetingRecord, roll: FrozenRoll) -> None:
        with self._database.write() as session:
            row = session.get(Meeting, meeting.mtg)
            if row is not None:
                if row.mh == meeting.mh:
                    return
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
                    cap=cbor.dumps(list(roll.tree.cap(roll.summary.cap_height))),
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
