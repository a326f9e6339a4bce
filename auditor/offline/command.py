"""The command line of the verifier in one file: the same words, output and exit codes as `concordat`'s."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.evidence.container import MAX_BYTES
from auditor.evidence.printable import printable
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from auditor.log import kinds
from auditor.log.contradiction import contradict_audited, contradict_promise
from auditor.log.extract import parse_extract
from auditor.log.head import parse_head_file, verify_head
from auditor.log.receipt import verified_promise, verify_audited
from auditor.log.shown import (
    UNTRUSTED,
    audited_json,
    audited_text,
    head_json,
    head_text,
    promise_json,
    promise_text,
)
from auditor.log.trust import parse_trust
from auditor.members import UNREADABLE
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.meeting import meeting_from_json
from client.errors import ConcordatError, Negative, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.log.contradiction import Contradiction
    from auditor.log.trust import TrustRoot
    from client.encodings.meeting import Meeting

_WHAT = {"receipt": ("verify", "contradict"), "head": ("verify",), "evidence": ("verify",)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify one file and return the exit code: 0 genuine, 1 not, 2 can't be read or nothing is trusted."""
    parser = argparse.ArgumentParser(
        prog="concordat-verify", description="Verify what the Regulator's service handed out, offline."
    )
    parser.add_argument("what", choices=_WHAT)
    parser.add_argument("verb", choices=("verify", "contradict"))
    parser.add_argument("file", type=Path)
    parser.add_argument("against", type=Path, nargs="?", help="the head that a receipt is held against")
    parser.add_argument("--trust", type=Path, help="the trust root: genesis hashes and the Regulator's CA")
    parser.add_argument("--record", type=Path, help="the meeting's record, for a receipt that isn't audited")
    parser.add_argument("--leaves", type=Path, help="leaves of the head's log, for a receipt held against it")
    parser.add_argument("--lender-root", type=Path, help="the lender CA's root (PEM), for a receipt")
    parser.add_argument("--door-root", type=Path, help="the root (PEM) of the door that acknowledged")
    parser.add_argument("--json", action="store_true", help="machine-readable output on stdout")
    try:
        chosen = parser.parse_args(arguments)
        if chosen.verb not in _WHAT[chosen.what] or (chosen.verb == "contradict") != bool(chosen.against):
            parser.error("contradict takes a receipt and a head, verify one file")
    except SystemExit as stopped:
        return 2 if stopped.code else 0
    try:
        value, text = _verified(chosen)
    except ConcordatError as error:
        if chosen.json and isinstance(error, Negative):
            refusal = {"verified": False, "code": error.code, "error": error.message}
            sys.stdout.write(json.dumps(refusal, ensure_ascii=False) + "\n")
        sys.stderr.write(f"concordat-verify: {' '.join(printable(str(error)).split())}\n")
        return error.exit_code
    sys.stdout.write((json.dumps(value, ensure_ascii=False) if chosen.json else text) + "\n")
    return 0


def _verified(chosen: argparse.Namespace) -> tuple[dict[str, Any], str]:
    data = _read(chosen.file)
    if chosen.verb == "contradict":
        found = _contradiction(chosen, data)
        text = f"{found.kind}: ballot {found.digest}\nthe receipt: {found.receipt}\nthe head: {found.head}"
        return found.as_json(), text
    roots = {"lender_root": _root(chosen.lender_root), "door_root": _root(chosen.door_root)}
    if chosen.what == "receipt" and kinds.kind_of(data) != kinds.RECEIPT:
        meeting = _meeting(chosen.record)
        if chosen.trust is not None:
            _trust(chosen.trust).verify_meeting(meeting)
        promise = verified_promise(data, meeting, **roots)
        if None in roots.values():
            raise UserError(UNTRUSTED)
        return promise_json(promise, issuers_checked=True), promise_text(promise)
    trust = _trust(chosen.trust)
    if chosen.what == "receipt":
        try:
            receipt = verify_audited(data, trust, **roots)
        except Negative as error:
            raise Negative(f"the receipt doesn't verify: {error.message}", code=error.code) from error
        return audited_json(receipt), audited_text(receipt)
    if chosen.what == "head":
        signed = parse_head_file(data)
        head = verify_head(signed, trust.regulator(signed.load_certificates()))
        return head_json(head), head_text(head)
    evidence = verify_evidence(data, trust)
    return as_json(evidence), as_text(evidence)


def _contradiction(chosen: argparse.Namespace, data: bytes) -> Contradiction:
    trust, head = _trust(chosen.trust), _read(chosen.against)
    extract = None if chosen.leaves is None else parse_extract(_read(chosen.leaves))
    if kinds.kind_of(data) == kinds.RECEIPT:
        return contradict_audited(data, head, trust, extract)
    door_root = _root(chosen.door_root)
    if extract is None or door_root is None:
        raise UserError("a receipt without a head of its own needs --leaves and --door-root as well")
    meeting = _meeting(chosen.record)
    return contradict_promise(data, head, trust, extract, meeting=meeting, door_root=door_root)


def _root(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return x509.load_pem_x509_certificate(_read(path)).public_bytes(Encoding.DER)
    except UNREADABLE as error:
        raise UserError(f"{path} is no certificate in PEM form") from error


def _trust(path: Path | None) -> TrustRoot:
    if path is None:
        raise UserError("nothing is trusted: give the trust root with --trust")
    return parse_trust(_read(path), str(path))


def _meeting(path: Path | None) -> Meeting:
    if path is None:
        raise UserError("the meeting's record is needed: give it with --record")
    try:
        value = jcs.loads(_read(path))
        return meeting_from_json(value.get("record", value) if isinstance(value, dict) else value)
    except (jcs.JsonError, Refused) as error:
        raise UserError(f"{path} is no meeting's record: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:  # one byte more than any file may have, which is then refused
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
