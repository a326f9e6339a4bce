"""What holds for every ballot: both entries mean the same, and counting never depends on order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from client.encodings.ballot import Vote, sign_ballot
from client.encodings.batch import decode_entry, encode_entry
from client.encodings.entries import compact_entry, raw_entry, read_entry
from client.encodings.judge import Accepted, Context, judge_entry
from client.encodings.tally import Tally
from tests.property import strategies
from tests.property.strategies import legal_votes, small_scene
from tests.vectors.scene import ACK_TIME

if TYPE_CHECKING:
    from client.encodings.leaf import Claim

SCENE = small_scene()


@given(legal_votes(SCENE.meeting), st.sampled_from(sorted(SCENE.lenders)), st.integers(1, 1000))
def test_a_compact_entry_rebuilds_the_very_jws(votes: dict[str, Vote], name: str, seq: int) -> None:
    lender = SCENE.lenders[name]
    signed = sign_ballot(SCENE.ballot(lender, votes, seq), lender.x5t, lender.key)
    leaf, index, proof = SCENE.leaf(lender), SCENE.index(lender), SCENE.proof(lender)
    place: dict[str, Any] = {"index": index, "proof": proof, "ack_no": 1, "ack_time": ACK_TIME}
    compact = decode_entry(encode_entry(compact_entry(signed, SCENE.meeting, leaf, **place)))
    assert read_entry(compact, SCENE.meeting).complete(lender.x5t) == signed
    context = Context(SCENE.meeting, SCENE.cap, lender.enrolment(), SCENE.session(lender, seq))
    raw = raw_entry(signed.compact, leaf.encode(), **place)
    one, two = judge_entry(compact, context), judge_entry(raw, context)
    assert one == two == Accepted(signed, leaf, 1, None)


Cast = tuple[tuple["Claim", ...], dict[str, Vote]]


@st.composite
def casts(draw: st.DrawFn) -> list[Cast]:
    """Draw ballots of distinct lenders of the small meeting's roll."""
    chosen = draw(st.lists(st.sampled_from(range(len(SCENE.leaves))), unique=True))
    return [(SCENE.leaves[index].claims, draw(legal_votes(SCENE.meeting))) for index in chosen]


def tally_of(cast: list[Cast]) -> Tally:
    tally = Tally(SCENE.meeting)
    for claims, votes in cast:
        tally.add(claims, votes)
    return tally


@given(casts(), st.randoms())
def test_the_result_is_independent_of_order(cast: list[Cast], random: Any) -> None:
    shuffled = list(cast)
    random.shuffle(shuffled)
    assert tally_of(cast).result() == tally_of(shuffled).result()
    assert tally_of(cast).subtotal() == tally_of(shuffled).subtotal()


@given(casts(), st.data())
def test_a_revote_counts_as_if_it_were_the_first(cast: list[Cast], data: st.DataObject) -> None:
    tally = tally_of(cast)
    final = []
    for claims, votes in cast:
        later = data.draw(legal_votes(SCENE.meeting))
        tally.replace(claims, votes, later)
        final.append((claims, later))
    assert tally.result() == tally_of(final).result()
    assert tally.subtotal() == tally_of(final).subtotal()


@given(casts())
def test_the_figures_are_those_of_a_naive_count(cast: list[Cast]) -> None:
    result = json.loads(tally_of(cast).result())
    for motion in SCENE.meeting.motions:
        for choice in motion.choices:
            for scope, cell in result["motions"][motion.id]["choices"][choice].items():
                amounts = [
                    sum(claim.fen for claim in claims if scope in ("*", claim.cls))
                    for claims, votes in cast
                    if choice in (votes[motion.id] if motion.max_choices > 1 else [votes[motion.id]])
                    and any(scope in ("*", claim.cls) for claim in claims)
                ]
                assert cell == [len(amounts), sum(amounts)]


@settings(max_examples=50)
@given(strategies.meetings(), st.data())
def test_any_meeting_can_be_tallied(meeting: Any, data: st.DataObject) -> None:
    tally = Tally(meeting)
    claims = data.draw(strategies.claims())
    tally.add(claims, data.draw(legal_votes(meeting)))
    result = json.loads(tally.result())
    assert result["ballots"] == 1
    for motion in result["motions"].values():
        for test in motion["tests"]:
            numerator, denominator, (n, d) = test["numerator"], test["denominator"], test["fraction"]
            more, equal = numerator * d > denominator * n, numerator * d == denominator * n
            assert test["passed"] == (denominator > 0 and (more or (equal and test["comparator"] == ">=")))
        assert motion["passed"] == all(test["passed"] for test in motion["tests"])
