"""Puts a meeting of synthetic lenders on a real network, ready for ballots."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from client.bench.cohort import Term
from client.bench.many import collector_paused
from client.encodings import jcs
from client.gateway.errors import EvaluateError
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting
from client.meetings.supervisor import RollLine
from client.platform.times import to_text
from client.sessions.insecure import METHOD

if TYPE_CHECKING:
    from client.bench.cohort import Voter
    from client.bench.shards import Cohort
    from client.connection import Profile
    from client.encodings.meeting import Meeting
    from client.services import Services

ASSOCIATION: Final = "AssociationMSP"
REGULATOR: Final = "RegulatorMSP"
_LENGTH: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Staged:
    """An open meeting; voters `span` of the cohort are its whole roll. `block` is the opening's."""

    meeting: Meeting
    term: Term
    cohort: Cohort
    span: tuple[int, int]
    block: int

    @property
    def size(self) -> int:
        """How many voters there are."""
        return self.span[1] - self.span[0]

    @property
    def voters(self) -> list[Voter]:
        """All of them at once, for those who have memory for it."""
        return list(self.cohort.voters(*self.span))


def open_meeting(services: Services, cohort: Cohort, span: tuple[int, int], name: str) -> Staged:
    """Freeze a roll of voters `span`, and propose, confirm and open a meeting for them."""
    mtg = f"bench-{name}-{secrets.token_hex(4)}"
    institution = cohort.institution
    start = datetime.now(UTC) - timedelta(seconds=1)
    with collector_paused():
        roll = FrozenRoll.freeze((voter.leaf(mtg) for voter in cohort.voters(*span)), to_text(start))
        meeting = build_meeting(
            mtg=mtg,
            institution=institution,
            title="Benchmark",
            roll=roll.summary,
            motions=motions(["Repayment plan", "Supervisory committee"]),
            opens_at=to_text(start),
            closes_at=to_text(start + _LENGTH),
            objections_until=to_text(start + 2 * _LENGTH),
            genesis=services.genesis(institution),
            methods=[METHOD],
        )
        convener, supervisor = services.convener(institution), services.supervisor(institution)
        convener.propose(meeting, roll)
        supervisor.confirm(mtg, [RollLine(leaf, leaf.sub) for leaf in roll.leaves])
        opened = supervisor.confirm_step(mtg, convener.propose_step(mtg, "open"))
    return Staged(meeting, Term.of(mtg), cohort, span, opened.block)


def bench_institution(profile: Profile) -> str:
    """Return the institution whose channel the benchmarks use: the network's first."""
    return next(channel.institution for channel in profile.channels.values() if channel.institution)


def registered_issuer(profile: Profile) -> bytes | None:
    """Return the lender CA certificate (DER) that the institution has on `identity`, None without one."""
    institution = bench_institution(profile)
    with profile.gateway(institution, "officer") as gateway:
        officer = gateway.network("identity").contract("identity")
        try:
            record = jcs.loads(officer.evaluate("GetIssuer", institution))
        except EvaluateError as error:
            if any("ISSUER_NOT_FOUND" in message for message in error.chaincode_messages):
                return None
            raise
    return base64.b64decode(record["certificate"])
