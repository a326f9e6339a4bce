"""The demonstration from beginning to end."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from client.demo import meeting as stages
from client.demo.audit import audit, tamper
from client.demo.disputes import certify, dispute
from client.demo.errors import DemoFailed
from client.demo.faces import FaceChecks
from client.demo.refusals import changed_mind, refusal_by_chaincode, refusal_by_desk, signed_by
from client.enrolment.approvals import MISSING
from client.platform import database_url
from client.receipts import ReceiptOffice, verify
from client.rolls import generate_csv, write_roll
from client.rolls.yuan import format_yuan
from client.services import Services
from network import topology
from network.down import down
from network.ports import free_base
from network.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from client.demo.meeting import Held, Plan
    from client.demo.show import Show
    from client.encodings.ballot import SignedBallot

_MEETING = "demo-exit-plan"
_FIRST_PORT = 20000


def demonstrate(home: Path, plan: Plan, show: Show) -> Path:
    """Hold one meeting on a network of its own in `home`, audit it, and return the report's path.

    What an earlier demonstration left there is deleted first; the network is stopped whatever happens.
    Raises DemoFailed where anything comes out otherwise than it must.
    """
    logging.getLogger("client").setLevel(logging.ERROR)  # the warning of the insecure method is shown below
    with show.stage("A Fabric network: four organizations, BFT ordering, certificates by Fabric CA"):
        _clear(home)
        up(home, base=free_base(topology.load(topology.DEFAULT_TABLE), _FIRST_PORT))
    try:
        with Services.at(home) as services:
            return _hold(services, home, plan, show)
    finally:
        with show.stage("Everything stopped"):
            down(home)


def _clear(home: Path) -> None:
    down(home, purge=True)
    for path in (
        *home.glob("platform.db*"),
        *home.glob("identity.db*"),
        *home.glob("audit.db*"),
        *(path for suffix in ("json", "html", "pdf", "jws") for path in home.glob(f"report*.{suffix}")),
    ):
        path.unlink()
    for path in (home / "rolls").glob("*"):
        path.unlink()


def _hold(services: Services, home: Path, plan: Plan, show: Show) -> Path:
    held, ballots = _vote(services, home, plan, show)
    with show.stage("Refusals: what must not count"):
        _show_refusals(services, held, ballots, show)
    with show.stage("Close, count, result"):
        _close(services, held, ballots, show)
    result = services.convener(held.meeting.institution).result(_MEETING, 10.0)
    columns = ("motion", "test", "counted", "needed", "passed", "motion is")
    show.table("Result on the channel", columns, stages.result_rows(result))
    with show.stage("Independent audit: every block, every ballot, the tally, the platform's rows"):
        clean = audit(home, _MEETING, database_url(home), home / "report")
        _expect(clean["verdict"] == "consistent", f"the audit found {clean['discrepancies']}")
        show.line(f"{clean['verdict']}: {clean['ballots']} ballots, blocks {clean['blocks']}")
        show.line("the database was read from a snapshot on this same host, and the report says so")
    with show.stage("A lender objects; the institution answers; the arbitration commission decides"):
        stages.step(services, held.meeting, "objections")
        dispute(services, held, show)
    with show.stage("Recount: audited again, the signed tree head anchored; then certified"):
        certify(services, home, held, show)
    with show.stage("One row of the platform's database changed by hand, audited again"):
        found = _tampered(services, home, show)
    return _conclude(home, clean, found, result, show)


def _vote(services: Services, home: Path, plan: Plan, show: Show) -> tuple[Held, list[SignedBallot]]:
    channel = next(entry for entry in services.profile.channels.values() if entry.institution)
    institution = channel.institution or ""
    with show.stage(f"Register of claims: {plan.lenders} lenders, CSV in GB18030"):
        register = generate_csv(plan.lenders, plan.seed, "gb18030")
        roll = stages.import_register(services, institution, _MEETING, register)
        write_roll(roll, home / "rolls" / f"{_MEETING}.jsonl", replace=True)
        summary = roll.summary
        show.line(
            f"{summary.heads} lenders, {format_yuan(summary.fen)} yuan, classes "
            + ", ".join(f"{entry.cls} ({entry.heads})" for entry in summary.classes)
        )
    with FaceChecks.at(home, services.sessions()) as faces:
        with show.stage("Lenders enrolled: identity checks, keys certified by the lender CA, on `identity`"):
            lenders = stages.enrol(services, institution, roll, faces, plan.faces)
            show.refused("a key whose lender passed no check", MISSING, "enrolment")
            show.line(f"{plan.faces} by consents, invitation and a living face that matches; no person was")
            show.line("before a camera: the sequences are SYNTHETIC, one portrait that answers the prompts")
        with show.stage("Meeting announced: proposed by the institution, roll recomputed by the Regulator"):
            # Late enough for the checks that come first, however fast this machine is.
            opens = datetime.now(UTC) + timedelta(seconds=10 + 1.2 * faces.slowest * (plan.faces + 1))
            meeting = stages.announce(
                services, institution, roll, opens, window=plan.window, method=faces.method
            )
            show.line(f"{meeting.mtg}, two motions, record hash {meeting.mh}")
        held = stages.Held(meeting, roll, lenders)
        with show.stage("Identity checks, recorded before any choice is shown"):
            checks = _check_identities(services, held, faces, plan, show)
    with show.stage("Open; ballots signed, acknowledged, relayed in batches, verified by every endorser"):
        stages.wait_until(meeting.opens_at, show.line)
        stages.step(services, meeting, "open")
        ballots = stages.sign_ballots(held, checks)
        acknowledged = stages.cast(services, held, ballots)
        receipt = ReceiptOffice(services.database, _MEETING, services.signer()).issue(acknowledged[0].digest)
        verify(receipt.encode(), meeting)
        (home / "receipt.json").write_bytes(receipt.encode())
        show.line(f"{len(acknowledged)} ballots acknowledged and committed; a receipt verified offline")
    return held, ballots


def _check_identities(
    services: Services, held: Held, faces: FaceChecks, plan: Plan, show: Show
) -> list[stages.Check]:
    reason = faces.check_with_photo(held.meeting, held.lenders[0])
    show.refused("the lender's own photo held up to the camera", reason, "identity check")
    checks = stages.check_identities(services, held, faces, plan)
    distances = ", ".join(check.distance for check in checks if check.distance)
    show.line(f"{plan.faces} lenders by liveness and match with the enrolled key (SYNTHETIC sequences),")
    show.line(f"distances {distances}; no consent to keep a picture, and none was kept")
    if plan.lenders > plan.faces:
        show.line(
            f"WARNING {plan.lenders - plan.faces} lenders by method insecure-demo: NOBODY IS VERIFIED by it;"
        )
        show.line("chaincode takes it only because this meeting's record names it")
    return checks


def _show_refusals(services: Services, held: Held, ballots: list[SignedBallot], show: Show) -> None:
    forged = signed_by(held.lenders[1], ballots[0])
    second = changed_mind(held.lenders[0], ballots[0])
    cases = (
        ("a ballot signed by another lender's key", forged, "KEY_FOREIGN"),
        ("a second ballot with the same seq", second, "SEQ_EQUIVOCATION"),
    )
    for what, ballot, expected in cases:
        by_desk = refusal_by_desk(services, _MEETING, ballot)
        by_chaincode = refusal_by_chaincode(services, held.meeting, ballot)
        _expect(by_desk == by_chaincode == expected, f"{what}: {by_desk}, {by_chaincode}")
        show.refused(what, by_chaincode, "platform, and two orgs' endorsers")


def _close(services: Services, held: Held, ballots: list[SignedBallot], show: Show) -> None:
    stages.wait_until(datetime.fromisoformat(held.meeting.closes_at) + timedelta(seconds=1), show.line)
    late = changed_mind(held.lenders[0], ballots[0])
    by_desk = refusal_by_desk(services, _MEETING, late)
    by_chaincode = refusal_by_chaincode(services, held.meeting, late)
    _expect(by_desk == by_chaincode == "BALLOT_LATE", f"after the close: {by_desk}, {by_chaincode}")
    show.refused("a ballot after the close", by_chaincode, "platform, and two orgs' endorsers")
    for to in ("closing", "closed"):
        stages.step(services, held.meeting, to)


def _tampered(services: Services, home: Path, show: Show) -> dict[str, Any]:
    digest, before, after = tamper(services.database, _MEETING)
    show.line(f"ballot {digest}: {before} -> {after}")
    found = audit(home, _MEETING, database_url(home), home / "report-tampered")
    one = found["discrepancies"][0] if len(found["discrepancies"]) == 1 else {}
    exact = found["verdict"] == "inconsistent" and (one.get("ballot"), one.get("kind")) == (digest, "altered")
    _expect(exact, f"the audit found {found['discrepancies']} instead of the one altered row")
    show.line(
        f"{found['verdict']}: {one['kind']} {one['field']}, chain {one['chain']}, platform {one['platform']}"
    )
    return found


def _conclude(
    home: Path, clean: dict[str, Any], found: dict[str, Any], result: dict[str, Any], show: Show
) -> Path:
    report = home / "report.html"
    rows = [
        ["ballots accepted", str(result["ballots"])],
        *(
            [f"motion {name}", "passed" if motion["passed"] else "not passed"]
            for name, motion in result["motions"].items()
        ),
        ["audit", clean["verdict"]],
        ["audit after one row was changed", f"{found['verdict']}: {len(found['discrepancies'])} discrepancy"],
        ["report", str(report)],
        ["report on the altered row", str(home / "report-tampered.html")],
        ["receipt of one lender", str(home / "receipt.json")],
    ]
    show.table("What happened", ("what", "outcome"), rows)
    summary = {"result": result, "audit": clean, "after_tampering": found}
    (home / "demo.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")
    return report


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise DemoFailed(otherwise)
