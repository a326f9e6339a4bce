"""Puts a meeting of synthetic lenders on a real network, ready for ballots."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from client.bench.cohort import recruit
from client.encodings import jcs
from client.enrolment.issuer import register_issuer
from client.errors import UserError
from client.gateway.errors import EvaluateError
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting
from client.meetings.supervisor import RollLine
from client.platform.chain import commit
from client.platform.times import to_text
from client.platform.verdicts import Verdicts
from client.sessions.insecure import METHOD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from client.bench.cohort import Voter
    from client.bench.issuer import BenchIssuer
    from client.bench.progress import Progress
    from client.connection import Profile
    from client.encodings.meeting import Meeting
    from client.relay.services import Services

ASSOCIATION = "AssociationMSP"
REGULATOR = "RegulatorMSP"
_CHUNK = 1000
_LENGTH = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Staged:
    """An open meeting whose voters are enrolled and hold a session each."""

    meeting: Meeting
    roll: FrozenRoll
    voters: Sequence[Voter]


def stage(
    services: Services,
    issuer: BenchIssuer,
    name: str,
    count: int,
    *,
    seed: int,
    progress: Progress,
) -> Staged:
    """Enrol `count` new lenders, hold and open a meeting for them, and record their sessions."""
    institution = bench_institution(services.profile)
    officer, regulator = (services.identity(msp, "officer") for msp in (institution, REGULATOR))
    register_issuer(officer, regulator, institution, issuer.der)
    mtg = f"bench-{name}-{secrets.token_hex(4)}"
    with progress.stage(f"{name}: keys and certificates", count) as advance:
        voters = recruit(count, issuer, institution=institution, mtg=mtg, seed=seed, progress=advance)
    verifier = services.identity(ASSOCIATION, "verifier")
    with progress.stage(f"{name}: enrolments on identity", count) as advance:
        for chunk in _chunks(voters):
            _all_accepted(commit(verifier, "Enrol", jcs.dumps([v.enrolment() for v in chunk])).result, chunk)
            advance(len(chunk))
    meeting, roll = _open_meeting(services, mtg, voters)
    with progress.stage(f"{name}: sessions on identity", count) as advance:
        for chunk in _chunks(voters):
            documents = jcs.dumps([voter.session.as_json() for voter in chunk])
            _all_accepted(commit(verifier, "RecordSessions", documents).result, chunk)
            advance(len(chunk))
    return Staged(meeting, roll, voters)


def _open_meeting(services: Services, mtg: str, voters: Sequence[Voter]) -> tuple[Meeting, FrozenRoll]:
    start = datetime.now(UTC) - timedelta(seconds=1)
    roll = FrozenRoll.freeze([voter.leaf for voter in voters], to_text(start))
    institution = bench_institution(services.profile)
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
    supervisor.confirm_step(mtg, convener.propose_step(mtg, "open"))
    return meeting, roll


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


def _all_accepted(answer: bytes, voters: Sequence[Voter]) -> None:
    verdicts = Verdicts.parse(answer, len(voters))
    bad = {**verdicts.refused, **verdicts.pending}
    if bad:
        raise UserError(
            f"identity did not take {len(bad)} of {len(voters)} records: {sorted(set(bad.values()))}"
        )


def _chunks(voters: Sequence[Voter]) -> Iterator[Sequence[Voter]]:
    for begin in range(0, len(voters), _CHUNK):
        yield voters[begin : begin + _CHUNK]
