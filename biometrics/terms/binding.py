"""Whom and what a check is about: institution, pseudonym, key, one meeting or the enrolment, for whom."""

from __future__ import annotations

from dataclasses import dataclass

from biometrics.terms.errors import ServiceRefused
from biometrics.terms.scopes import ENROLMENT
from client.encodings import ids


@dataclass(frozen=True, slots=True)
class Lender:
    """A person under the pseudonym of one institution; raises ServiceRefused (REQUEST_FORMAT)."""

    institution: str
    sub: str

    def __post_init__(self) -> None:
        if not ids.is_msp(self.institution):
            raise ServiceRefused("REQUEST_FORMAT", "institution is no MSP id")
        if not ids.is_random_id(self.sub):
            raise ServiceRefused("REQUEST_FORMAT", "sub is not 16 bytes in base64url")


@dataclass(frozen=True, slots=True)
class Binding:
    """What a check is bound to; raises ServiceRefused (REQUEST_FORMAT) for malformed parts.

    `key` is the thumbprint of the enrolled certificate; before there is one, that of the public key.
    `scope` is a meeting's id, or `ENROLMENT`. `act` is the pseudonym of the principal whose ballot a proxy
    will cast; whether a mandate allows it is for whoever holds mandates, chaincode in the end.
    """

    lender: Lender
    key: str
    scope: str
    act: str | None = None

    def __post_init__(self) -> None:
        if not ids.is_hash(self.key):
            raise ServiceRefused("REQUEST_FORMAT", "the key's thumbprint is not 32 bytes in base64url")
        if self.scope != ENROLMENT and not ids.is_meeting_id(self.scope):
            raise ServiceRefused("REQUEST_FORMAT", "mtg must match [a-z0-9-]{1,40}")
        if self.act is None:
            return
        if self.scope == ENROLMENT or self.act == self.sub or not ids.is_random_id(self.act):
            raise ServiceRefused("REQUEST_FORMAT", "act is no other lender, or it is not about a meeting")

    @property
    def institution(self) -> str:
        """The lender's institution, an MSP id."""
        return self.lender.institution

    @property
    def sub(self) -> str:
        """The lender's pseudonym."""
        return self.lender.sub

    @property
    def is_enrolment(self) -> bool:
        """Whether it is about enrolling, not about a meeting."""
        return self.scope == ENROLMENT
