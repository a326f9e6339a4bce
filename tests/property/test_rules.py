"""What holds for every tally: order is nothing, yes never harms, margins are exact, Go and Python agree."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.evaluation import Outcome, Poll, apply_tests, decide
from auditor.margins import margin, motion_margin
from auditor.rules import Change, CountedBallot, result_bytes, tally
from auditor.weights import Weights
from client.encodings.rules import Rules, Test
from tests.property.tallies import Assembly, as_json, assembly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.encodings.motion import Motion

CHAINCODE = Path(__file__).parents[2] / "chaincode"
TALLIES = int(os.environ.get("CONCORDAT_TALLIES", "10000"))
PER_MEETING = 50
ANSWERS = ("yes", "no", "abstain")

randoms = st.integers(0, 2**32).map(Random)


def encoded(meeting: Any, ballots: list[CountedBallot]) -> bytes:
    change = Change(meeting)
    for ballot in ballots:
        change.add(ballot, None)
    return change.encode()


@given(randoms)
def test_the_result_is_independent_of_order(random: Random) -> None:
    found = assembly(random)
    ballots = found.ballots(random)
    shuffled = random.sample(ballots, len(ballots))
    assert encoded(found.meeting, ballots) == encoded(found.meeting, shuffled)
    assert result_bytes(found.meeting, tally(found.meeting, ballots)) == result_bytes(
        found.meeting, tally(found.meeting, shuffled)
    )


@given(randoms)
def test_a_revote_counts_as_if_it_were_the_first(random: Random) -> None:
    found = assembly(random)
    change, final = Change(found.meeting), []
    for ballot in found.ballots(random):
        later = CountedBallot(ballot.claims, found.votes(random), ballot.excluded)
        change.add(ballot, None)
        change.add(later, ballot)
        final.append(later)
    assert change.encode() == encoded(found.meeting, final)


@given(randoms)
def test_the_figures_are_those_of_a_naive_count(random: Random) -> None:
    found = assembly(random)
    ballots = found.ballots(random)
    result = json.loads(result_bytes(found.meeting, tally(found.meeting, ballots)))
    for motion in found.meeting.motions:
        for choice, scopes in result["motions"][motion.id]["choices"].items():
            for scope, cell in scopes.items():
                amounts = [
                    sum(claim.fen for claim in one.claims if scope in ("*", claim.cls))
                    for one in ballots
                    if motion.id not in one.excluded
                    and choice in (one.votes[motion.id] if motion.max_choices > 1 else [one.votes[motion.id]])
                    and any(scope in ("*", claim.cls) for claim in one.claims)
                ]
                assert cell == [len(amounts), sum(amounts)]


@given(randoms)
def test_the_disputed_claims_could_as_well_not_be_there(random: Random) -> None:
    """Without them a meeting comes to what its result says that it would have come to."""
    found = assembly(random)
    ballots = found.ballots(random)
    result = json.loads(result_bytes(found.meeting, tally(found.meeting, ballots)))
    classes = tuple(entry.cls for entry in found.meeting.roll.classes)
    for motion in found.meeting.motions:
        poll = Poll(Weights())
        for leaf in found.leaves:
            firm = tuple(claim for claim in leaf.claims if not claim.decision)
            if firm and motion.id not in leaf.excluded:
                poll.eligible.add(firm)
        for one in ballots:
            firm = tuple(claim for claim in one.claims if not claim.decision)
            if firm and motion.id not in one.excluded:
                poll.add(motion, firm, one.votes[motion.id])
        own = result["motions"][motion.id]
        if "disputed" in own:
            assert own["disputed"]["passed"] == decide(motion, poll, classes)["passed"]


tests = st.builds(
    Test,
    name=st.just("t"),
    scope=st.just("all"),
    count=st.sampled_from(("yes", "no", "present", "voted")),
    base=st.sampled_from(("eligible", "present", "voted")),
    unit=st.sampled_from(("heads", "fen")),
    comparator=st.sampled_from((">", ">=")),
    fraction=st.tuples(st.integers(1, 6), st.integers(1, 6)).map(lambda pair: (min(pair), max(pair))),
)
answers = st.tuples(*[st.integers(0, 4)] * 4)
"""How many say yes, no, abstain, and are absent."""


def poll_of(yes: int, no: int, abstain: int, absent: int) -> Poll:
    def weights(count: int) -> Weights:
        return Weights({"*": [count, count]})

    present = yes + no + abstain
    return Poll(weights(present + absent), weights(present), weights(yes + no), weights(yes))


def outcome_of(test: Test, poll: Poll) -> Outcome:
    figures = [poll.of(what, "all", test.unit, poll.favour) for what in (test.count, test.base)]
    return Outcome(test, "all", figures[0], figures[1])


@given(tests, answers)
def test_required_is_the_least_numerator_that_passes(test: Test, answer: tuple[int, ...]) -> None:
    outcome = outcome_of(test, poll_of(*answer))
    assert outcome.passed == (outcome.denominator > 0 and outcome.numerator >= outcome.required)
    passing = [
        n for n in range(outcome.denominator + 2) if Outcome(test, "all", n, outcome.denominator).passed
    ]
    assert outcome.required == (passing[0] if passing else 1)


def moved(answer: tuple[int, ...], sources: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every answer that some of the sources' lenders could have given otherwise, and how many those are."""
    pairs = [(source, target) for source in sources for target in range(3) if source != target]
    for counts in product(*(range(answer[source] + 1) for source, _ in pairs)):
        new, left = list(answer), list(answer)
        for (source, target), count in zip(pairs, counts, strict=True):
            new[source] -= count
            left[source] -= count
            new[target] += count
        if min(left) >= 0:
            yield sum(counts), tuple(new)


