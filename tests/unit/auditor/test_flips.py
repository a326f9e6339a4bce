"""One bit flipped anywhere in a meeting's chains is found, but for metadata that nothing covers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from auditor.coverage import spans
from auditor.replay.authority import Offices
from auditor.verifier import Verifier
from tests.unit.auditor.meeting_player import CHANNEL, Player

if TYPE_CHECKING:
    from tests.unit.auditor.builder import Network

FLIPS = 15
QUORUM = 3


@pytest.fixture(scope="module")
def player(fabric: Network) -> Player:
    return Player(fabric).enrolled().opened().submit([("an", 1, {}), ("bo", 2, {})]).closed()


def found(player: Player, channel: str, number: int, block: bytes) -> bool:
    verifier = Verifier(player.genesis, Offices())
    for name, chain in (("identity", player.identity), (CHANNEL, player.chain)):
        blocks = list(chain.blocks)
        if name == channel:
            blocks[number] = block
        verifier.follow(name, blocks)
    return bool(verifier.findings(CHANNEL))


def covered(raw: bytes, place: int) -> bool:
    number = pb.common.Block.FromString(raw).header.number
    region = next(one.region for one in spans(raw, QUORUM) if one.start <= place < one.end)
    return region.protected_by(number) is not None


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_is_found(player: Player, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  a sample that every run repeats
    assert not found(player, CHANNEL, 0, player.chain.blocks[0])
    for _ in range(FLIPS):
        channel, chain = draw.choice((("identity", player.identity), (CHANNEL, player.chain)))
        number = draw.randrange(len(chain.blocks))
        raw = chain.blocks[number]
        place = draw.randrange(len(raw))
        flipped = raw[:place] + bytes([raw[place] ^ (1 << draw.randrange(8))]) + raw[place + 1 :]
        assert found(player, channel, number, flipped) or not covered(raw, place), (channel, number, place)
