"""What the identity service is connected to on this host: its store, its key, the ledger, sources."""

from __future__ import annotations

import json
import logging
import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biometrics.enrolment.texts import load_texts
from biometrics.errors import BiometricsError
from biometrics.service.service import DEFAULT_CHECKER, Surroundings, build
from biometrics.sources.insecure_stand_in import NAME as STAND_IN
from biometrics.sources.institution import KINDS, InstitutionPhotos
from biometrics.sources.official import NAME as OFFICIAL
from biometrics.sources.official import OfficialIdService
from biometrics.store import Database as Store
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.policy import default_service_policy, load_service_policy
from client.encodings.errors import Refused
from client.errors import UserError
from client.identity.channel import ChannelEnrolments, ChannelMeetings, VerifierContract
from client.identity.platform import PlatformPeople, PlatformRecorder, identity_vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from biometrics.service.pool import PoolSize
    from biometrics.service.service import IdentityService
    from biometrics.sources.interface import PhotoSource

_log = logging.getLogger(__name__)
STORE_URL = "CONCORDAT_IDENTITY_DATABASE_URL"
ID_SERVICE_URL = "CONCORDAT_ID_SERVICE_URL"
ID_SERVICE_TOKEN = "CONCORDAT_ID_SERVICE_TOKEN_FILE"  # noqa: S105  a variable's name
CONSENT_TEXTS = "CONCORDAT_CONSENT_TEXTS"
ID_SERVICE_ROOTS = "CONCORDAT_ID_SERVICE_TLS_ROOTS"


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
        recorder = PlatformRecorder(home, contract)
        folder = os.environ.get(CONSENT_TEXTS)
        service = build(
            Surroundings(
                database=store,
                sealer=identity_vault(home),
                sources=_sources(home, store, stand_in=stand_in),
                enrolments=ChannelEnrolments(contract),
                meetings=ChannelMeetings(home),
                recorder=recorder,
                keeper=recorder,
                texts=load_texts(Path(folder)) if folder else None,
                checker=checker,
                policy=terms,
                pool_size=pool_size,
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


def as_line(value: Any) -> str:
    """Return a value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)
