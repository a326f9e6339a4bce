"""Records of the identity channel that ballots are judged by: enrolments and sessions."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from client.encodings import certificates, jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_first, is_hash, is_meeting_id, is_msp, is_name, is_random_id

Status = Literal["active", "revoked"]
Outcome = Literal["accept", "retry", "review", "reject"]

OUTCOMES: Final = ("accept", "retry", "review", "reject")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A pseudonym and the certificate (DER) it votes with; `rev` rises with every change."""

    sub: str
    certificate: bytes
    x5t: str
    institution: str
    method: str
    commitment: str
    status: Status
    rev: int
    reason: str | None = None
    tx: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        value: dict[str, Any] = {
            "v": 1,
            "sub": self.sub,
            "certificate": base64.b64encode(self.certificate).decode("ascii"),
            "x5t": self.x5t,
            "institution": self.institution,
            "method": self.method,
            "commitment": self.commitment,
            "status": self.status,
            "rev": self.rev,
            "tx": self.tx,
        }
        if self.reason is not None:
            value["reason"] = self.reason
        return value


@dataclass(frozen=True, slots=True)
class Session:
    """One identity check: whose, with which key, for which meeting, how it ended, until when it holds.

    `act` is the pseudonym for whom a proxy's ballot will be cast, None where it is for one's own.
    """

    ses: str
    sub: str
    x5t: str
    institution: str
    mtg: str
    method: str
    outcome: Outcome
    commitment: str
    issued_at: str
    expires_at: str
    act: str | None = None

    @property
    def expires(self) -> int:
        """The last second in which it holds, since 1970."""
        return times.parse(self.expires_at)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        value = {"v": 1} | {name: getattr(self, name) for name in SESSION_MEMBERS}
        return value if self.act is None else value | {"act": self.act}


SESSION_MEMBERS: Final = (
    "ses",
    "sub",
    "x5t",
    "institution",
    "mtg",
    "method",
    "outcome",
    "commitment",
    "issued_at",
    "expires_at",
)
"""The members that every session has; `act` besides where a proxy acts."""


def decode_certificate(text: Any) -> bytes:
    """Return the DER bytes of strict, padded standard base64; raise ValueError."""
    if not isinstance(text, str):
        raise ValueError("not a string")  # noqa: TRY004  one error for every wrong form
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not standard base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise ValueError("not canonical base64")
    return data


def parse_enrolment(data: bytes) -> Enrolment:
    """Return the enrolment of record bytes; refuse with ENROLMENT_FORMAT."""
    try:
        value = jcs.loads(data)
    except jcs.JsonError as error:
        raise Refused("ENROLMENT_FORMAT", str(error)) from error
    return enrolment_from_json(value)


def enrolment_from_json(value: Any) -> Enrolment:
    """Return the enrolment of parsed JSON; refuse with ENROLMENT_FORMAT."""
    names = {"v", "sub", "certificate", "x5t", "institution", "method", "commitment", "status", "rev", "tx"}
    if not isinstance(value, dict) or value.keys() - {"reason"} != names or not is_first(value["v"]):
        raise Refused("ENROLMENT_FORMAT", "missing or unknown members, or another version")
    try:
        certificate = decode_certificate(value["certificate"])
    except ValueError as error:
        raise Refused("ENROLMENT_FORMAT", f"certificate: {error}") from error
    checks = {
        "sub": is_random_id(value["sub"]),
        "x5t": value["x5t"] == certificates.thumbprint(certificate),
        "institution": is_msp(value["institution"]),
        "method": is_name(value["method"]),
        "commitment": is_hash(value["commitment"]),
        "status": value["status"] in ("active", "revoked"),
        "rev": is_count(value["rev"]) and value["rev"] >= 1,
        "tx": isinstance(value["tx"], str),
        "reason": isinstance(value.get("reason", ""), str),
    }
    _check("ENROLMENT_FORMAT", checks)
    return Enrolment(
        sub=value["sub"],
        certificate=certificate,
        x5t=value["x5t"],
        institution=value["institution"],
        method=value["method"],
        commitment=value["commitment"],
        status=cast("Status", value["status"]),
        rev=value["rev"],
        reason=value.get("reason"),
        tx=value["tx"],
    )


def parse_session(data: bytes) -> Session:
    """Return the session of record bytes; refuse with SESSION_FORMAT."""
    try:
        value = jcs.loads(data)
    except jcs.JsonError as error:
        raise Refused("SESSION_FORMAT", str(error)) from error
    return session_from_json(value)


def session_from_json(value: Any) -> Session:
    """Return the session of parsed JSON, a stored record's `tx` passed over; refuse with SESSION_FORMAT."""
    names = SESSION_MEMBERS
    if (
        not isinstance(value, dict)
        or value.keys() - {"tx", "act"} != {"v", *names}
        or not is_first(value["v"])
    ):
        raise Refused("SESSION_FORMAT", "missing or unknown members, or another version")
    checks = {
        "ses": is_random_id(value["ses"]),
        "sub": is_random_id(value["sub"]),
        "x5t": is_hash(value["x5t"]),
        "institution": is_msp(value["institution"]),
        "mtg": is_meeting_id(value["mtg"]),
        "method": is_name(value["method"]),
        "outcome": value["outcome"] in OUTCOMES,
        "commitment": is_hash(value["commitment"]),
        "issued_at": times.is_time(value["issued_at"]),
        "expires_at": times.is_time(value["expires_at"]),
        "act": "act" not in value or (is_random_id(value["act"]) and value["act"] != value["sub"]),
    }
    _check("SESSION_FORMAT", checks)
    if times.parse(value["issued_at"]) >= times.parse(value["expires_at"]):
        raise Refused("SESSION_FORMAT", "not issued_at < expires_at")
    return Session(**{name: value[name] for name in names}, act=value.get("act"))


def _check(code: str, checks: dict[str, bool]) -> None:
    for name, good in checks.items():
        if not good:
            raise Refused(code, name)
