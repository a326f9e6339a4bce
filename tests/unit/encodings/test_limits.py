"""What values refuse when they are made, and what writers refuse to write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from client.encodings import cbor, jcs, records, times
from client.encodings.acknowledgement import Acknowledgement, parse_acknowledgement
from client.encodings.ballot import sign_ballot
from client.encodings.batch import (
    CompactEntry,
    RawEntry,
    decode_batch,
    decode_entry,
    encode_batch,
    encode_entry,
)
from client.encodings.commitment import commit, commit_canonical
from client.encodings.errors import Refused
from client.encodings.leaf import Claim, Leaf
from client.encodings.receipt import parse_receipt
from client.encodings.step import Step
from client.errors import ConcordatError
from tests.vectors.cases import Author
from tests.vectors.scene import random_id, scenes, seeded

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = scenes()["plain"]
BO = PLAIN.lenders["bo"]
AUTHOR = Author(PLAIN, BO)


def code_of(make: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        make()
    assert isinstance(refused.value, ConcordatError)
    assert refused.value.message.startswith(f"{refused.value.code}: ")
    return refused.value.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seq": 0}, "BALLOT_SEQ"),
        ({"seq": 1001}, "BALLOT_SEQ"),
        ({"iat": "now"}, "BALLOT_TIME"),
        ({"sub": "me"}, "BALLOT_ID"),
        ({"ses": ""}, "BALLOT_ID"),
    ],
)
def test_no_ballot_is_made_that_none_would_take(changes: dict[str, Any], code: str) -> None:
    assert code_of(lambda: replace(PLAIN.ballot(BO), **changes)) == code


def test_no_ballot_is_signed_that_is_too_long() -> None:
    long = replace(PLAIN.ballot(BO), votes={f"m{number}": "approve" for number in range(150)})
    assert code_of(lambda: sign_ballot(long, BO.x5t, BO.key)) == "BALLOT_TOO_LONG"


@pytest.mark.parametrize(
    ("claims", "salt"),
    [
        ((), bytes(16)),
        ((Claim("a", 0),), bytes(16)),
        ((Claim("a", 1), Claim("a", 1)), bytes(16)),
        ((Claim("b", 1), Claim("a", 1)), bytes(16)),
        ((Claim("A", 1),), bytes(16)),
        ((Claim("a", 2**53),), bytes(16)),
        ((Claim("a", 2**53 - 1), Claim("b", 1)), bytes(16)),
        ((Claim("a", 1),), bytes(15)),
    ],
)
def test_no_leaf_is_made_that_no_roll_holds(claims: tuple[Claim, ...], salt: bytes) -> None:
    assert code_of(lambda: Leaf("m", random_id("x"), claims, salt)) == "ROLL_LEAF"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Step("open", "now"),
        lambda: Step("open", "2026-03-09T10:00:00Z", reason="x"),
        lambda: Step("void", "2026-03-09T10:00:00Z"),
        lambda: Step("void", "2026-03-09T10:00:00Z", reason="a\nb"),
        lambda: Step("void", "2026-03-09T10:00:00Z", reason="x" * 501),
        lambda: Step("closed", "2026-03-09T10:00:00Z", ballots=1),
        lambda: Step("closed", "2026-03-09T10:00:00Z", ballots=-1, subtotals=1),
        lambda: Step("certified", "2026-03-09T10:00:00Z", ballots=1, subtotals=1),
    ],
)
def test_no_step_is_made_that_lacks_what_it_needs(make: Callable[[], Step]) -> None:
    assert code_of(make) == "STEP_FORMAT"


def test_no_acknowledgement_is_made_without_a_number() -> None:
    digest = PLAIN.meeting.mh
    good = Acknowledgement(digest, "m", digest, "AssociationMSP", 1, "2026-03-09T10:00:00Z")
    assert code_of(lambda: replace(good, no=0)) == "ACK_FORMAT"
    assert code_of(lambda: replace(good, door="association")) == "ACK_FORMAT"
    assert code_of(lambda: replace(good, time="10:00")) == "ACK_TIME"
    assert code_of(lambda: parse_acknowledgement("")) == "JWS_FORMAT"


def test_a_batch_takes_as_many_entries_as_fit() -> None:
    entry = AUTHOR.compact()
    for count in (1, 23, 24, 255, 256, 6000):
        data = encode_batch("m", [entry] * count)
        assert len(decode_batch(data).entries) == count
        assert data == cbor.dumps([1, "m", [entry.as_cbor()] * count])
    assert code_of(lambda: encode_batch("m", [])) == "BATCH_EMPTY"
    assert code_of(lambda: encode_batch("m", [entry] * 20_000)) == "BATCH_TOO_LARGE"
    assert code_of(lambda: encode_batch("m", [b"\0"] * 4_000_000)) == "BATCH_TOO_LARGE"


def test_an_entry_has_a_limit() -> None:
    raw = AUTHOR.raw(AUTHOR.good())
    spare = 4096 - len(encode_entry(replace(raw, leaf=bytes(300))))
    assert len(encode_entry(replace(raw, leaf=bytes(300 + spare)))) == 4096
    assert code_of(lambda: encode_entry(replace(raw, leaf=bytes(301 + spare)))) == "ENTRY_TOO_LARGE"
    assert code_of(lambda: decode_entry(bytes(4097))) == "ENTRY_TOO_LARGE"
    assert code_of(lambda: decode_entry(b"\xff")) == "ENTRY_FORMAT"


def test_a_compact_entry_is_small() -> None:
    # What decides throughput is bytes: this is the figure that the design counts on.
    entry = AUTHOR.compact()
    assert isinstance(entry, CompactEntry)
    assert len(encode_entry(entry)) < 260
    assert isinstance(AUTHOR.raw(AUTHOR.good()), RawEntry)


@pytest.mark.parametrize("value", [-1, 2**64, 1.5, None, True, {}, "\ud800"])
def test_cbor_outside_the_profile_is_not_written(value: Any) -> None:
    with pytest.raises((cbor.CborError, ValueError)):
        cbor.dumps([value])


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), "\ud800", {1: 2}, b"x", object()])
def test_json_outside_the_profile_is_not_written(value: Any) -> None:
    with pytest.raises(jcs.JsonError):
        jcs.dumps({"a": value} if not isinstance(value, dict) else value)


@pytest.mark.parametrize(
    "data",
    [
        b"1.0",
        b"-1",
        b"9007199254740992",
        b"1e1",
        b"-0",
        b"NaN",
        b'"\\ud800"',
        b'{"a":1,"\\u0061":2}',
        b"[" * 5000,
    ],
)
def test_json_outside_the_profile_is_not_read(data: bytes) -> None:
    with pytest.raises(jcs.JsonError):
        jcs.loads(data)


def test_sixteen_levels_are_enough() -> None:
    assert jcs.loads(b"[" * 16 + b"]" * 16)
    assert jcs.loads(b'["[[[[[[[[[[[[[[[[[[[[\\"[["]')
    with pytest.raises(jcs.JsonError, match="16"):
        jcs.loads(b"[" * 17 + b"]" * 17)


@pytest.mark.parametrize("seconds", [-1, times.MAX_SECONDS + 1])
def test_times_end(seconds: int) -> None:
    with pytest.raises(ValueError, match="1970"):
        times.form(seconds)


def test_a_commitment_needs_its_salt() -> None:
    with pytest.raises(ValueError, match="32"):
        commit(b"short", {})
    with pytest.raises(ValueError, match="33 bytes"):
        commit_canonical(seeded("a") + b"{", b"}")
    assert commit(seeded("a"), {}) != commit(seeded("b"), {})


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"sub": "x"},
        {"certificate": "!"},
        {"certificate": None},
        {"x5t": "A" * 43},
        {"institution": "A"},
        {"method": "Face"},
        {"commitment": "x"},
        {"status": "gone"},
        {"rev": 0},
        {"tx": 1},
        {"reason": 1},
        {"note": ""},
    ],
)
def test_an_enrolment_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    good = BO.enrolment(reason="why").as_json()
    assert records.enrolment_from_json(good) == BO.enrolment(reason="why")
    assert code_of(lambda: records.parse_enrolment(jcs.dumps(good | changes))) == "ENROLMENT_FORMAT"


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"ses": "x"},
        {"mtg": "M"},
        {"outcome": "yes"},
        {"expires_at": "2026-03-03T08:25:00Z"},
        {"issued_at": "now"},
        {"note": ""},
    ],
)
def test_a_session_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    good = PLAIN.session(BO).as_json()
    assert records.session_from_json(good | {"tx": "aa"}) == PLAIN.session(BO)
    assert code_of(lambda: records.parse_session(jcs.dumps(good | changes))) == "SESSION_FORMAT"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"v":1}'])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    assert code_of(lambda: records.parse_enrolment(data)) == "ENROLMENT_FORMAT"
    assert code_of(lambda: records.parse_session(data)) == "SESSION_FORMAT"
    assert code_of(lambda: parse_receipt(data)) == "RECEIPT_FORMAT"
