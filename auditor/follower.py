"""One channel, verified and replayed: the ledger's steps, then what each transaction had to do."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.ahead import Alone, ReadAhead
from auditor.alarm import FOREIGN_DEFINITION, FOREIGN_TRANSACTION, Alarms
from auditor.definitions import foreign_definitions, verify_definition
from auditor.errors import (
    BlockError,
    ConfigurationError,
    ReplayError,
    VerificationError,
)
from auditor.ledger import Ledger
from auditor.opened import OpenedBlock, open_block
from auditor.replay.authority import Offices, verify_authority
from auditor.replay.effect import STEP_WRITES, Effect, only_meeting, verify_effect
from auditor.store import TEXT, InMemory
from auditor.transactions import LIFECYCLE, Transaction
from client.encodings.certificates import thumbprint
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from auditor.ahead import Helpers
    from auditor.facts import Fact, Facts
    from auditor.members import Member
    from auditor.store import Tables
    from auditor.transactions import Endorsed


ARBITRATION = "arbitration"


class Replay(Protocol):
    """A chaincode's transitions, worked out a second time."""

    facts: Facts

    def effect(self, endorsed: Endorsed) -> Effect:
        """Return what the transaction had to answer and write; raise Refused where it had to fail."""
        ...

    def ask(self, transaction: Transaction) -> Sequence[Fact]:
        """Return what its effect depends on and helpers may verify before; raise Refused for nonsense."""
        ...


class Follower:
    """Verifies one channel block by block and keeps what it found.

    A block or configuration that fails ends the following (`broken`): nothing after it can be
    trusted. A transaction that fails is a finding, and following goes on, so that one audit
    names everything that is wrong. What belongs to another chaincode is not replayed, and an alarm.
    """

    def __init__(  # noqa: PLR0917
        self,
        channel: str,
        genesis: bytes,
        chaincode: str,
        replay: Replay,
        offices: Offices,
        helpers: Helpers | None = None,
        tables: Tables | None = None,
    ) -> None:
        """Begin a channel; `helpers` verify ahead of the replay, `tables` keep what grows with it."""
        self._tables = tables or InMemory()
        self.channel = channel
        self.ledger = Ledger(channel, genesis, chaincode, offices.regulator, self._tables)
        self.findings: list[VerificationError] = []
        self.broken: VerificationError | None = None
        self.hashes = self._tables.table(f"{channel}/hashes", TEXT)
        self.transactions = 0
        self.invalid = 0
        self.foreign = 0
        self.alarms = Alarms(channel)
        self.relays: dict[str, dict[str, ec.EllipticCurvePublicKey]] = {}
        self._chaincode = chaincode
        self._replay = replay
        self._offices = offices
        self._helpers = helpers or Alone()
        self._opened = ReadAhead[OpenedBlock]()

    def follow(self, blocks: Iterable[bytes]) -> None:
        """Take over blocks, in order, until they end or one fails."""
        for raw in self._helpers.ahead(blocks, self._ask, self._replay.facts):
            if self.broken is not None:
                return
            try:
                verified = self.ledger.accept(raw, self._replayed, self._opened.take(raw))
            except (BlockError, ConfigurationError) as error:
                self.broken = error
                self.findings.append(error)
                return
            self.findings.extend(verified.findings)
            self.hashes[str(verified.header.number)] = verified.header.hash().hex()
            self.transactions += len(verified.endorsed)
            self.invalid += len(verified.refused)
            self._tables.flush()

    @property
    def known(self) -> int:
        """How often the replay found nothing left to verify, thanks to helpers."""
        return self._replay.facts.known

    def _ask(self, raw: bytes) -> list[Fact]:
        """Return what helpers may verify of a block; of one that cannot be read, nothing."""
        asked: list[Fact] = []
        try:
            opened = open_block(raw, self.channel)
        except BlockError:
            return asked
        self._opened.put(raw, opened)
        for read in opened.transactions:
            if isinstance(read, Transaction) and read.chaincode == self._chaincode:
                with contextlib.suppress(Refused):
                    asked.extend(self._replay.ask(read))
        return asked

    def _replayed(self, endorsed: Endorsed) -> list[VerificationError]:
        transaction = endorsed.transaction
        try:
            for name in sorted(foreign_definitions(transaction, self._chaincode)):
                self.alarms.add(FOREIGN_DEFINITION, name, transaction.where)
            verify_definition(
                transaction, self.ledger.configuration, self._chaincode, self._offices.regulator
            )
            if transaction.chaincode != self._chaincode:
                if transaction.chaincode != LIFECYCLE:
                    self.foreign += 1
                    self.alarms.add(FOREIGN_TRANSACTION, transaction.chaincode, transaction.where)
                return []
            verify_authority(endorsed, self._offices)
            self._note_relay(endorsed.creator)
            expected = self._expected(endorsed)
        except VerificationError as error:
            return [error]
        findings = expected.findings
        # What the replay can say precisely would only come again as differing bytes.
        if not findings:
            try:
                verify_effect(transaction, expected)
            except VerificationError as error:
                findings = [error]
        if self._chaincode == ARBITRATION:
            for finding in findings:
                finding.mtg = only_meeting(transaction, expected)
        return findings

    def _note_relay(self, creator: Member) -> None:
        """Keep the keys by which doors bring ballots: they sign acknowledgements with the same."""
        if creator.attributes.get("role") == "relay":
            x5t = thumbprint(creator.certificate.public_bytes(Encoding.DER))
            self.relays.setdefault(creator.msp_id, {})[x5t] = creator.key

    def _expected(self, endorsed: Endorsed) -> Effect:
        try:
            return self._replay.effect(endorsed)
        except Refused as refusal:
            transaction = endorsed.transaction
            raise ReplayError(
                STEP_WRITES,
                transaction.where,
                f"{transaction.function} had to be refused",
                expected=refusal.code,
                found="committed as valid",
            ) from refusal
