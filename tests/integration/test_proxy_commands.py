"""A meeting with proxies on the real network, by commands, up to a consistent audit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.meeting_stage import INSTITUTION
from tests.integration.test_meeting_commands import Terminal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network


@pytest.fixture
def terminal(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys, home, tmp_path)


def test_a_lawyer_without_a_claim_votes_for_a_principal(terminal: Terminal) -> None:
    mtg = "lawyers"
    terminal.open(mtg, "--proxies")
    principal = terminal.sub(mtg, 5)
    person = terminal.folder / "person.json"
    register = ("mandate", "register-proxy", str(person), "--institution")
    person.write_text('{"name": "张律师", "id_type": "passport"}', encoding="utf-8")
    assert "id_no" in terminal.fails(2, *register, INSTITUTION)
    lawyer_is = {"name": "张律师", "id_type": "passport", "id_no": "L20260302", "phone": "0755 1234567"}
    person.write_text(json.dumps(lawyer_is), encoding="utf-8")
    assert "NobodyMSP" in terminal.fails(2, *register, "NobodyMSP")
    lawyer = terminal.ok(*register, INSTITUTION)["sub"]
    assert terminal.ok(*register, INSTITUTION)["sub"] == lawyer
    keys = [str(terminal.folder / f"{name}.json") for name in ("principal", "lawyer")]
    for sub, key in zip((principal, lawyer), keys, strict=True):
        terminal.ok("ballot", "enrol", sub, "--institution", INSTITUTION, "--out", key, "--insecure-demo")
    mandate = str(terminal.folder / "mandate.jws")
    terminal.ok("mandate", "sign", mtg, "--lender", keys[0], "--proxy", lawyer, "--out", mandate)
    terminal.ok("mandate", "record", mandate)
    casting = ("ballot", "cast", mtg, "--lender", keys[1], "--insecure-demo", "--vote", "m1=approve")
    assert "ROLL_LEAF_FOREIGN" in terminal.fails(1, *casting)  # no claim, no ballot of its own
    terminal.ok(*casting, "--mandate", mandate)
    past: Any = terminal.ok("ballot", "history", mtg, principal)
    assert [(one["state"], one["proxy"]) for one in past] == [("counts", lawyer)]
    assert terminal.ok("audit", "run", "--meeting", mtg)["verdict"] == "consistent"


def test_a_proxy_votes_and_the_principal_prevails(terminal: Terminal) -> None:
    mtg = "proxies"
    record = terminal.open(mtg, "--proxies")
    subs = [terminal.sub(mtg, number) for number in (3, 4)]  # others enrol the first three
    keys = [str(terminal.folder / f"key-{number}.json") for number in range(2)]
    for sub, key in zip(subs, keys, strict=True):
        terminal.ok("ballot", "enrol", sub, "--institution", INSTITUTION, "--out", key, "--insecure-demo")
    mandate, receipt = (str(terminal.folder / name) for name in ("mandate.jws", "receipt.json"))
    signing = ("mandate", "sign", mtg, "--lender", keys[0], f"--proxy={subs[1]}", "--out", mandate)
    assert "can't be written" in terminal.fails(2, *signing[:-1], str(terminal.home / "nowhere" / "m.jws"))
    signed = terminal.ok(*signing)
    assert "gave no mandate" in terminal.fails(1, "mandate", "show", mtg, subs[0])
    by_proxy = ("ballot", "cast", mtg, "--lender", keys[1], "--mandate", mandate, "--insecure-demo")
    assert "MANDATE_NOT_FOUND" in terminal.fails(1, *by_proxy, "--vote", "m1=reject")
    for _ in range(2):
        assert terminal.ok("mandate", "record", mandate)["digest"] == signed["digest"]
    terminal.ok(*by_proxy, "--vote", "m1=reject", "--receipt", receipt)
    verified = terminal.ok("receipt", "verify", receipt, *terminal.roots())
    assert (verified["sub"], verified["votes"]) == (subs[0], {"m1": "reject"})
    for _ in range(2):
        assert terminal.ok("mandate", "revoke", mtg, "--lender", keys[0])["revoked"]
    assert terminal.ok("mandate", "show", mtg, subs[0])["proxy"] == subs[1]
    assert "MANDATE_REVOKED" in terminal.fails(1, "mandate", "record", mandate)
    assert "MANDATE_REVOKED" in terminal.fails(1, *by_proxy, "--vote", "m1=approve", "--seq", "2")
    own = ("--insecure-demo", "--vote", "m1=approve")
    for key in keys:
        terminal.ok("ballot", "cast", mtg, "--lender", key, *own)
    past: Any = terminal.ok("ballot", "history", mtg, subs[0])
    assert [(one["state"], one["proxy"]) for one in past] == [("replaced", subs[1]), ("counts", None)]
    for to in ("closing", "closed"):
        terminal.ok("meeting", "step", mtg, to, "--at", record["closes_at"])
        terminal.ok("meeting", "step", mtg, to, "--confirm", "--insecure-ahead")
    result = terminal.ok("meeting", "result", mtg)
    assert (result["ballots"], result["motions"]["m1"]["choices"]["reject"]["*"]) == (2, [0, 0])
    assert terminal.ok("audit", "run", "--meeting", mtg)["verdict"] == "consistent"
