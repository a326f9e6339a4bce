"""The demonstration's meeting: roll, lenders, announcement, identity checks, ballots, close."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from client.demo.errors import DemoFailed
from client.enrolment.approvals import MISSING, InsecureApprovals
from client.enrolment.lender import LenderKey
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting
from client.meetings.supervisor import lines
from client.platform.times import to_text
from client.relay.batch import Limits
from client.rolls import make_roll, read_claims
from client.rolls.yuan import format_yuan
from client.sessions import InsecureDemoChecks
from client.sessions.insecure import METHOD as INSECURE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from client.demo.faces import FaceChecks
    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from client.encodings.step import To
    from client.relay.desk import Acknowledged
    from client.rolls import Roll
    from client.services import Services

MOTIONS = ("清退方案 Repayment plan", "出借人监督委员会 Supervisory committee")
# Of ten lenders seven approve the plan, two reject it, one abstains; the second motion fails.
_FIRST = ("approve",) * 7 + ("reject",) * 2 + ("abstain",)
_SECOND = ("reject", "approve", "reject", "abstain", "reject")
_OBJECTIONS = timedelta(seconds=45)  # weeks where it is not a demonstration


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the demonstration is: lenders, how many of them by face, seconds in which to vote."""

    lenders: int
    faces: int
    window: int
    seed: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the demonstration keeps of its meeting while it runs."""

    meeting: Meeting
    roll: Roll
    lenders: tuple[LenderKey, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One lender's identity session: by which method, and the face's distance where there was one."""

    lender: LenderKey
    ses: str
    method: str
    distance: str


def import_register(services: Services, institution: str, mtg: str, register: bytes) -> Roll:
    """Return the roll of a CSV register; every person gets a pseudonym, sealed in the database."""
    return make_roll(
        read_claims(register),
        mtg=mtg,
        snapshot=to_text(datetime.now(UTC)),
        pseudonyms=lambda people: services.lenders().pseudonyms(institution, people),
    )


def enrol(
    services: Services, institution: str, roll: Roll, checks: FaceChecks, faces: int
) -> tuple[LenderKey, ...]:
    """Make every lender a key, have it certified by the lender CA and recorded on `identity`.

    The first `faces` lenders pass the identity service's check with their invitation; it is believed of the
    others, and their method says that nobody looked.
    """
    services.lenders().adopt(institution, ((entry.person, entry.leaf.sub) for entry in roll.entries))
    services.register_issuer(institution)
    keys = [LenderKey.generate(institution, leaf.sub) for leaf in roll.leaves]
    _, early = services.enrolment(institution, checks.approvals).enrol(keys[:1])
    if early.refused != {keys[0].sub: MISSING}:
        raise DemoFailed("a key was enrolled without an identity check")
    for key in keys[:faces]:
        checks.approve(key)
    enrolled: list[LenderKey] = []
    for approvals, some in ((checks.approvals, keys[:faces]), (InsecureApprovals(), keys[faces:])):
        certified, report = services.enrolment(institution, approvals).enrol(some)
        if report.enrolled != len(some):
            raise DemoFailed(
                f"{report.enrolled} of {len(some)} lenders were enrolled: {dict(report.refused)}"
            )
        enrolled += certified
    return tuple(enrolled)


def announce(
    services: Services, institution: str, roll: Roll, opens: datetime, *, window: int, method: str
) -> Meeting:
    """Propose the meeting as the institution's officer and confirm it as the Regulator's.

    `window` is in seconds. `method` is that of the checks by face; the insecure stand-in's counts too.
    """
    closes = opens + timedelta(seconds=window)
    frozen = FrozenRoll.of(roll)
    meeting = build_meeting(
        mtg=roll.mtg,
        institution=institution,
        title="出借人会议 Lenders' meeting",
        roll=frozen.summary,
        motions=motions(MOTIONS),
        opens_at=to_text(opens),
        closes_at=to_text(closes),
        objections_until=to_text(closes + _OBJECTIONS),
        genesis=services.genesis(institution, institution),
        methods=(method, INSECURE),
    )
    services.convener(institution).propose(meeting, frozen)
    services.supervisor(institution).confirm(meeting.mtg, lines(roll))
    return meeting


def step(services: Services, meeting: Meeting, to: To) -> None:
    """Take the meeting one step on: proposed by the institution, confirmed by the Regulator."""
    convener = services.convener(meeting.institution)
    services.supervisor(meeting.institution).confirm_step(meeting.mtg, convener.propose_step(meeting.mtg, to))
    convener.refresh(meeting.mtg, expected=to)


def wait_until(moment: str | datetime, say: Callable[[str], None]) -> None:
    """Wait for an announced time; this is a meeting, so nothing makes it come sooner."""
    end = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    left = (end - datetime.now(UTC)).total_seconds()
    if left > 0:
        say(f"waiting {left:.0f} s for the announced time {to_text(end)}")
        time.sleep(left)


def check_identities(services: Services, held: Held, faces: FaceChecks, plan: Plan) -> list[Check]:
    """Record an identity session for everybody: the first by face, the others by the insecure stand-in."""
    recorder = services.sessions()
    checks = []
    for lender in held.lenders[: plan.faces]:
        passed = faces.check(held.meeting, lender)
        checks.append(Check(lender, passed.ses, faces.method, passed.distance))
    others = held.lenders[plan.faces :]
    if others:
        believed = InsecureDemoChecks(recorder)
        subs = [lender.sub for lender in others]
        recorded = believed.check(held.meeting.institution, held.meeting.mtg, subs)
        checks += [
            Check(lender, one.session.ses, INSECURE, "") for lender, one in zip(others, recorded, strict=True)
        ]
    return checks


def sign_ballots(held: Held, checks: Sequence[Check]) -> list[SignedBallot]:
    """Return every lender's ballot, signed by their own key."""
    answers = zip(itertools.cycle(_FIRST), itertools.cycle(_SECOND), strict=False)
    return [
        check.lender.sign(held.meeting, {"m1": first, "m2": second}, ses=check.ses, iat=datetime.now(UTC))
        for check, (first, second) in zip(checks, answers, strict=False)
    ]


def cast(services: Services, held: Held, ballots: Sequence[SignedBallot]) -> list[Acknowledged]:
    """Hand every ballot in, and wait until the relay has brought all of them to the channel."""
    desk = services.desk(held.meeting.mtg)
    limits = Limits(count=max(1, len(ballots) // 3), age=0.2)
    relay = services.relay(held.meeting.mtg, held.meeting.institution, limits=limits)
    with relay:
        acknowledged = [desk.accept(ballot.compact) for ballot in ballots]
        relay.drain(timeout=90)
    return acknowledged


def result_rows(result: dict[str, Any]) -> list[list[str]]:
    """Return one row a motion and test: what was counted, against what, and whether it passed."""
    rows = []
    for identifier, motion in result["motions"].items():
        outcome = "passed" if motion["passed"] else "not passed"
        for test in motion["tests"]:
            numerator, denominator = test["fraction"]
            figures = _of(test["numerator"], test["denominator"], test["unit"])
            needed = f"{test['comparator']} {numerator}/{denominator}"
            rows.append(
                [identifier, test["name"], figures, needed, "yes" if test["passed"] else "no", outcome]
            )
    return rows


def _of(numerator: int, denominator: int, unit: str) -> str:
    if unit == "fen":
        return f"{format_yuan(numerator)} of {format_yuan(denominator)} yuan"
    return f"{numerator:,} of {denominator:,} lenders"
