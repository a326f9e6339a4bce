"""The command line of the verifier in one file: the same words, output and exit codes as `concordat`'s."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from auditor.log import kinds
from auditor.log.head import parse_head_file, verify_head
from auditor.log.receipt import verified_promise, verify_audited
from auditor.log.shown import audited_json, audited_text, head_json, head_text, promise_json, promise_text
from auditor.log.trust import parse_trust
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.meeting import meeting_from_json
from client.errors import ConcordatError, Negative, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.log.trust import TrustRoot
    from client.encodings.meeting import Meeting

_WHAT = ("receipt", "head", "evidence")


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify one file and return the exit code: 0 genuine, 1 not, 2 can't be read or nothing is trusted."""
    parser = argparse.ArgumentParser(
        prog="concordat-verify", description="Verify what the Regulator's service handed out, offline."
    )
    parser.add_argument("what", choices=_WHAT)
    parser.add_argument("verb", choices=("verify",))
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust", type=Path, help="the trust root: genesis hashes and the Regulator's CA")
    parser.add_argument("--record", type=Path, help="the meeting's record, for a receipt that isn't audited")
    parser.add_argument("--json", action="store_true", help="machine-readable output on stdout")
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as stopped:
        return 2 if stopped.code else 0
    try:
        value, text = _verified(chosen)
    except ConcordatError as error:
        if chosen.json and isinstance(error, Negative):
            refusal = {"verified": False, "code": error.code, "error": error.message}
            sys.stdout.write(json.dumps(refusal, ensure_ascii=False) + "\n")
        sys.stderr.write(f"concordat-verify: {' '.join(str(error).split())}\n")
        return error.exit_code
    sys.stdout.write((json.dumps(value, ensure_ascii=False) if chosen.json else text) + "\n")
    return 0


def _verified(chosen: argparse.Namespace) -> tuple[dict[str, Any], str]:
    data = _read(chosen.file)
    if chosen.what == "receipt" and kinds.kind_of(data) != kinds.RECEIPT:
        meeting = _meeting(chosen.record)
        if chosen.trust is not None:
            _trust(chosen.trust).verify_meeting(meeting)
        promise = verified_promise(data, meeting)
        return promise_json(promise), promise_text(promise)
    trust = _trust(chosen.trust)
    if chosen.what == "receipt":
        try:
            receipt = verify_audited(data, trust)
        except Negative as error:
            raise Negative(f"the receipt doesn't verify: {error.message}", code=error.code) from error
        return audited_json(receipt), audited_text(receipt)
    if chosen.what == "head":
        signed = parse_head_file(data)
        head = verify_head(signed, trust.regulator(signed.load_certificates()))
        return head_json(head), head_text(head)
    evidence = verify_evidence(data, trust)
    return as_json(evidence), as_text(evidence)


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
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
