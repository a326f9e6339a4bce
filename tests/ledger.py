"""An in-memory channel with the interface of the real one: endorsement, order, validation, lost answers.

Like Fabric it simulates a call on the state it finds, orders what was endorsed, and finds a transaction
invalid (MVCC_READ_CONFLICT) when something that it read has changed since. A script of faults says what
goes wrong at which stage; nothing in the code under test is patched.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2
import grpc

from client.encodings import base64url, hashes
from client.gateway.errors import CommitStatusError, EndorseError, EndpointDetail, EvaluateError, SubmitError
from client.gateway.protos import (
    common_pb2,
    gateway_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from client.relay.reads import kv_rwset_pb2, rwset_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Function = Callable[["Stub", tuple[bytes, ...]], bytes]

VALID, CONFLICT = "VALID", "MVCC_READ_CONFLICT"


class Refusal(Exception):  # noqa: N818  the chaincode's answer
    """What a chaincode function raises: `CODE: sentence`."""


class Killed(BaseException):
    """The process is gone, at this very point."""


@dataclass
class Stub:
    """What a function sees of the state; it doesn't see its own writes."""

    ledger: Ledger
    tx: str
    caller: str
    reads: dict[str, int] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes | None:
        value, version = self.ledger.state.get(key, (None, -1))
        self.reads[key] = version
        return value

    def put(self, key: str, value: bytes) -> None:
        self.writes[key] = value


@dataclass(frozen=True)
class Status:
    transaction_id: str
    code_name: str
    block_number: int


@dataclass
class Faults:
    """What goes wrong, one word a stage, in order; nothing more once the script is used up.

    endorse: `down`, `killed`. submit: `refused`, `lost` (it arrives all the same), `late` (it arrives with
    a later one), `killed`, `killed-after`. status: `lost`, `killed`.
    """

    script: deque[str] = field(default_factory=deque)

    @classmethod
    def of(cls, words: Iterable[str]) -> Faults:
        return cls(deque(words))

    def next(self, stage: str) -> str:
        del stage
        return self.script.popleft() if self.script else "ok"


