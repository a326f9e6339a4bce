"""By what right a key is enrolled: an identity check that its lender passed for exactly this key."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from client.encodings import base64url
from client.encodings.ids import ID_BYTES
from client.enrolment.evidence import Evidence

if TYPE_CHECKING:
    from client.enrolment.evidence import Opening

MISSING: Final = "APPROVAL_MISSING"
INSECURE_METHOD: Final = "insecure-demo"
_log = logging.getLogger(__name__)


class Approved(Protocol):
    """A passed check: its id, the method that the enrolment will name, and what opens its commitment."""

    @property
    def ses(self) -> str:
        """The check's id."""

    @property
    def method(self) -> str:
        """Such as `face-v1`."""

    @property
    def opening(self) -> Opening:
        """Salt and evidence; its JSON names the key's thumbprint as `key`."""


class Approvals(Protocol):
    """Who has passed. The identity service's are `client.identity.approvals.ServiceApprovals`."""

    def approval(self, institution: str, sub: str, key: str, /) -> Approved | None:
        """Return what was approved for this lender and key (SHA-256 of its SPKI, base64url), or None."""

    def taken(self, approved: Approved, /) -> None:
        """Take note that the enrolment has sealed the evidence as its own."""


@dataclass(frozen=True, slots=True)
class BelievedKey:
    """An approval that nobody's check stands behind."""

    ses: str
    method: str
    opening: Evidence


class InsecureApprovals:
    """INSECURE: approves every key without a check, for demonstrations, benchmarks and tests. It warns.

    Its method says so on the channel, and its evidence says that nobody was verified.
    """

    def __init__(self) -> None:
        _log.warning("enrolment by method %s: NOBODY IS VERIFIED, for demonstrations only", INSECURE_METHOD)

    def approval(self, institution: str, sub: str, key: str, /) -> BelievedKey:
        """Approve."""
        about = {"institution": institution, "sub": sub, "key": key}
        evidence = Evidence.of({"v": 1, **about, "method": INSECURE_METHOD, "verified": False})
        return BelievedKey(base64url.encode(secrets.token_bytes(ID_BYTES)), INSECURE_METHOD, evidence)

    def taken(self, approved: Approved, /) -> None:
        """Nothing is kept here."""
