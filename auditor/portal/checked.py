"""Checking receipts: genuine by themselves, and what the verified chain says of their ballots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.log import kinds
from auditor.log.errors import LogRefused
from auditor.log.promise import parse_promise
from auditor.log.receipt import parse_audited, translated, verified_promise, verify_audited
from auditor.portal.code import ReceiptCode, is_code, parse_code
from client.encodings.amendment import parse_entitlement

if TYPE_CHECKING:
    from auditor.log.promise import Promise
    from auditor.log.trust import TrustRoot
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.logged import Logged
    from auditor.portal.watch import Watcher
    from auditor.replay.amendments import Overlay
    from auditor.view import ChainBallot

STANDS: Final = "stands"
REPLACED: Final = "replaced"
REFUSED: Final = "refused"
ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a receipt is worth. Its choices are not in it.

    `kind` is receipt, audited or code; `genuine` whether its signatures were verified (a code has none);
    `fault` the code of what is wrong with it, "" for nothing, and `detail` its sentence. `status` is the
    chain's: stands, replaced, refused (then `chain_code`), absent, or "" where the meeting is unknown.
    """

    kind: str
    genuine: bool = False
    fault: str = ""
    detail: str = ""
    digest: str = ""
    institution: str = ""
    mtg: str = ""
    status: str = ""
    chain_code: str = ""
    tx: str = ""
    block: int | None = None
    index: int | None = None
    size: int | None = None

    @property
    def good(self) -> bool:
        """Say whether nothing is wrong with the receipt and its ballot was accepted."""
        return not self.fault and self.status in (STANDS, REPLACED)

    @property
    def code(self) -> ReceiptCode | None:
        """The short form, for a ballot that was accepted."""
        if self.block is None or not self.good:
            return None
        return ReceiptCode(self.institution, self.mtg, self.digest, self.block, self.tx, self.index)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        value = {name: getattr(self, name) for name in self.__slots__}
        return {"v": 1, "good": self.good, **value, "code": str(self.code or "")}


@dataclass(frozen=True, slots=True)
class Desk:
    """Checks whatever is handed in against the facts, the log and the trust root."""

    watcher: Watcher
    logged: Logged
    trust: TrustRoot

    def check(self, data: bytes) -> Checked:
        """Check the bytes of a receipt, an audited receipt, or a receipt's code; refuse what is no code."""
        text = data[:64].decode("utf-8", "replace")
        if is_code(text):
            return self._code(parse_code(data.decode("utf-8", "replace")))
        if kinds.kind_of(data) == kinds.RECEIPT:
            return self._audited(data)
        return self._receipt(data)

    def _code(self, code: ReceiptCode) -> Checked:
        facts = self.watcher.facts.find(code.institution, code.mtg)
        found = self._on_chain("code", code.institution, code.mtg, code.digest, facts)
        said: list[tuple[object, object]] = [(code.block, found.block), (code.tx, found.tx)]
        if code.index is not None and found.index is not None:
            said.append((code.index, found.index))
        wrong = found.status in (STANDS, REPLACED) and any(one != other for one, other in said)
        return found if not wrong else _faulty(found, "CODE_MISMATCH")

    def _receipt(self, data: bytes) -> Checked:
        try:
            promise = translated(lambda: parse_promise(data))
        except LogRefused as refused:
            return Checked("receipt", fault=refused.code, detail=refused.message)
        return self._judged("receipt", promise, data)

    def _audited(self, data: bytes) -> Checked:
        try:
            audited = parse_audited(data)
            promise = translated(lambda: parse_promise(audited.receipt))
        except LogRefused as refused:
            return Checked("audited", fault=refused.code, detail=refused.message)
        return self._judged("audited", promise, data)

    def _judged(self, kind: str, promise: Promise, data: bytes) -> Checked:
        institution = promise.channel.removeprefix("arbitration-")
        facts = self.watcher.facts.find(institution, promise.ballot.ballot.mtg)
        found = self._on_chain(kind, institution, promise.ballot.ballot.mtg, promise.digest, facts)
        if facts is None:
            return _faulty(found, "MEETING_UNKNOWN")
        roots = {
            "lender_root": self.watcher.lender_root(facts.meeting.institution),
            "door_root": self._door_root(facts, promise.ack.ack.door),
        }
        if None in roots.values():
            return _faulty(found, "ISSUER_UNKNOWN")
        try:
            if kind == "audited":
                verify_audited(data, self.trust, **roots)
            else:
                verified_promise(data, facts.meeting, **roots)
        except LogRefused as refused:
            return _faulty(found, refused.code, refused.message)
        if found.block is not None and (found.block, found.tx) != (promise.block, promise.tx):
            return _faulty(found, "RECEIPT_PLACE")
        if not agrees(promise, facts.overlay):
            return _faulty(found, "RECEIPT_AMENDED")
        return _but(found, genuine=True)

    def _door_root(self, facts: MeetingFacts, door: str) -> bytes | None:
        organisation = self.watcher.membership(facts.channel).organisations.get(door)
        return organisation.roots[0].public_bytes(Encoding.DER) if organisation else None

    def _on_chain(
        self, kind: str, institution: str, mtg: str, digest: str, facts: MeetingFacts | None
    ) -> Checked:
        base = Checked(kind, digest=digest, institution=institution, mtg=mtg)
        if facts is None:
            return _faulty(base, "MEETING_UNKNOWN") if kind == "code" else base
        ballot: ChainBallot | None = facts.accepted.get(digest)
        if ballot is None:
            refused = facts.refused.get(digest)
            status = ABSENT if refused is None else REFUSED
            return _but(base, status=status, chain_code=refused.code if refused else "")
        status = STANDS if facts.standing.get(ballot.sub) == digest else REPLACED
        index, size = self.logged.place(facts, digest)
        return _but(base, status=status, tx=ballot.tx, block=ballot.block, index=index, size=size)


def agrees(promise: Promise, overlay: Overlay) -> bool:
    """Say whether what a receipt says of an amendment can be what the chain's amendments left of the voter.

    Of an amendment before the last the chain's state keeps who was named, not what was left then.
    """
    if promise.amended is None:
        return True
    change = overlay.lenders.get(promise.ballot.ballot.sub)
    if change is None or not 1 <= promise.amended["no"] <= overlay.number:
        return False
    if promise.amended["no"] < overlay.number:
        return True
    return change.after is not None and change.after == parse_entitlement(promise.amended["after"])


def _but(checked: Checked, **changes: Any) -> Checked:
    return Checked(**({name: getattr(checked, name) for name in checked.__slots__} | changes))


def _faulty(checked: Checked, fault: str, detail: str = "") -> Checked:
    return _but(checked, fault=fault, detail=detail)
