"""What holds for every value: parsing undoes encoding, and nothing else parses."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from client.encodings import (
    acknowledgement,
    ballot,
    base64url,
    cbor,
    es256,
    ids,
    jcs,
    jws,
    leaf,
    meeting,
    records,
    step,
    times,
)
from client.encodings.ballot import Ballot, SignedBallot, parse_ballot, sign_ballot
from client.encodings.batch import Entry, decode_batch, decode_entry, encode_batch, encode_entry
from client.encodings.errors import Refused
from tests.property import strategies
from tests.vectors.scene import key_of

KEY = key_of("property")
X5T = base64url.encode(bytes(32))


def standard(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.binary(max_size=70))
def test_base64url_round_trip(data: bytes) -> None:
    text = base64url.encode(data)
    assert base64url.decode(text, len(data)) == data
    assert text == standard(data)


@given(st.text("ABCDwxyz0189-_+/= \n", max_size=12))
def test_base64url_has_one_text_for_one_value(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        with suppress(ValueError):
            assert standard(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) != text
        return
    assert standard(data) == text


@given(
    st.binary(min_size=15, max_size=33).map(base64url.encode)
    | st.from_regex(r"\A[A-Za-z0-9_-]{21,22}\n?\Z")
    | st.from_regex(r"\A[A-Za-z0-9_-]{42,43}=?\Z")
)
def test_ids_and_hashes_are_exactly_the_canonical_texts_of_16_and_32_bytes(text: str) -> None:
    assert ids.is_random_id(text) == base64url.is_canonical(text, ids.ID_BYTES)
    assert ids.is_hash(text) == base64url.is_canonical(text, ids.HASH_BYTES)


@given(strategies.seconds)
def test_time_round_trip(value: int) -> None:
    text = times.form(value)
    assert times.parse(text) == value
    assert len(text) == 20


@given(st.text(max_size=25))
def test_time_has_one_form(text: str) -> None:
    try:
        value = times.parse(text)
    except ValueError:
        return
    assert times.form(value) == text


@given(strategies.json_values)
def test_canonical_json_round_trip(value: Any) -> None:
    data = jcs.dumps(value)
    assert jcs.loads_canonical(data) == value
    assert json.loads(data) == value


_NAMES = st.text(st.characters(max_codepoint=0x7F), max_size=4) | st.text(max_size=3)
_ANYTHING = st.recursive(
    st.integers(-(2**54), 2**54) | _NAMES | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(_ANYTHING)
def test_canonical_json_is_that_of_the_rfc_library_byte_for_byte(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        with pytest.raises(jcs.JsonError):
            jcs.dumps(value)
    else:
        assert jcs.dumps(value) == expected


@given(strategies.json_values)
def test_only_canonical_json_is_canonical(value: Any) -> None:
    other = json.dumps(value, indent=1).encode()
    assert jcs.loads(other) == value
    if other != jcs.dumps(value):
        with pytest.raises(jcs.JsonError):
            jcs.loads_canonical(other)


@given(st.binary(max_size=60))
def test_no_bytes_make_the_json_reader_stumble(data: bytes) -> None:
    for tolerant in (False, True):
        try:
            jcs.loads(data, tolerant=tolerant)
        except jcs.JsonError:
            continue


@given(strategies.leaves)
def test_leaf_round_trip(value: leaf.Leaf) -> None:
    data = value.encode()
    assert leaf.parse_leaf(data) == value
    assert data == rfc8785.dumps(value.as_json())


@given(strategies.ballots)
def test_ballot_round_trip(value: Ballot) -> None:
    length = len(jws.sign(ballot.TYP, X5T, value.payload(), KEY).compact)
    assert jws.compact_length(ballot.TYP, value.payload()) == length
    if length > ballot.MAX_BYTES:
        with pytest.raises(Refused, match="BALLOT_TOO_LONG"):
            sign_ballot(value, X5T, KEY)
        return
    signed = sign_ballot(value, X5T, KEY)
    parsed = parse_ballot(signed.compact)
    assert parsed == signed
    assert parsed.ballot == value
    parsed.verify(KEY.public_key())


@given(strategies.ballots, st.data())
def test_no_changed_character_keeps_a_ballot_valid(value: Ballot, data: st.DataObject) -> None:
    assume(len(value.votes) < 3)
    compact = sign_ballot(value, X5T, KEY).compact
    place = data.draw(st.integers(0, len(compact) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz0189-_.="))
    assume(compact[place] != other)
    with pytest.raises(Refused):
        parse_ballot(compact[:place] + other + compact[place + 1 :]).verify(KEY.public_key())


@given(st.text(max_size=80))
def test_no_text_makes_the_ballot_parser_stumble(text: str) -> None:
    with pytest.raises(Refused):
        parse_ballot(text)


@given(strategies.json_values)
def test_no_payload_makes_the_ballot_parser_stumble(value: Any) -> None:
    with pytest.raises(Refused):
        parse_ballot(jws.sign(ballot.TYP, X5T, jcs.dumps(value), KEY).compact)


@given(st.binary(max_size=100), st.binary(min_size=64, max_size=64))
def test_no_random_signature_verifies(data: bytes, signature: bytes) -> None:
    with pytest.raises(Refused):
        es256.verify(KEY.public_key(), signature, data)


@given(st.binary(max_size=100))
def test_both_halves_of_s_verify(data: bytes) -> None:
    signature = es256.sign(KEY, data)
    s = int.from_bytes(signature[32:], "big")
    es256.verify(KEY.public_key(), signature, data)
    es256.verify(KEY.public_key(), signature[:32] + (es256.ORDER - s).to_bytes(32, "big"), data)


@given(strategies.ballots)
def test_a_malleated_signature_keeps_the_digest(value: Ballot) -> None:
    assume(len(value.votes) < 3)
    signed = sign_ballot(value, X5T, KEY)
    s = es256.ORDER - int.from_bytes(signed.jws.signature[32:], "big")
    malleated = signed.jws.signature[:32] + s.to_bytes(32, "big")
    head = signed.compact.rsplit(".", 1)[0]
    twin: SignedBallot = parse_ballot(f"{head}.{base64url.encode(malleated)}")
    twin.verify(KEY.public_key())
    assert twin.digest == signed.digest


@given(strategies.acknowledgements)
def test_acknowledgement_round_trip(value: acknowledgement.Acknowledgement) -> None:
    signed = acknowledgement.sign_acknowledgement(value, X5T, KEY)
    parsed = acknowledgement.parse_acknowledgement(signed.compact)
    assert parsed.ack == value
    parsed.verify(KEY.public_key())


@given(strategies.steps())
def test_step_round_trip(value: step.Step) -> None:
    assert step.parse_step(value.encode()) == value


@given(strategies.sessions())
def test_session_round_trip(value: records.Session) -> None:
    assert records.parse_session(jcs.dumps(value.as_json())) == value


@given(strategies.meetings())
def test_meeting_round_trip(value: meeting.Meeting) -> None:
    parsed = meeting.parse_meeting(value.record)
    assert parsed == value
    assert parsed.mh == value.mh
    assert parsed.roll.as_json() == json.loads(value.record)["roll"]
    motions = json.loads(value.record)["motions"]
    assert [item.rules.as_json() for item in parsed.motions] == [item["rules"] for item in motions]


@given(strategies.entries)
def test_entry_round_trip(value: Entry) -> None:
    assert decode_entry(encode_entry(value)) == value


@given(strategies.names, st.lists(strategies.entries, min_size=1, max_size=30))
def test_batch_round_trip(mtg: str, values: list[Entry]) -> None:
    data = encode_batch(mtg, values)
    batch = decode_batch(data)
    assert (batch.mtg, list(batch.entries)) == (mtg, values)
    assert data == cbor.dumps([1, mtg, [entry.as_cbor() for entry in values]])


@given(strategies.names, st.lists(strategies.entries, min_size=1, max_size=3), st.data())
def test_a_changed_batch_is_another_or_none(mtg: str, values: list[Entry], data: st.DataObject) -> None:
    good = encode_batch(mtg, values)
    place = data.draw(st.integers(0, len(good) - 1))
    changed = good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    try:
        batch = decode_batch(changed)
    except Refused:
        return
    if not any(isinstance(entry, Refused) for entry in batch.entries):
        assert encode_batch(batch.mtg, [e for e in batch.entries if not isinstance(e, Refused)]) == changed
