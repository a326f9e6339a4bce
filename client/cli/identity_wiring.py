"""What the identity service is connected to on this host: its store, its key, the ledger, sources."""

from __future__ import annotations

import json
import logging
import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import update
from sqlalchemy.exc import NoResultFound

from biometrics.errors import BiometricsError
from biometrics.service.rotation import Rotating
from biometrics.service.service import DEFAULT_CHECKER, Surroundings, build
from biometrics.sources.insecure_stand_in import NAME as STAND_IN
from biometrics.sources.institution import KINDS, InstitutionPhotos
from biometrics.sources.interface import NoPhoto, Person
from biometrics.sources.official import NAME as OFFICIAL
from biometrics.sources.official import OfficialIdService
from biometrics.store import Database as Store
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.policy import default_service_policy, load_service_policy
from client.connection import Profile
from client.encodings.errors import Refused
from client.encodings.records import parse_enrolment
from client.errors import ConcordatError, UserError
from client.gateway import EvaluateError, GatewayError
from client.meetings.lenders import LenderRegister
from client.platform import Database, Vault, database_url
from client.platform.models import IdentitySession
from client.sessions import SessionRecorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from biometrics.service.pool import PoolSize
    from biometrics.service.service import IdentityService
    from biometrics.session import EvidenceOpening
    from biometrics.sources.interface import PhotoSource
    from biometrics.terms.binding import Lender
    from client.encodings.records import Enrolment, Session
    from client.gateway import Contract, Gateway
    from client.gateway.proposal import Proposal
    from client.sessions import RecordedSession

_log = logging.getLogger(__name__)
ASSOCIATION = "AssociationMSP"
STORE_URL = "CONCORDAT_IDENTITY_DATABASE_URL"
ID_SERVICE_URL = "CONCORDAT_ID_SERVICE_URL"
ID_SERVICE_TOKEN = "CONCORDAT_ID_SERVICE_TOKEN_FILE"  # noqa: S105  a variable's name
ID_SERVICE_ROOTS = "CONCORDAT_ID_SERVICE_TLS_ROOTS"


class VerifierContract:
    """The `identity` chaincode as the Association's verifier, under whatever certificate it has now.

    Certificate and key are read again for every call, so that renewing them needs no restart.
    """

    def __init__(self, home: Path, msp: str = ASSOCIATION) -> None:
        self._home = home
        self._msp = msp
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
        return gateway, gateway.network("identity").contract(profile.channel("identity").chaincode)


class ChannelEnrolments:
    """Enrolments as the channel `identity` has them now."""

    def __init__(self, contract: VerifierContract) -> None:
        self._contract = contract

    def enrolment(self, lender: Lender) -> Enrolment:
        """Return it; raises ServiceRefused (ENROLMENT_NOT_FOUND, LEDGER_UNAVAILABLE)."""
        try:
            return parse_enrolment(self._contract.evaluate("GetEnrolment", lender.sub))
        except EvaluateError as error:
            if "ENROLMENT_NOT_FOUND" in str(error):
                raise ServiceRefused("ENROLMENT_NOT_FOUND") from error
            raise ServiceRefused("LEDGER_UNAVAILABLE", retry_after=5) from error
        except (GatewayError, ConcordatError) as error:
            raise ServiceRefused("LEDGER_UNAVAILABLE", retry_after=5) from error


class PlatformRecorder:
    """Records through the platform: evidence sealed in its database, commitments on `identity`."""

    def __init__(self, home: Path, contract: VerifierContract) -> None:
        self._home = home
        self._contract = contract
        self._recorder: SessionRecorder | None = None

    def record_many(self, checks: Sequence[tuple[Session, EvidenceOpening]], /) -> list[RecordedSession]:
        """Write them in one transaction."""
        if self._recorder is None:
            self._recorder = SessionRecorder(
                Database.open(database_url(self._home)), platform_vault(self._home), self._contract
            )
        return self._recorder.record_many(checks)


