"""Tampering with what is handed out: receipts, tree heads, certificates, rolls, reports; one bit each."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from auditor import protobuf as pb
from auditor.log.head import parse_head_file, verify_head
from auditor.log.receipt import verified_promise, verify_audited
from auditor.members import Membership, NotAMember
from auditor.reporting.document import report_of
from auditor.reporting.signature import sign_report, verify_signed
from auditor.reporting.write import formats
from client.encodings import certificates, jcs
from client.encodings.errors import Refused
from client.errors import ConcordatError
from client.rolls.rollfile import read_roll, write_roll
from tests.tampering.case import Case, flipped
from tests.unit.auditor.log.stage import DOOR_ROOT, LENDER_ROOT
from tests.unit.auditor.test_run import audited, save
from tests.unit.rolls.scene import small_roll

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.auditor.log.stage import LogStage

# By member of the file: what may refuse when a bit of it is flipped. Of the punctuation between, its form.
_REGISTRY = r"(?!HEAD_|LOG_|AUDITED_|TRUST_)[A-Z]+(_[A-Z]+)*"
AUDITED = {
    "receipt": rf"AUDITED_FORMAT|{_REGISTRY}",
    "record": rf"AUDITED_FORMAT|HEAD_MEETING|TRUST_GENESIS|{_REGISTRY}",
    "head": r"AUDITED_FORMAT|HEAD_(FORMAT|SIGNER|SIGNATURE)",
    "certificates": r"AUDITED_FORMAT|HEAD_(FORMAT|SIGNER|ROLE|SIGNATURE)",
    "index": r"AUDITED_FORMAT|LOG_(PLACE|PATH|ROOT)",
    "pos": r"AUDITED_FORMAT|LOG_(ROOT|LEAF)",
    "path": r"AUDITED_FORMAT|LOG_(PATH|ROOT)",
    "": r"AUDITED_FORMAT",
}
HEAD = {
    "head": r"HEAD_(FORMAT|SIGNER|SIGNATURE)",
    "certificates": r"HEAD_(FORMAT|SIGNER|ROLE|SIGNATURE)",
    "": "HEAD_FORMAT",
}
REPORT = {
    "signature": r"REPORT_(FORMAT|SIGNER|SIGNATURE)",
    "certificates": r"REPORT_(FORMAT|SIGNER|ROLE|SIGNATURE)",
    "": "REPORT_FORMAT",
}


class Files:
    """What an honest service and an honest door handed out about one meeting."""

    def __init__(self, stage: LogStage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        head = stage.publish()
        self._head = head.encode()
        self._receipts = {name: stage.receipt(name) for name in ("an", "bo")}
        self._audited = {name: stage.audited(name).encode() for name in ("an", "bo")}
        stage.player.closed()
        report = report_of(audited(stage.player, save(stage.player, folder / "files.db")))
        self._report = formats(report)
        self._signature = sign_report(report, self._report, stage.signer)
        self._roll = small_roll()
        write_roll(self._roll, folder / "roll.jsonl")
        self._roll_bytes = (folder / "roll.jsonl").read_bytes()

    def tamper(self, draw: random.Random) -> Case:
        """Flip a bit of one file."""
        kinds = (self._receipt, self._audited_receipt, self._tree_head, self._certificate, self._lender)
        return draw.choice((*kinds, self._roll_file, self._report_file, self._report_signature))(draw)

    def _receipt(self, draw: random.Random) -> Case:
        data, place = flipped(self._receipts[draw.choice(("an", "bo"))], draw)
        meeting = self._stage.player.scene.meeting
        code = code_of(lambda: verified_promise(data, meeting, lender_root=LENDER_ROOT, door_root=DOOR_ROOT))
        return judged("receipts", place, rf"RECEIPT_FORMAT|{_REGISTRY}", code)

    def _audited_receipt(self, draw: random.Random) -> Case:
        whole = self._audited[draw.choice(("an", "bo"))]
        data, place = flipped(whole, draw)
        member = _member(whole, place)
        trust = self._stage.trust
        code = code_of(lambda: verify_audited(data, trust, lender_root=LENDER_ROOT, door_root=DOOR_ROOT))
        return judged("audited receipts", f"{member}, {place}", AUDITED[member], code)

    def _tree_head(self, draw: random.Random) -> Case:
        data, place = flipped(self._head, draw)
        member = _member(self._head, place)

        def verify() -> object:
            signed = parse_head_file(data)
            return verify_head(signed, self._stage.trust.regulator(signed.load_certificates()))

        return judged("tree heads", f"{member}, {place}", HEAD[member], code_of(verify))

    def _certificate(self, draw: random.Random) -> Case:
        fabric = self._stage.fabric
        signer = draw.choice([*fabric.peers.values(), *fabric.orderers.values(), *fabric.admins.values()])
        whole = signer.certificate.public_bytes(Encoding.DER)
        data, place = flipped(whole, draw)
        pem = _pem(data)
        identity = pb.identities.SerializedIdentity(mspid=signer.msp_id, id_bytes=pem).SerializeToString()
        organisation = self._stage.regulator
        if signer.msp_id != organisation.msp_id:
            root = fabric.orgs[signer.msp_id].root
            organisation = type(organisation)(signer.msp_id, (root,))
        try:
            Membership({signer.msp_id: organisation}).member(identity)
        except NotAMember:
            code = "NOT_A_MEMBER"
        else:
            code = ""
        return judged("certificates", f"{signer.msp_id}, {place}", "NOT_A_MEMBER", code)

    def _lender(self, draw: random.Random) -> Case:
        lender = draw.choice(list(self._stage.player.scene.lenders.values()))
        data, place = flipped(lender.certificate, draw)

        def verify() -> None:
            certificates.verify_issued(data, LENDER_ROOT)
            if certificates.thumbprint(data) != lender.x5t:
                raise Refused("KEY_FOREIGN")

        return judged(
            "certificates", f"{lender.name}, {place}", r"CERT\w*|KEY_\w+|ENROLMENT\w*", code_of(verify)
        )

    def _roll_file(self, draw: random.Random) -> Case:
        """A bit of a leaf, or of the figures; of the personal data beside them the root says nothing."""
        spans = [
            one.span() for one in re.finditer(rb'\{"sub":.*?(?=,"person":)|"roll":\{.*?\]', self._roll_bytes)
        ]
        start, stop = draw.choice(spans)
        data, place = flipped(self._roll_bytes, draw, start, stop)
        path = self._folder / "tampered.jsonl"
        path.write_bytes(data)

        def verify() -> None:
            if read_roll(path).summary != self._roll.summary:
                raise Refused("ROLL_ROOT")

        return judged("rolls", place, r"ROLL_ROOT|Negative|RollError", code_of(verify))

    def _report_file(self, draw: random.Random) -> Case:
        name = draw.choice(sorted(self._report))
        data, place = flipped(self._report[name], draw)
        code = code_of(lambda: verify_signed(data, self._signature, self._stage.trust))
        return judged("reports", f"{name}, {place}", "REPORT_ALTERED", code)

    def _report_signature(self, draw: random.Random) -> Case:
        data, place = flipped(self._signature, draw)
        member = _member(self._signature, place)
        code = code_of(lambda: verify_signed(self._report["json"], data, self._stage.trust))
        return judged("reports", f"jws {member}, {place}", REPORT[member], code)


def judged(surface: str, what: str, pattern: str, code: str) -> Case:
    found = frozenset({code} if code else set())
    named = frozenset({code} if re.fullmatch(pattern, code) else {pattern})
    return Case(surface, what, named, found)


def code_of(verify: Callable[[], object]) -> str:
    try:
        verify()
    except ConcordatError as error:
        return getattr(error, "code", "") or type(error).__name__
    return ""


def _member(data: bytes, place: str) -> str:
    """Return the member of a canonical JSON file in whose value a byte lies, "" for what is between."""
    wanted = int(place.split()[1])
    at = 1
    for name, value in sorted(jcs.loads(data).items()):
        start = at + len(jcs.dumps(name)) + 1
        end = start + len(jcs.dumps(value))
        if start < wanted < end - 1 or (start <= wanted < end and isinstance(value, int)):
            return name if name not in ("v", "type") else ""
        at = end + 1
    return ""


def _pem(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"