@given(tests, st.tuples(*[st.integers(0, 2)] * 3, st.integers(0, 4)))
def test_margins_are_those_that_trying_everything_finds(test: Test, answer: tuple[int, ...]) -> None:
    poll = poll_of(*answer)
    outcome = outcome_of(test, poll)
    found = margin(outcome, poll, poll.favour)
    for weight, sources in ((found.switch, (0, 1, 2)), (found.add, (3,))):
        turned = [
            count
            for count, new in moved(answer, sources)
            if outcome_of(test, poll_of(*new)).passed != outcome.passed
        ]
        assert weight == min(turned, default=None)


@given(st.lists(tests, min_size=1, max_size=2), st.tuples(*[st.integers(0, 2)] * 3, st.integers(0, 3)))
def test_no_less_than_the_margin_changes_a_motion(rules: list[Test], answer: tuple[int, ...]) -> None:
    def outcomes(now: tuple[int, ...]) -> list[tuple[Outcome, Any]]:
        poll = poll_of(*now)
        pairs = [outcome_of(test, poll) for test in rules]
        return [(one, margin(one, poll, poll.favour)) for one in pairs]

    def passes(now: tuple[int, ...]) -> bool:
        return all(outcome_of(test, poll_of(*now)).passed for test in rules)

    found = motion_margin(outcomes(answer), passed=passes(answer))
    for how, sources in (("switch", (0, 1, 2)), ("add", (3,))):
        turned = min((c for c, new in moved(answer, sources) if passes(new) != passes(answer)), default=None)
        least = found[how]
        if least is None:
            assert turned is None
        elif found["needs"] == "any":
            assert turned == min(least.values())
        else:
            assert turned is None or turned >= max(least.values())


@given(tests.filter(lambda test: test.count == "yes" or test.base == "eligible"), answers)
def test_a_vote_in_favour_never_harms(test: Test, answer: tuple[int, ...]) -> None:
    if test.count == "no" or not outcome_of(test, poll_of(*answer)).passed:
        return
    for source in (1, 2, 3):
        if answer[source]:
            new = list(answer)
            new[source] -= 1
            new[0] += 1
            assert outcome_of(test, poll_of(*new)).passed, ANSWERS


@given(randoms)
def test_a_class_with_nobody_to_ask_is_not_asked(random: Random) -> None:
    found = assembly(random)
    for motion in found.meeting.motions:
        one = _each(motion)
        empty = Poll(Weights())
        assert apply_tests(one, empty, ("a", "b"), Weights()) == ()
        assert decide(one, empty, ("a", "b"))["passed"] is False


def _each(motion: Motion) -> Motion:
    from dataclasses import replace  # noqa: PLC0415  used once

    test = Test("t", "each", "yes", "voted", "heads", ">", (1, 2))
    return replace(motion, election=None, rules=Rules("each", ("p",), (), (test,)))


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chaincode's own count and rules as a program."""
    program = tmp_path_factory.mktemp("rules") / "rules"
    subprocess.run(["go", "build", "-o", program, "./cmd/rules"], cwd=CHAINCODE, check=True)
    return program


def both(found: Assembly, ballots: list[CountedBallot]) -> dict[str, str]:
    result = result_bytes(found.meeting, tally(found.meeting, ballots))
    return {"subtotal": encoded(found.meeting, ballots).decode(), "result": result.decode()}


@pytest.mark.timeout(86400)
def test_random_tallies_agree_between_go_and_python(evaluator: Path) -> None:
    """CONCORDAT_TALLIES of them, 10,000 unless it says otherwise."""
    random = Random(2026)  # noqa: S311  the same tallies every time
    passed: set[bool] = set()
    with subprocess.Popen([evaluator], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(-(-TALLIES // PER_MEETING)):
            found = assembly(random)
            tallies = [found.ballots(random) for _ in range(PER_MEETING)]
            asked = {
                "record": found.meeting.record.decode(),
                "tallies": [[as_json(one) for one in ballots] for ballots in tallies],
            }
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            answers = json.loads(process.stdout.readline())
            assert answers == [both(found, ballots) for ballots in tallies]
            passed |= {
                motion["passed"]
                for one in answers
                for motion in json.loads(one["result"])["motions"].values()
            }
        process.stdin.close()
    assert process.returncode == 0
    assert passed == {True, False}
