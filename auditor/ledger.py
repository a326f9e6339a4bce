"""One channel from its genesis: blocks go in, in order, and come out verified or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.blocks import verify_data, verify_genesis, verify_succession
from auditor.config_update import STEP_CONFIGURATION
from auditor.configuration import ChannelConfiguration, parse_configuration, verify_update
from auditor.errors import BlockError, ConfigurationError, TransactionError, VerificationError
from auditor.opened import open_block
from auditor.orderers import verify_quorum
from auditor.replay.authority import Offices
from auditor.store import InMemory
from auditor.transactions import transaction_type, verify_transaction
from auditor.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.blocks import Block, Header
    from auditor.opened import OpenedBlock
    from auditor.store import Tables
    from auditor.transactions import Endorsed, Transaction

    Replay = Callable[[Endorsed], list[VerificationError]]

STEP_REFUSAL = 12
_VALID = 0
_POLICY_FAILURE = 10
_READ_CONFLICT = 11
# Codes that a peer gives only after it looked for duplicates in the block (txvalidator, then mvcc): a
# later transaction of the same id is then one. One refused before that leaves its id to the next.
_TAKES_ITS_ID = frozenset({_VALID, _READ_CONFLICT, 12, 24})  # PHANTOM_READ_CONFLICT, INVALID_WRITESET
_REGULATOR = Offices().regulator


@dataclass(frozen=True, slots=True)
class VerifiedBlock:
    """A block that passed steps 1 to 5, with its transactions sorted by what became of them.

    `endorsed` passed steps 6 to 11; `refused` are the ids that the peer marked invalid, with the
    code; `findings` are the failed steps of transactions that the peer marked otherwise.
    """

    channel: str
    header: Header
    endorsed: tuple[Endorsed, ...]
    refused: tuple[tuple[str, str], ...]
    findings: tuple[VerificationError, ...]


class Ledger:
    """Verifies one channel block by block; a block out of order, or after a bad one, is refused."""

    def __init__(
        self,
        channel: str,
        genesis: bytes,
        audited: str | None = None,
        regulator: str = _REGULATOR,
        tables: Tables | None = None,
    ) -> None:
        """Pin the genesis hash; `audited` is the chaincode held to the channel's policy (None: all).

        `regulator` is the organisation without whose signature no configuration changes; `tables` keep the
        state's versions.
        """
        self.channel = channel
        self._regulator = regulator
        self._audited = audited
        self.world = World.kept(tables or InMemory(), channel)
        self._genesis = genesis
        self._head: Header | None = None
        self._configuration: ChannelConfiguration | None = None
        self._last_config = 0

    @property
    def height(self) -> int:
        """How many blocks were verified, which is the next block's number."""
        return 0 if self._head is None else self._head.number + 1

    @property
    def head(self) -> Header:
        """The last verified block's header; BlockError before there is one."""
        if self._head is None:
            raise BlockError(1, self.channel, "no block was verified yet")
        return self._head

    @property
    def configuration(self) -> ChannelConfiguration:
        """The configuration in force; BlockError before there is one."""
        if self._configuration is None:
            raise BlockError(1, self.channel, "no block was verified yet")
        return self._configuration

    def accept(
        self, raw: bytes, replay: Replay | None = None, opened: OpenedBlock | None = None
    ) -> VerifiedBlock:
        """Verify the next block and take it over; raises BlockError or ConfigurationError.

        `replay` is called with each endorsed transaction before its writes become state. `opened` is what
        these very bytes were read as, by whoever read them before.
        """
        opened = opened or open_block(raw, self.channel)
        block = opened.block
        if self._head is None or self._configuration is None:
            verify_genesis(block, self._genesis)
            verify_data(block)
            configuration = parse_configuration(self.channel, block.data[0], block.where)
        else:
            verify_succession(block, self._head)
            verify_data(block)
            configuration = self._verify_ordered(block, self._configuration)
        verified = self._transactions(opened, configuration, replay)
        self._head = block.header
        if configuration is not self._configuration:
            self._configuration, self._last_config = configuration, block.header.number
        return verified

    def _verify_ordered(self, block: Block, current: ChannelConfiguration) -> ChannelConfiguration:
        """Steps 4 and 5: signed under the configuration in force; a new one is properly made."""
        is_config = transaction_type(block.data[0]) == pb.common.CONFIG
        verify_quorum(block, current, block.header.number if is_config else self._last_config)
        if not is_config:
            return current
        where = f"{self.channel} {block.where}"
        if len(block.data) != 1:
            raise ConfigurationError(
                STEP_CONFIGURATION,
                where,
                "a configuration has a block of its own",
                expected=1,
                found=len(block.data),
            )
        return verify_update(current, block.data[0], where, self._regulator)

    def _transactions(
        self,
        opened: OpenedBlock,
        configuration: ChannelConfiguration,
        replay: Replay | None,
    ) -> VerifiedBlock:
        outcome, block = _Outcome(), opened.block
        changed = configuration is not self._configuration
        for raw, code, read in zip(block.data, block.codes, opened.transactions, strict=True):
            if changed and transaction_type(raw) == pb.common.CONFIG:
                continue
            if isinstance(read, TransactionError):
                outcome.unreadable(read, code)
            else:
                self._transaction(read, code, configuration, replay, outcome)
        for tx_id, _ in outcome.refused:  # a peer's index has them too, once the block is committed
            if tx_id:
                self.world.seen(tx_id)
        return VerifiedBlock(
            self.channel,
            block.header,
            tuple(outcome.endorsed),
            tuple(outcome.refused),
            tuple(outcome.findings),
        )

    def _transaction(
        self,
        transaction: Transaction,
        code: int,
        configuration: ChannelConfiguration,
        replay: Replay | None,
        outcome: _Outcome,
    ) -> None:
        try:
            one = verify_transaction(transaction, configuration, self._audited)
            if code in (_VALID, _READ_CONFLICT):
                self.world.verify_fresh(transaction)
        except TransactionError as error:
            if code == _VALID:
                outcome.findings.append(error)
        else:
            if code == _VALID:
                outcome.endorsed.append(one)
                outcome.findings.extend(replay(one) if replay else ())
            elif code in (_POLICY_FAILURE, _READ_CONFLICT) and self._audits(transaction):
                outcome.findings.append(_unfounded(transaction, code))
        if code in _TAKES_ITS_ID:
            self.world.seen(transaction.tx_id)
        if code == _VALID:
            self.world.apply(transaction)
        else:
            outcome.refused.append((transaction.tx_id, code_name(code)))

    def _audits(self, transaction: Transaction) -> bool:
        return self._audited in (None, transaction.chaincode)


@dataclass(slots=True)
class _Outcome:
    endorsed: list[Endorsed] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    findings: list[VerificationError] = field(default_factory=list)

    def unreadable(self, error: TransactionError, code: int) -> None:
        if code == _VALID:
            self.findings.append(error)
        else:
            self.refused.append(("", code_name(code)))


def code_name(code: int) -> str:
    """Return a validation code's name in Fabric."""
    try:
        return str(pb.transaction.TxValidationCode.Name(code))
    except ValueError:
        return f"UNKNOWN_{code}"


def _unfounded(transaction: Transaction, code: int) -> TransactionError:
    """Step 12: a transaction refused for its endorsements or its reads really has that fault."""
    return TransactionError(
        STEP_REFUSAL,
        transaction.where,
        "the peer refused a transaction that has nothing wrong with it",
        expected="VALID",
        found=code_name(code),
    )
