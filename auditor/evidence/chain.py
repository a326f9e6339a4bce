"""Some blocks of a channel, verified without the rest: configurations, quorums, the transactions asked for.

What the whole chain gives and some blocks can't: that nothing was left out between them, and that a
transaction was found valid by every peer. For the ballot the Regulator's signed log says so; for the
others, the signer of the manifest, whose peer's validation codes are in the blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor import protobuf as pb
from auditor.blocks import parse_block, verify_data, verify_genesis, verify_succession
from auditor.configuration import parse_configuration, verify_update
from auditor.errors import BlockError, ConfigurationError, VerificationError
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.writers import verify_writer
from auditor.members import Membership
from auditor.orderers import verify_quorum
from auditor.replay.authority import verify_authority
from auditor.transactions import parse_transaction, transaction_type, verify_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.blocks import Block, Header
    from auditor.configuration import ChannelConfiguration
    from auditor.replay.authority import Offices
    from auditor.transactions import Endorsed, Transaction

_NAME: Final = re.compile(r"blocks/([a-z0-9-]+)/([0-9]{10})\.pb", re.ASCII)
_VALID: Final = 0


def block_name(channel: str, number: int) -> str:
    """Return the name under which a package has a block."""
    return f"blocks/{channel}/{number:010d}.pb"


def is_block(name: str) -> bool:
    """Say whether a name is one under which a package has a block."""
    return _NAME.fullmatch(name) is not None


def blocks_of(files: Mapping[str, bytes]) -> dict[str, dict[int, bytes]]:
    """Return a package's blocks by channel and number, in ascending order."""
    found: dict[str, dict[int, bytes]] = {}
    for name, data in files.items():
        match = _NAME.fullmatch(name)
        if match is not None:
            found.setdefault(match[1], {})[int(match[2])] = data
    return found


@dataclass(frozen=True, slots=True)
class Written:
    """A record as a verified transaction wrote it; None where it deleted it."""

    value: bytes | None
    endorsed: Endorsed

    @property
    def transaction(self) -> Transaction:
        """The transaction."""
        return self.endorsed.transaction

    @property
    def place(self) -> tuple[int, int]:
        """Where the transaction is on its channel: block and number in it; later ones compare greater."""
        return self.transaction.block, self.transaction.position


@dataclass(slots=True)
class Records:
    """What the verified transactions of some blocks wrote, by key and in the chain's order.

    `members` are the channel's by the last configuration.
    """

    members: Membership
    headers: dict[int, Header] = field(default_factory=dict)
    written: dict[str, list[Written]] = field(default_factory=dict)

    def of(self, key: str) -> list[Written]:
        """Return every writing of a key."""
        return self.written.get(key, [])


def read_blocks(
    channel: str, blocks: Mapping[int, bytes], genesis: str, offices: Offices, wanted: Callable[[str], bool]
) -> Records:
    """Verify a channel's blocks, which come in ascending order, and the transactions that write a wanted key.

    `genesis` is the trusted hash (hex) of block 0. Refuse with EVIDENCE_GENESIS, EVIDENCE_BLOCK,
    EVIDENCE_CONFIGURATION, EVIDENCE_TRANSACTION or EVIDENCE_RECORD.
    """
    chaincode = "identity" if channel == "identity" else "arbitration"
    records = Records(Membership({}))
    current: _Position | None = None
    for number, raw in blocks.items():
        where = block_name(channel, number)
        try:
            block = parse_block(raw)
            if block.header.number != number:
                raise EvidenceRefused("EVIDENCE_BLOCK", f"{where} is block {block.header.number}")
            if current is None:
                verify_genesis(block, bytes.fromhex(genesis))
            current = _next(channel, block, current, offices.regulator)
        except ConfigurationError as error:
            raise EvidenceRefused("EVIDENCE_CONFIGURATION", f"{where}: {error}") from error
        except BlockError as error:
            code = "EVIDENCE_BLOCK" if current is not None else "EVIDENCE_GENESIS"
            raise EvidenceRefused(code, f"{where}: {error}") from error
        records.headers[number] = block.header
        for position, envelope in enumerate(block.data):
            if block.codes[position] == _VALID:
                _take(
                    records,
                    channel,
                    chaincode,
                    block,
                    position,
                    envelope,
                    current.configuration,
                    offices,
                    wanted,
                )
    if current is None:
        raise EvidenceRefused("EVIDENCE_GENESIS", f"no block of {channel}")
    records.members = current.configuration.members
    return records


@dataclass(frozen=True, slots=True)
class _Position:
    header: Header
    configuration: ChannelConfiguration
    last_config: int


def _next(channel: str, block: Block, before: _Position | None, regulator: str) -> _Position:
    verify_data(block)
    number, where = block.header.number, f"{channel} {block.where}"
    if before is None:
        return _Position(block.header, parse_configuration(channel, block.data[0], where), 0)
    if number == before.header.number + 1:
        verify_succession(block, before.header)
    if transaction_type(block.data[0]) != pb.common.CONFIG:
        verify_quorum(block, before.configuration, before.last_config)
        return _Position(block.header, before.configuration, before.last_config)
    verify_quorum(block, before.configuration, number)
    if len(block.data) != 1:
        raise BlockError(
            5, where, "a configuration has a block of its own", expected=1, found=len(block.data)
        )
    return _Position(
        block.header, verify_update(before.configuration, block.data[0], where, regulator), number
    )


def _take(  # noqa: PLR0917  one transaction in its place
    records: Records,
    channel: str,
    chaincode: str,
    block: Block,
    position: int,
    envelope: bytes,
    configuration: ChannelConfiguration,
    offices: Offices,
    wanted: Callable[[str], bool],
) -> None:
    if transaction_type(envelope) != pb.common.ENDORSER_TRANSACTION:
        return
    name = block_name(channel, block.header.number)
    try:
        transaction = parse_transaction(envelope, channel, block.header.number, position)
        writes = {
            write.key: write.value
            for one in transaction.sets
            if one.namespace == chaincode
            for write in one.writes
            if wanted(write.key)
        }
        if transaction.chaincode != chaincode or not writes:
            return
        endorsed = verify_transaction(transaction, configuration, chaincode)
        verify_authority(endorsed, offices)
    except VerificationError as error:
        raise EvidenceRefused("EVIDENCE_TRANSACTION", f"{name}: {error}") from error
    for key, value in writes.items():
        verify_writer(key, transaction.function, name, again=key in records.written)
        records.written.setdefault(key, []).append(Written(value, endorsed))
