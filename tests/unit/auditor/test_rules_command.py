"""`concordat rules evaluate`: files in, the answer, its exit code and what it refuses out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from client.cli.main import main
from client.meetings.profiles import PROFILES, motion, rules

if TYPE_CHECKING:
    from pathlib import Path

ROLL: dict[str, Any] = {
    "heads": 5,
    "fen": 1000,
    "classes": [{"class": "a", "heads": 4, "fen": 800}, {"class": "b", "heads": 1, "fen": 200}],
}
DISPUTED = [{"class": "*", "heads": 1, "fen": 200}, {"class": "a", "heads": 1, "fen": 200}]


def ballot(vote: Any, cls: str = "a", fen: int = 200, **more: Any) -> dict[str, Any]:
    decision = {"decision": "ab" * 32} if more.pop("disputed", False) else {}
    return {"claims": [{"class": cls, "fen": fen} | decision], "vote": vote, **more}


def tally(*ballots: dict[str, Any], roll: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"v": 1, "roll": ROLL | (roll or {}), "ballots": list(ballots), **more}


@pytest.fixture
def evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(rule: Any, counted: Any, *options: str) -> tuple[int, Any, str]:
        for name, value in (("rules.json", rule), ("tally.json", counted)):
            (tmp_path / name).write_text(json.dumps(value), "utf-8")
        files = ["--rules", str(tmp_path / "rules.json"), "--tally", str(tmp_path / "tally.json")]
        code = main(["rules", "evaluate", *files, *(options or ("--json",))])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out and not options else out.out, out.err

    return run


def test_a_motion_that_passes(evaluate: Any) -> None:
    code, found, _ = evaluate(rules(), tally(*[ballot("approve")] * 3, ballot("reject", "b")))
    assert code == 0
    assert found["passed"] is True
    assert [(t["numerator"], t["denominator"], t["required"], t["passed"]) for t in found["tests"]] == [
        (3, 4, 3, True),
        (800, 1000, 667, True),
        (600, 800, 401, True),
    ]
    # One more against makes 3 of 5; two switched, or no number of lenders who are left, change it.
    assert [t["margin"] for t in found["tests"]] == [
        {"switch": 1, "add": None},
        {"switch": None, "add": None},
        {"switch": 200, "add": None},
    ]
    assert found["margin"] == {"needs": "any", "switch": {"heads": 1, "fen": 200}, "add": None}


def test_figures_say_the_same_as_ballots(evaluate: Any) -> None:
    figures = {
        "v": 1,
        "roll": ROLL,
        "present": {"*": [4, 800], "a": [3, 600], "b": [1, 200]},
        "choices": {"approve": {"*": [3, 600], "a": [3, 600]}, "reject": {"*": [1, 200], "b": [1, 200]}},
    }
    ballots = tally(*[ballot("approve")] * 3, ballot("reject", "b"))
    assert evaluate(rules(), figures) == evaluate(rules(), ballots)


def test_a_motion_that_fails_for_people(evaluate: Any) -> None:
    code, text, error = evaluate(
        motion("m1", "Plan"), tally(ballot("approve"), ballot("reject")), "--motion=m1"
    )
    assert code == 1
    assert "heads (all): 1 of 2 heads, 2 required: no" in text
    assert "1 ballots and 267 fen more cast, would have changed it" in text
    assert "m1 did not pass" in error


@pytest.mark.parametrize(
    ("profile", "passed"),
    [
        ("cn-p2p-exit", True),
        ("cn-ebl-64", True),
        ("cn-ebl-84", False),
        ("us-1126c", True),
        ("uk-part26", True),
        ("uk-part26a", True),
        ("sg-210", True),
    ],
)
def test_profiles(evaluate: Any, profile: str, passed: bool) -> None:
    """All who vote are in favour, which is 5/8 of class a: only article 84 asks for the absent too."""
    ballots = [ballot("approve", fen=250), ballot("approve", fen=250), ballot("approve", "b")]
    code, found, _ = evaluate(rules(profile), tally(*ballots))
    assert (code, found["passed"]) == (0 if passed else 1, passed)


def test_there_are_seven_profiles() -> None:
    assert len(PROFILES) == 7


@pytest.mark.parametrize(("revote", "passed"), [("last", False), ("first", True)])
def test_revotes(evaluate: Any, revote: str, passed: bool) -> None:
    again = [ballot("reject", voter="x", seq=2), ballot("approve", voter="x", seq=1)]
    _, found, _ = evaluate(rules("uk-part26a"), tally(*again, ballot("approve", "b"), revote=revote))
    assert found["passed"] is passed


def test_disputed_claims_that_tip_it(evaluate: Any) -> None:
    cast = [ballot("approve"), ballot("approve", disputed=True), ballot("reject")]
    _, found, _ = evaluate(_majority(), tally(*cast, roll={"disputed": DISPUTED}))
    assert found["passed"] is True
    assert found["disputed"] == {"passed": False, "tipped": True}


def test_a_connected_party_is_not_counted(evaluate: Any) -> None:
    excluded = [{"motion": "m1", **line} for line in DISPUTED]
    cast = [ballot("approve"), ballot("reject", excluded=["m1"])]
    _, found, _ = evaluate(_majority(), tally(*cast, roll={"excluded": excluded}))
    assert (found["tests"][0]["numerator"], found["tests"][0]["denominator"]) == (1, 1)


def test_an_election(evaluate: Any) -> None:
    test = _majority()["tests"][0] | {"fraction": [1, 4]}
    named = {
        "choices": ["ann", "ben", "cai", "none"],
        "max_choices": 2,
        "seats": 2,
        "by": "heads",
        "tie": "fen",
    }
    ruled = {"rules": {"profile": "board", "yes": [], "abstain": ["none"], "tests": [test]}}
    board = motion("m1", "Board") | {"kind": "election"} | named | ruled
    cast = [ballot(["ann", "ben"]), ballot(["ann"]), ballot(["cai"], "b", 150), ballot(["none"])]
    code, found, _ = evaluate(board, tally(*cast))
    assert code == 0
    assert found["election"]["elected"] == ["ann", "ben"]
    assert found["election"]["candidates"]["cai"]["tests"][0]["margin"] == {"switch": 1, "add": 1}
    # Ben and Cai have a ballot each, and money decides between them: half of the 50 fen, or 50 more.
    switch, add = {"heads": 1, "fen": 25}, {"heads": 1, "fen": 50}
    assert found["margin"] == {"needs": "any", "switch": switch, "add": add}


def _majority() -> dict[str, Any]:
    test = {"name": "t", "scope": "all", "count": "yes", "base": "voted", "unit": "heads"}
    return rules() | {"tests": [test | {"comparator": ">", "fraction": [1, 2]}]}


REFUSED: dict[str, tuple[Any, Any, str]] = {
    "no roll": (rules(), {"v": 1, "ballots": []}, "roll is not an object"),
    "a roll that doesn't add up": (rules(), tally(roll={"fen": 999}), "the classes have 1000 fen"),
    "no version": (rules(), {"roll": ROLL, "ballots": []}, "with v 1"),
    "a version that is a boolean": (rules(), tally(v=True), "with v 1"),
    "a version with a fraction": (rules(), tally(v=1.0), "not an integer|not JSON"),
    "an unknown member": (rules(), tally(result=1), "other members"),
    "an unknown choice": (rules(), tally(ballot("perhaps")), "no vote on the motion"),
    "several choices": (rules(), tally(ballot(["approve"])), "no vote on the motion"),
    "more than is on the roll": (rules(), tally(*[ballot("approve", "b")] * 2), "more in all|more in b"),
    "a voter twice": (rules(), tally(*[ballot("approve", voter=1)] * 2), "has voted"),
    "revotes of one seq": (
        rules(),
        tally(*[ballot("approve", voter=1, seq=1)] * 2, revote="last"),
        "a seq each",
    ),
    "revote always": (rules(), tally(revote="always"), "none of none, last, first"),
    "a ballot without a vote": (rules(), tally({"claims": []}), "ballot 0: other members"),
    "rules of another form": ({"yes": ["approve"]}, tally(), "rules: other members"),
    "rules that are none": ([], tally(), "not an object"),
    "rules whose yes is a number": ({"yes": 5}, tally(), "yes is not a list"),
    "rules whose yes holds a list": ({"yes": [["approve"]]}, tally(), "yes is not a list"),
    "motions that are a number": ({"motions": 5}, tally(), "motions is not a list"),
    "motions that are numbers": ({"motions": [5]}, tally(), "motions is not a list"),
    "a voter that is a list": (rules(), tally(ballot("approve", voter=[])), "ballot 0: voter"),
    "an exclusion that is a text": (
        rules(),
        tally(ballot("approve", excluded="m1")),
        "excluded is not a",
    ),
    "an exclusion that is a number": (
        rules(),
        tally(ballot("approve", excluded=5)),
        "excluded is not a",
    ),
    "a vote that is a number": (rules(), tally(ballot(5)), "no vote on the motion"),
    "a vote that holds a list": (rules(), tally(ballot([["approve"]])), "not a list of names"),
    "a record of two motions": ({"motions": [motion("m1", "A"), motion("m2", "B")]}, tally(), "--motion"),
    "figures without those present": (rules(), {"v": 1, "roll": ROLL, "choices": {}}, "other members"),
    "figures that don't add up": (
        rules(),
        {"v": 1, "roll": ROLL, "present": {"*": [1, 1]}, "choices": {}},
        "don't add up",
    ),
    "figures of an unknown choice": (
        rules(),
        {"v": 1, "roll": ROLL, "present": {}, "choices": {"perhaps": {}}},
        "not an object of the motion's choices",
    ),
    "figures of an unknown class": (
        rules(),
        {"v": 1, "roll": ROLL, "present": {"z": [0, 0]}, "choices": {}},
        "roll's classes",
    ),
    "half a figure": (
        rules(),
        {"v": 1, "roll": ROLL, "present": {"a": [0]}, "choices": {}},
        "heads, fen",
    ),
    "figures of disputed claims": (
        rules(),
        {"v": 1, "roll": ROLL | {"disputed": DISPUTED}, "present": {}, "choices": {}},
        "needs the ballots",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(evaluate: Any, name: str) -> None:
    rule, counted, words = REFUSED[name]
    code, _, error = evaluate(rule, counted)
    assert code == 2
    assert any(one in error for one in words.split("|")), error


def test_a_voter_called_by_a_number_is_not_whoever_stands_there(evaluate: Any) -> None:
    code, found, _ = evaluate(_majority(), tally(ballot("approve"), ballot("approve", voter=0)))
    assert (code, found["tests"][0]["numerator"]) == (0, 2)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"yes":[],"yes":["approve"]}'])
def test_a_file_that_is_not_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "x").write_text(text, "utf-8")
    assert main(["rules", "evaluate", "--rules", str(tmp_path / "x"), "--tally", str(tmp_path / "x")]) == 2
    assert "is not JSON" in capsys.readouterr().err