class Ledger:
    """One channel: state with versions, transactions in order."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions
        self.state: dict[str, tuple[bytes, int]] = {}
        self.settled: dict[str, Status] = {}
        self.late: list[Stub] = []
        self.valid: list[str] = []
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)

    def contract(self, caller: str = "AssociationMSP/relay", faults: Faults | None = None) -> LedgerContract:
        return LedgerContract(self, caller, faults or Faults())

    def commit_of(self, transaction_id: str, /) -> LedgerCommit:
        return LedgerCommit(self, transaction_id, Faults())

    def run(self, tx: str, caller: str, name: str, arguments: tuple[bytes, ...]) -> tuple[Stub, bytes]:
        with self.lock:
            stub = Stub(self, tx, caller)
            return stub, self.functions[name](stub, arguments)

    def order(self, stub: Stub) -> None:
        """Validate and commit what was endorsed, as a block of its own."""
        with self.lock:
            block = len(self.settled) + 1
            stale = any(self.state.get(key, (b"", -1))[1] != version for key, version in stub.reads.items())
            self.settled[stub.tx] = Status(stub.tx, CONFLICT if stale else VALID, block)
            if not stale:
                self.valid.append(stub.tx)
                self.state.update({key: (value, block) for key, value in stub.writes.items()})

    def deliver_late(self) -> None:
        with self.lock:
            late, self.late = self.late, []
            for stub in late:
                self.order(stub)

    def new_transaction_id(self) -> str:
        with self.lock:
            return f"{next(self._numbers):064x}"


@dataclass
class LedgerContract:
    ledger: Ledger
    caller: str
    faults: Faults

    def evaluate(self, name: str, /, *arguments: str | bytes) -> bytes:
        try:
            return self.ledger.run("", self.caller, name, _encoded(arguments))[1]
        except Refusal as refusal:
            raise EvaluateError("evaluating failed", details=[_chaincode_said(refusal)]) from refusal

    def new_proposal(self, name: str, /, *, arguments: Sequence[str | bytes] = ()) -> LedgerProposal:
        transaction_id = self.ledger.new_transaction_id()
        return LedgerProposal(self, name, _encoded(arguments), transaction_id)


@dataclass
class LedgerProposal:
    contract: LedgerContract
    name: str
    arguments: tuple[bytes, ...]
    transaction_id: str

    def endorse(self, timeout: float | None = None) -> LedgerTransaction:
        del timeout
        ledger, faults = self.contract.ledger, self.contract.faults
        _die_if(fault := faults.next("endorse"))
        if fault == "down":
            raise EndorseError("no endorser", grpc_code=grpc.StatusCode.UNAVAILABLE)
        try:
            stub, result = ledger.run(self.transaction_id, self.contract.caller, self.name, self.arguments)
        except Refusal as refusal:
            raise EndorseError("endorsing failed", details=[_chaincode_said(refusal)]) from refusal
        return LedgerTransaction(ledger, stub, result, faults)


@dataclass
class LedgerTransaction:
    ledger: Ledger
    stub: Stub
    result: bytes
    faults: Faults

    @property
    def transaction_id(self) -> str:
        return self.stub.tx

    def to_bytes(self) -> bytes:
        """Return as much of a prepared transaction as tells what was read, under composite keys."""
        reads = kv_rwset_pb2.KVRWSet()
        for key, version in self.stub.reads.items():
            parts = key.replace("~", "\0")
            read = reads.reads.add(key=f"\0{parts}\0")
            if version >= 0:
                read.version.block_num = version
        space = rwset_pb2.NsReadWriteSet(namespace="arbitration", rwset=reads.SerializeToString())
        results = rwset_pb2.TxReadWriteSet(ns_rwset=[space]).SerializeToString()
        action = proposal_pb2.ChaincodeAction(results=results).SerializeToString()
        response = proposal_response_pb2.ProposalResponsePayload(extension=action).SerializeToString()
        endorsed = transaction_pb2.ChaincodeEndorsedAction(proposal_response_payload=response)
        payload = transaction_pb2.ChaincodeActionPayload(action=endorsed).SerializeToString()
        actions = [transaction_pb2.TransactionAction(payload=payload)]
        data = transaction_pb2.Transaction(actions=actions).SerializeToString()
        envelope = common_pb2.Envelope(payload=common_pb2.Payload(data=data).SerializeToString())
        prepared = gateway_pb2.PreparedTransaction(transaction_id=self.transaction_id, envelope=envelope)
        return bytes(prepared.SerializeToString())

    def submit(self, timeout: float | None = None) -> LedgerCommit:
        del timeout
        _die_if(fault := self.faults.next("submit"))
        if fault == "refused":
            raise SubmitError("no orderer", grpc_code=grpc.StatusCode.UNAVAILABLE)
        if fault == "late":
            self.ledger.late.append(self.stub)
            raise SubmitError("no answer", grpc_code=grpc.StatusCode.DEADLINE_EXCEEDED)
        self.ledger.order(self.stub)
        self.ledger.deliver_late()
        if fault == "killed-after":
            raise Killed
        if fault == "lost":
            raise SubmitError("no answer", grpc_code=grpc.StatusCode.DEADLINE_EXCEEDED)
        return LedgerCommit(self.ledger, self.transaction_id, self.faults)


@dataclass
class LedgerCommit:
    ledger: Ledger
    transaction_id: str
    faults: Faults

    def status(self, timeout: float | None = None) -> Status:
        del timeout
        _die_if(fault := self.faults.next("status"))
        status = self.ledger.settled.get(self.transaction_id)
        if status is None or fault == "lost":
            raise CommitStatusError("no answer", grpc_code=grpc.StatusCode.DEADLINE_EXCEEDED)
        return status


def _die_if(fault: str) -> None:
    if fault == "killed":
        raise Killed


def _encoded(arguments: Sequence[str | bytes]) -> tuple[bytes, ...]:
    return tuple(value.encode() if isinstance(value, str) else value for value in arguments)


def _chaincode_said(refusal: Refusal) -> EndpointDetail:
    return EndpointDetail("peer:7051", "AssociationMSP", f"chaincode response 500, {refusal}")


# -- a chaincode that knows ballots by voter, seq and digest, and nothing of signatures -------------------


def entry_digest(entry: Sequence[Any]) -> str:
    """Name an entry by everything that its signer decided."""
    return base64url.encode(hashes.tagged(b"tests/entry", cbor2.dumps(list(entry[1:6]))))


@dataclass
class BallotBox:
    """`SubmitBallots` and `GetBallot` with the real verdicts' form and order of history checks."""

    is_open: bool = True
    pending: set[bytes] = field(default_factory=set)  # session ids that the endorsers don't know yet
    refuse_whole: set[bytes] = field(default_factory=set)  # voters whose presence fails the whole batch

    def functions(self) -> dict[str, Function]:
        return {"SubmitBallots": self.submit, "GetBallot": self.get_ballot, "Touch": self.touch}

    def touch(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        """Write the meeting's record anew, as a step in its life does."""
        stub.put(f"meeting~{arguments[0].decode()}", stub.tx.encode())
        return b""

    def submit(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        version, mtg, entries = cbor2.loads(arguments[0])
        assert version == 1
        stub.get(f"meeting~{mtg}")
        if not self.is_open:
            raise Refusal("MEETING_NOT_OPEN: The meeting doesn't take ballots from this door now.")
        if any(entry[1] in self.refuse_whole for entry in entries):
            raise Refusal("BATCH_FORMAT: The batch is not deterministic CBOR of the prescribed shape.")
        held, refused, pending = [], [], []
        voters: set[bytes] = set()
        for index, entry in enumerate(entries):
            code = self._judge(stub, mtg, entry, voters)
            if code == "held":
                held.append(index)
            elif code == "SESSION_NOT_FOUND":
                pending.append([index, code])
            elif code:
                refused.append([index, code, 0])
        accepted = len(entries) - len(held) - len(refused) - len(pending)
        answer = {"v": 1, "accepted": accepted, "held": held, "refused": refused, "pending": pending}
        return json.dumps(answer).encode()

    def _judge(self, stub: Stub, mtg: str, entry: Sequence[Any], voters: set[bytes]) -> str | None:
        _, sub, seq, ses = entry[:4]
        if sub in voters:
            return "BATCH_DUPLICATE_VOTER"
        voters.add(sub)
        key, digest = f"ballot~{mtg}~{base64url.encode(sub)}", entry_digest(entry)
        stored = stub.get(key)
        holding = json.loads(stored) if stored else None
        if holding and holding["digest"] == digest:
            return "held"
        if ses in self.pending:
            return "SESSION_NOT_FOUND"
        if holding and holding["seq"] >= seq:
            return "SEQ_EQUIVOCATION" if holding["seq"] == seq else "SEQ_STALE"
        history = [*(holding["history"] if holding else []), digest]
        value = {"digest": digest, "seq": seq, "tx": stub.tx, "history": history}
        stub.put(key, json.dumps(value).encode())
        return None

    def get_ballot(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        mtg, sub = (argument.decode() for argument in arguments)
        return stub.get(f"ballot~{mtg}~{sub}") or b"null"