class PlatformPeople:
    """Who a lender is, as the platform's sealed register has it; asked only for the official ID service."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._register: LenderRegister | None = None

    def person(self, lender: Lender) -> Person:
        """Return the person; raises NoPhoto for an unknown lender."""
        if self._register is None:
            database = Database.open(database_url(self._home))
            self._register = LenderRegister(database, platform_vault(self._home))
        try:
            value = self._register.person(lender.institution, lender.sub)
        except NoResultFound as error:
            raise NoPhoto("the register doesn't know this lender") from error
        return Person(value["name"], value["id_no"])


def platform_vault(home: Path) -> Vault:
    """Return the platform's vault."""
    return Vault.open(home / "keys" / "platform.key")


def identity_vault(home: Path) -> Vault:
    """Return the identity service's own vault: its key opens nothing of the platform's, nor the reverse."""
    return Vault.open(home / "keys" / "identity.key")


def store_url(home: Path) -> str:
    """Return `$CONCORDAT_IDENTITY_DATABASE_URL`, or the SQLite file `identity.db` in the home folder."""
    return os.environ.get(STORE_URL) or f"sqlite:///{home / 'identity.db'}"


@contextmanager
def identity_service(
    home: Path,
    *,
    policy: Path | None = None,
    checker: str = DEFAULT_CHECKER,
    pool_size: PoolSize | None = None,
    stand_in: bool = False,
) -> Iterator[IdentityService]:
    """Give the service of this host, not started; connections to the ledger are made when needed."""
    with reported():
        store = Store.open(store_url(home))
        terms = load_service_policy(policy) if policy is not None else default_service_policy()
        contract = VerifierContract(home)
        service = build(
            Surroundings(
                database=store,
                sealer=identity_vault(home),
                sources=_sources(home, store, stand_in=stand_in),
                enrolments=ChannelEnrolments(contract),
                recorder=PlatformRecorder(home, contract),
                checker=checker,
                policy=terms,
                pool_size=pool_size,
                forget_evidence=lambda meetings: _forget(home, meetings),
            )
        )
    try:
        yield service
    finally:
        service.close()
        store.close()


@contextmanager
def reported() -> Iterator[None]:
    """Turn the service's own errors into the command line's: one sentence, exit 2."""
    try:
        yield
    except ServiceRefused as error:
        raise UserError(str(error), code=error.code) from error
    except (BiometricsError, Refused) as error:
        raise UserError(str(error)) from error


def _sources(home: Path, store: Store, *, stand_in: bool) -> list[PhotoSource]:
    sources: list[PhotoSource] = [
        InstitutionPhotos(kind, store, identity_vault(home), secrets.token_bytes) for kind in KINDS
    ]
    url = os.environ.get(ID_SERVICE_URL)
    if url:
        token = os.environ.get(ID_SERVICE_TOKEN)
        if not token:
            raise UserError(f"{ID_SERVICE_URL} is set: name the file of its token in {ID_SERVICE_TOKEN}")
        roots = os.environ.get(ID_SERVICE_ROOTS)
        if stand_in:
            _log.warning("%s gives the references: NOBODY IS VERIFIED, for demonstrations only", STAND_IN)
        sources.append(
            OfficialIdService(
                url,
                PlatformPeople(home),
                token=_read(token).strip(),
                random_bytes=secrets.token_bytes,
                tls_root_pem=_read(roots).encode() if roots else None,
                name=STAND_IN if stand_in else OFFICIAL,
            )
        )
    return sources


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123  a path from the environment
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read: {error}") from error


def _forget(home: Path, meetings: Iterable[str]) -> int:
    """Delete the sealed evidence of settled meetings' sessions from the platform's database."""
    named = list(meetings)
    if not named:
        return 0
    database = Database.open(database_url(home))
    try:
        with database.write() as session:
            done: Any = session.execute(
                update(IdentitySession)
                .where(IdentitySession.mtg.in_(named), IdentitySession.evidence_encrypted.is_not(None))
                .values(evidence_encrypted=None)
            )
            return int(done.rowcount)
    finally:
        database.close()


def as_line(value: Any) -> str:
    """Return a value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)
