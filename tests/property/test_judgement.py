"""What holds for every ballot: both entries mean the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from client.encodings.ballot import Vote, sign_ballot
from client.encodings.batch import decode_entry, encode_entry
from client.encodings.entries import compact_entry, raw_entry, read_entry
from client.encodings.judge import Accepted, Context, judge_entry
from tests.property.strategies import legal_votes, small_scene
from tests.vectors.scene import ACK_TIME

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
