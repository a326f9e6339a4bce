"""What the identity service asks of the ledger: enrolments and meetings, as the channels have them now."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from biometrics.service.meetings import MeetingFacts
from biometrics.terms.errors import ServiceRefused
from client.connection import Profile
from client.encodings import times
from client.encodings.records import parse_enrolment
from client.errors import ConcordatError, UserError
from client.gateway import EvaluateError, GatewayError
from client.identity.rotation import Rotating
from client.meetings.channel import look_up
from client.platform.chain import refusal_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from biometrics.terms.binding import Lender
    from client.encodings.records import Enrolment
    from client.gateway import Contract, Gateway
    from client.gateway.proposal import Proposal

ASSOCIATION = "AssociationMSP"
IDENTITY = "identity"


class VerifierContract:
    """A channel's chaincode as the Association's verifier, under whatever certificate it has now.

    Certificate and key are read again for every call, so that renewing them needs no restart.
    """

    def __init__(self, home: Path, msp: str = ASSOCIATION, channel: str = IDENTITY) -> None:
        self._home = home
        self._msp = msp
        self._channel = channel
        self._held: Rotating[tuple[Gateway, Contract]] | None = None

    def evaluate(self, name: str, /, *arguments: str | bytes) -> bytes:
        """Run a query on one peer."""
        return self._current().evaluate(name, *arguments)

    def new_proposal(self, name: str, /, *, arguments: Sequence[str | bytes] = ()) -> Proposal:
        """Prepare a call whose stages the caller takes one by one."""
        return self._current().new_proposal(name, arguments=arguments)

    def _current(self) -> Contract:
        if self._held is None:
            files = Profile.load(self._home).org(self._msp).identity("verifier")
            self._held = Rotating([files.cert, files.key], self._connect)
        return self._held.current()[1]

    def _connect(self) -> tuple[Gateway, Contract]:
        profile = Profile.load(self._home)
        files = profile.org(self._msp).identity("verifier")
        certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), None)
        if certificate.public_key() != key.public_key():
            raise UserError(f"{files.cert} is not the certificate of {files.key}: replace both")
        gateway = profile.gateway(self._msp, "verifier")
        return gateway, gateway.network(self._channel).contract(profile.channel(self._channel).chaincode)


class ChannelEnrolments:
    """Enrolments as the channel `identity` has them now."""

    def __init__(self, contract: VerifierContract) -> None:
        self._contract = contract

    def enrolment(self, lender: Lender) -> Enrolment:
        """Return it; raises ServiceRefused (ENROLMENT_NOT_FOUND, LEDGER_UNAVAILABLE)."""
        with _translated("ENROLMENT_NOT_FOUND"):
            return parse_enrolment(self._contract.evaluate("GetEnrolment", lender.sub))


class ChannelMeetings:
    """Meetings as their institutions' channels have them now."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._contracts: dict[str, VerifierContract] = {}

    def meeting(self, institution: str, mtg: str) -> MeetingFacts:
        """Return it; raises ServiceRefused (MEETING_NOT_FOUND, LEDGER_UNAVAILABLE)."""
        with _translated("MEETING_NOT_FOUND"):
            there = look_up(self._contract(institution), mtg)
        if there.meeting.institution != institution:
            raise ServiceRefused("MEETING_NOT_FOUND")
        return MeetingFacts(there.state, times.parse(there.meeting.objections_until))

    def _contract(self, institution: str) -> VerifierContract:
        if institution not in self._contracts:
            channels = Profile.load(self._home).channels.values()
            named = [channel.name for channel in channels if channel.institution == institution]
            if not named:
                raise ServiceRefused("MEETING_NOT_FOUND", "no such institution on this network")
            self._contracts[institution] = VerifierContract(self._home, channel=named[0])
        return self._contracts[institution]


@contextmanager
def _translated(missing: str) -> Iterator[None]:
    """Turn what the ledger says into the service's refusals: `missing`, or that it can't be asked."""
    try:
        yield
    except EvaluateError as error:
        if refusal_code(error) == missing:
            raise ServiceRefused(missing) from error
        raise ServiceRefused("LEDGER_UNAVAILABLE", retry_after=5) from error
    except (GatewayError, ConcordatError) as error:
        if getattr(error, "code", None) == missing:
            raise ServiceRefused(missing) from error
        raise ServiceRefused("LEDGER_UNAVAILABLE", retry_after=5) from error
