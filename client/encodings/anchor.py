"""The audit that the Regulator's auditor anchors on a meeting's channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from client.encodings import base64url, jcs, jws
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_hash, is_hex_hash

VERDICTS: Final = ("consistent", "inconsistent")
HEAD_TYP: Final = "concordat-head+jws"
MAX_HEAD: Final = 2048

_NAMES: Final = ("mtg", "size", "root", "report", "result", "verdict", "head")
_HEAD_NAMES: Final = ("mtg", "mh", "channel", "size", "root", "block", "block_hash", "time")


@dataclass(frozen=True, slots=True)
class Anchor:
    """An audit of a meeting, and the signed tree head over the ballots that it accepted.

    `size` and `root` (base64url) are the head's; `report` is the SHA-256 (hex) of the report file;
    `result` that of the result as the auditor computes it, empty before there is one; `head` the head's
    compact JWS (docs/transparency.md).
    """

    mtg: str
    size: int
    root: str
    report: str
    result: str
    verdict: str
    head: str

    def __post_init__(self) -> None:
        """Refuse (ARGUMENT_FORMAT) what no anchor may hold."""
        checks = {
            "mtg": isinstance(self.mtg, str),
            "size": is_count(self.size),
            "root": is_hash(self.root),
            "report": is_hex_hash(self.report),
            "result": self.result == "" or is_hex_hash(self.result),
            "verdict": self.verdict in VERDICTS,
            "head": isinstance(self.head, str),
        }
        for name, good in checks.items():
            if not good:
                raise Refused("ARGUMENT_FORMAT", name)
        _head(self.head)

    @property
    def root_bytes(self) -> bytes:
        """The root, 32 bytes."""
        return base64url.decode(self.root, HASH_BYTES)

    @property
    def signed_head(self) -> jws.Jws:
        """The head's JWS."""
        return _head(self.head)[0]

    def verify_head(self, mtg: str, mh: str, channel: str) -> None:
        """Refuse (AUDIT_MISMATCH) a head that is not the meeting's or not of this size and root."""
        said = _head(self.head)[1]
        found = tuple(said[name] for name in ("mtg", "mh", "channel", "size", "root"))
        if found != (mtg, mh, channel, self.size, self.root):
            raise Refused("AUDIT_MISMATCH", "the head is another's")

    def as_json(self) -> dict[str, Any]:
        """Return the members with the version."""
        return {"v": 2, **{name: getattr(self, name) for name in _NAMES}}

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return jcs.dumps(self.as_json())

    def record(self, tx: str) -> bytes:
        """Return the canonical record that transaction `tx` leaves."""
        return jcs.dumps({**self.as_json(), "tx": tx})


def parse_anchor(document: bytes) -> Anchor:
    """Return the anchor of JSON in any form; refuse with ARGUMENT_FORMAT. Version 1 is refused, too."""
    try:
        value = jcs.loads(document)
    except jcs.JsonError as error:
        raise Refused("ARGUMENT_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"v", *_NAMES}:
        raise Refused("ARGUMENT_FORMAT", "missing or unknown members")
    if type(value["v"]) is not int or value["v"] != 2:  # noqa: PLR2004  the version
        raise Refused("ARGUMENT_FORMAT", "the version is not 2")
    return Anchor(*(value[name] for name in _NAMES))


def _head(compact: str) -> tuple[jws.Jws, dict[str, Any]]:
    if len(compact.encode("utf-8", "surrogatepass")) > MAX_HEAD:
        raise Refused("ARGUMENT_FORMAT", "the head is too long")
    try:
        signed = jws.parse(compact, HEAD_TYP)
        value = jcs.loads_canonical(signed.payload)
    except (Refused, jcs.JsonError) as error:
        raise Refused("ARGUMENT_FORMAT", f"head: {error}") from error
    if not isinstance(value, dict) or value.keys() != {"v", *_HEAD_NAMES}:
        raise Refused("ARGUMENT_FORMAT", "missing or unknown members of the head")
    if type(value["v"]) is not int or value["v"] != 1:
        raise Refused("ARGUMENT_FORMAT", "the head's version is not 1")
    for name in ("mtg", "mh", "channel", "root"):
        if not isinstance(value[name], str):
            raise Refused("ARGUMENT_FORMAT", f"the head's {name} is no string")
    if not is_count(value["size"]):
        raise Refused("ARGUMENT_FORMAT", "the head's size is no integer")
    return signed, value
