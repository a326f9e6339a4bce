"""A meeting for tests on the real network: lenders, roll, announcement, checks, ballots."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.leaf import Claim, Leaf
from client.enrolment.approvals import InsecureApprovals
from client.enrolment.lender import LenderKey
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting
from client.meetings.supervisor import RollLine
from client.platform import Database, Vault
from client.platform.chain import commit
from client.platform.times import to_text
from client.rolls import Person
from client.services import ARBITRATION, ASSOCIATION, REGULATOR, Services
from client.sessions import InsecureDemoChecks
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from client.connection import Profile
    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from client.encodings.step import Step, To

INSTITUTION = "InstitutionAMSP"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CLASSES = ("individual", "enterprise", "wealth-plan")


class TurnedClock:
    """A clock that the test turns."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Stage:
    """One platform with one institution's enrolled lenders; holds meetings one after another."""

    services: Services
    clock: TurnedClock
    keys: list[LenderKey]
    persons: list[Person]
    institution: str = INSTITUTION

    @classmethod
    def set(cls, profile: Profile, folder: Path, lenders: int, institution: str = INSTITUTION) -> Stage:
        clock = TurnedClock()
        database = Database.open(f"sqlite:///{folder / 'platform.db'}")
        services = Services(profile, database, Vault.open(folder / "platform.key"), clock=clock)
        services.register_issuer(institution)
        run = secrets.token_hex(4)
        persons = [Person(f"张伟{n}", "passport", f"44030019800101{run}{n:04d}") for n in range(lenders)]
        subs = services.lenders().pseudonyms(institution, persons)
        services.lenders().adopt(institution, zip(persons, subs, strict=True))
        keys = [LenderKey.generate(institution, sub) for sub in subs]
        certified, report = services.enrolment(institution, InsecureApprovals()).enrol(keys)
        assert report.enrolled == lenders
        return cls(services, clock, certified, persons, institution)

    def close(self) -> None:
        self.services.close()
        self.services.database.close()

    def roll(self, mtg: str) -> list[RollLine]:
        return [
            RollLine(
                Leaf(mtg, key.sub, (Claim(CLASSES[n % 3], 100_000_00 + n),), secrets.token_bytes(16)),
                person.document,
            )
            for n, (key, person) in enumerate(zip(self.keys, self.persons, strict=True))
        ]

    def build(self, mtg: str, roll: list[RollLine], **changes: Any) -> tuple[Meeting, FrozenRoll]:
        opens = self.clock() + timedelta(minutes=1)
        frozen = FrozenRoll.freeze([line.leaf for line in roll], to_text(self.clock()))
        parts: dict[str, Any] = {
            "mtg": mtg,
            "institution": self.institution,
            "title": "第一次出借人会议",
            "roll": frozen.summary,
            "motions": motions(["清退方案", "成立出借人监督委员会"]),
            "opens_at": to_text(opens),
            "closes_at": to_text(opens + timedelta(hours=2)),
            "objections_until": to_text(opens + timedelta(hours=3)),
            "genesis": self.services.genesis(self.institution),
            "methods": ("face-v1", "insecure-demo"),
        }
        return build_meeting(**(parts | changes)), frozen

    def announce(self, mtg: str | None = None, **changes: Any) -> Meeting:
        name = mtg or f"m-{secrets.token_hex(5)}"
        roll = self.roll(name)
        meeting, frozen = self.build(name, roll, **changes)
        self.services.convener(self.institution).propose(meeting, frozen)
        self.services.supervisor(self.institution).confirm(name, roll)
        return meeting

    def open(self, **changes: Any) -> Meeting:
        meeting = self.announce(**changes)
        self.clock.advance(minutes=1)
        self.step(meeting.mtg, "open")
        return meeting

    def step(self, mtg: str, to: To, reason: str | None = None) -> Step:
        step = self.services.convener(self.institution).propose_step(mtg, to, reason=reason)
        self.services.supervisor(self.institution).confirm_step(mtg, step)
        self.services.convener(self.institution).refresh(mtg, expected=to)
        return step

    def revoke(self, lender: LenderKey) -> None:
        """Revoke a lender's key, and wait until every endorser has seen it."""
        officer = self.services.identity(INSTITUTION, "officer")
        commit(officer, "Revoke", jcs.dumps({"v": 1, "sub": lender.sub, "reason": "the key was lost"}))
        endorsers = [self.services.identity(msp, "officer") for msp in (ASSOCIATION, REGULATOR, ARBITRATION)]
        wait_until(
            lambda: all(
                json.loads(one.evaluate("GetEnrolment", lender.sub))["status"] == "revoked"
                for one in endorsers
            ),
            "the revocation at every endorser's peer",
        )

    def sessions(self, meeting: Meeting, keys: list[LenderKey] | None = None) -> list[str]:
        checks = InsecureDemoChecks(self.services.sessions(), clock=self.clock)
        recorded = checks.check(self.institution, meeting.mtg, [key.sub for key in keys or self.keys])
        assert [item.code for item in recorded] == [None] * len(recorded)
        return [item.session.ses for item in recorded]

    def ballots(self, meeting: Meeting) -> list[SignedBallot]:
        """Return a signed ballot of every lender; the first third rejects m1, everybody approves m2."""
        third = len(self.keys) // 3
        return [
            key.sign(
                meeting,
                {"m1": "reject" if number < third else "approve", "m2": "approve"},
                ses=ses,
                iat=self.clock(),
            )
            for number, (key, ses) in enumerate(zip(self.keys, self.sessions(meeting), strict=True))
        ]
