"""Where errors of the network become sentences for people: once, at the edge."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from client.errors import OutcomeUnknown, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKES_IDS: Final = {"ignore_unknown_options": True}
"""The settings of a command that takes a pseudonym or another random id as an argument.

One in 64 begins with a hyphen, and is no option for that.
"""


@contextmanager
def plain_errors(doing: str) -> Iterator[None]:
    """Turn a gateway's error into one line: what the chaincode refused, or what couldn't be reached."""
    from client.gateway.errors import CommitError, GatewayError  # noqa: PLC0415  help needs no gRPC
    from client.platform.chain import refusal_code  # noqa: PLC0415

    try:
        yield
    except GatewayError as error:
        code = refusal_code(error)
        if error.outcome_unknown:
            raise OutcomeUnknown(
                f"{doing}: transaction {error.transaction_id} was sent, but its outcome is unknown "
                f"({_status(error)}): run the command again, repeating is safe"
            ) from error
        if code is not None:
            raise UserError(f"{doing}: {_sentence(error, code)}", code=code) from error
        if isinstance(error, CommitError):
            raise UserError(
                f"{doing}: {error}; nothing was changed, run it again", code=error.code_name
            ) from error
        raise UserError(
            f"{doing}: the network didn't endorse it ({_status(error)}), nothing was changed: "
            "see `concordat network status` for what is down"
        ) from error


def _status(error: Any) -> str:
    code = "" if error.grpc_code is None else error.grpc_code.name
    said = "; ".join(f"{detail.msp_id}: {detail.message}" for detail in error.details[:3])
    return " ".join(part for part in (code, said) if part)[:300] or str(error)[:300]


def _sentence(error: Any, code: str) -> str:
    for text in (*error.chaincode_messages, *(detail.message for detail in error.details), error.message):
        found = re.search(rf"{code}: .*", text, re.DOTALL)
        if found:
            return " ".join(found[0].split())[:400]
    return code


def show(value: Any, *, as_json: bool, text: str) -> None:
    """Print a command's result: JSON for machines, text for people."""
    sys.stdout.write((json.dumps(value, ensure_ascii=False) if as_json else text) + "\n")
