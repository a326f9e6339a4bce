"""The names that travel: ids, classes, choices, MSPs, hex hashes."""

from __future__ import annotations

import re
from typing import Final

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer in any JSON of ours (RFC 8785 keeps it exact in every language)."""

ID_BYTES: Final = 16
HASH_BYTES: Final = 32

_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_MOTION = re.compile(r"[a-z0-9-]{1,20}", re.ASCII)
_MSP = re.compile(r"[A-Za-z][A-Za-z0-9]{0,60}MSP", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
# 16 and 32 bytes in canonical base64url: the last character's spare bits are zero.
_ID = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]", re.ASCII)
_HASH = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)


def is_meeting_id(value: object) -> bool:
    """Say whether `value` is a meeting id, `[a-z0-9-]{1,40}`."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_name(value: object) -> bool:
    """Say whether `value` names a class, a choice, a method or a profile, `[a-z0-9-]{1,40}`."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_motion_id(value: object) -> bool:
    """Say whether `value` is a motion id, `[a-z0-9-]{1,20}`."""
    return isinstance(value, str) and _MOTION.fullmatch(value) is not None


def is_msp(value: object) -> bool:
    """Say whether `value` is an organisation's MSP id, such as `InstitutionAMSP`."""
    return isinstance(value, str) and _MSP.fullmatch(value) is not None


def is_hex_hash(value: object) -> bool:
    """Say whether `value` is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def is_random_id(value: object) -> bool:
    """Say whether `value` is a pseudonym or session id: 16 bytes in base64url."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_hash(value: object) -> bool:
    """Say whether `value` is a SHA-256 in base64url."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_count(value: object) -> bool:
    """Say whether `value` is an integer from 0 to 2^53-1 (and no boolean)."""
    return type(value) is int and 0 <= value <= MAX_INTEGER


def is_first(version: object) -> bool:
    """Say whether a document's version is 1; to Python `true` is equal to it, to Go it is another type."""
    return type(version) is int and version == 1


def arbitration_channel(institution: str) -> str:
    """Return the name of an institution's channel: `InstitutionAMSP` has `arbitration-institutiona`."""
    return "arbitration-" + institution.removesuffix("MSP").lower()
