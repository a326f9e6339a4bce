"""The coverage map says of every byte what protects it, the document says the same, and it is true."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor import coverage
from auditor import protobuf as pb
from tests.unit.auditor.config_builder import reconfigure
from tests.unit.auditor.config_changes import batch_size
from tests.unit.auditor.flipping import Flipper

if TYPE_CHECKING:
    from tests.unit.auditor.builder import Chain

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "coverage.md"
THREE = ("AssociationMSP", "RegulatorMSP", "ArbitrationMSP")


def invoke(chain: Chain) -> bytes:
    return chain.invoke(chain.network.person("AssociationMSP", "relay"), "arbitration", [b"f"])


@pytest.fixture
def whole(chain: Chain) -> Chain:
    """Genesis, an ordinary block, a configuration, and a block that all four orderers signed."""
    chain.add(invoke(chain), invoke(chain))
    reconfigure(chain, batch_size)
    chain.add(invoke(chain), signers=tuple(chain.network.orderers))
    return chain


def flipper(chain: Chain, number: int) -> Flipper:
    return Flipper(chain.channel, chain.genesis, chain.blocks[:number], chain.blocks[number])


def test_the_document_is_the_map() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == coverage.render(), (
        "run `.venv/bin/python -m auditor.coverage > docs/coverage.md`"
    )


def test_names_are_distinct_and_every_region_says_why() -> None:
    names = [one.name for one in coverage.REGIONS]
    assert len(set(names)) == len(names)
    assert all(one.why for one in coverage.REGIONS)


@pytest.mark.parametrize("number", range(4))
def test_every_byte_belongs_to_one_region(whole: Chain, number: int) -> None:
    found = coverage.spans(whole.blocks[number], 3)
    assert found[0].start == 0
    assert found[-1].end == len(whole.blocks[number])
    for one, following in pairwise(found):
        assert one.end == following.start
    assert all(one.start < one.end for one in found)


def test_the_regions_are_where_the_bytes_are(whole: Chain) -> None:
    raw = whole.blocks[1]
    block = pb.common.Block.FromString(raw)
    signed = pb.common.Metadata.FromString(block.metadata.metadata[0])
    where = {one.region: raw[one.start : one.end] for one in coverage.spans(raw, 3)}
    assert where[coverage.PREVIOUS].endswith(block.header.previous_hash)
    assert where[coverage.DATA_HASH].endswith(block.header.data_hash)
    assert all(one in where[coverage.ENVELOPE] for one in block.data.data)
    assert where[coverage.SIGNED_VALUE].endswith(signed.value)
    assert all(one.signature in where[coverage.SIGNATURE] for one in signed.signatures)
    assert where[coverage.CODES].endswith(block.metadata.metadata[2])
    assert coverage.SPARE_SIGNATURE not in where
    assert coverage.SPARE_SIGNATURE in {one.region for one in coverage.spans(whole.blocks[3], 3)}


def test_what_a_block_does_not_have_is_unknown(whole: Chain) -> None:
    extra = b"\x22\x03new\x28\x01"
    found = coverage.spans(whole.blocks[1] + extra, 3)
    assert found[-1] == coverage.Span(
        len(whole.blocks[1]), len(whole.blocks[1]) + len(extra), coverage.UNKNOWN
    )


@pytest.mark.parametrize("raw", [b"\x0a", b"\x0a\x05ab", b"\x0b", b"\xff\xff", b"\x12\x02\x0a\x05"])
def test_bytes_that_are_no_block_have_no_map(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"wire type|cut off"):
        coverage.spans(raw, 3)


@pytest.mark.parametrize("number", range(4))
def test_a_flip_is_refused_where_the_map_says_so(whole: Chain, number: int) -> None:
    one = flipper(whole, number)
    outcomes = {
        (span.region.protected_by(number) is not None, one.flip(span, place, bit))
        for span, place, bit in one.sample(200, number, least=30)
    }
    assert (True, "refused") in outcomes
    assert (False, "passed") in outcomes  # the map does not call protected what is not, either


@pytest.mark.parametrize("number", [0, 1])
def test_every_bit_outside_the_transactions(whole: Chain, number: int) -> None:
    one = flipper(whole, number)
    passed = {
        span.region
        for span in one.spans
        if span.region is not coverage.ENVELOPE
        for place in range(span.start, span.end)
        for bit in range(8)
        if one.flip(span, place, bit) == "passed"
    }
    assert coverage.CODES in passed


def test_a_signature_beyond_the_quorum_may_be_wrong(whole: Chain) -> None:
    one = flipper(whole, 3)
    (spare,) = [span for span in one.spans if span.region is coverage.SPARE_SIGNATURE]
    assert one.flip(spare, spare.end - 1, 0) == "passed"
