"""Bits flipped over whole blocks of a real network: refused wherever the coverage map says protected."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from auditor import coverage
from tests.integration.governed import ARBITRATION, IDENTITY, batch_size
from tests.unit.auditor.flipping import Flipper

if TYPE_CHECKING:
    from tests.integration.governed import Governed

pytestmark = pytest.mark.network

FLIPS = int(os.environ.get("CONCORDAT_FLIPS", "1000"))
"""How many flips over all blocks, beside those that every region of every block gets."""


@pytest.fixture(scope="module")
def chains(governed: Governed) -> dict[str, list[bytes]]:
    """Both channels whole: genesis, approvals and definitions of chaincode, and a configuration more."""
    governed.update(ARBITRATION, batch_size, "regulator", "association")
    return {channel: governed.blocks(channel) for channel in (ARBITRATION, IDENTITY)}


@pytest.mark.timeout(14400)
def test_a_flipped_bit_is_refused_wherever_the_map_says_so(
    governed: Governed, chains: dict[str, list[bytes]]
) -> None:
    places = [(channel, number) for channel, blocks in chains.items() for number in range(len(blocks))]
    whole = sum(len(chains[channel][number]) for channel, number in places)
    outcomes: Counter[tuple[coverage.Region, str]] = Counter()
    for seed, (channel, number) in enumerate(places):
        blocks = chains[channel]
        flipper = Flipper(channel, governed.genesis(channel), blocks[:number], blocks[number])
        share = FLIPS * len(blocks[number]) // whole
        for span, place, bit in flipper.sample(share, seed):
            outcomes[span.region, flipper.flip(span, place, bit)] += 1
    regions = {region for region, _ in outcomes}
    # Real blocks have the bare quorum's signatures, and nothing that the map does not know.
    assert regions >= set(coverage.REGIONS) - {coverage.SPARE_SIGNATURE, coverage.UNKNOWN}
    assert coverage.UNKNOWN not in regions
    assert outcomes[coverage.CODES, "passed"] > 0
    assert outcomes[coverage.COMMIT_HASH, "passed"] > 0
