"""Enrolment of many lenders: registered and certified by the lender CA in parallel, recorded in batches.

Every stage is written down as it is reached, so a run that broke off goes on where it was. A Fabric CA
spends most of its time on bcrypt (some 17 lenders/s on two cores), hence the threads.
"""

from __future__ import annotations

import base64
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select, update

from client.ca import AlreadyRegistered
from client.encodings import certificates, jcs
from client.enrolment.evidence import Evidence, seal
from client.errors import UserError
from client.platform.chain import commit
from client.platform.models import Lender
from client.platform.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from client.ca import Enrollment
    from client.enrolment.lender import LenderKey
    from client.platform import Database, Vault
    from client.platform.chain import Contract

    Progress = Callable[[str, int, int], None]  # stage, done, of

BATCH = 1000
WORKERS = 8


class Registers(Protocol):
    """What enrolment asks of the lender CA's registrar (`client.ca.Registrar`)."""

    def register(self, name: str, secret: str | None = None, /) -> str:
        """Register a pseudonym and return the single-use secret."""


class Enrols(Protocol):
    """What enrolment asks of the lender CA (`client.ca.CAClient`)."""

    def enroll_csr(self, name: str, secret: str, csr_pem: bytes, /) -> Enrollment:
        """Exchange a secret and a request for a certificate."""


@dataclass(frozen=True, slots=True)
class EnrolmentReport:
    """What a run did: how many are enrolled now, and who was refused with which code."""

    enrolled: int
    refused: Mapping[str, str] = field(default_factory=dict)


class EnrolmentService:
    """Enrols lenders of one institution, as Association's verifier on `identity`."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        institution: str,
        *,
        registrar: Registers,
        ca: Enrols,
        verifier: Contract,
        workers: int = WORKERS,
    ) -> None:
        self._database = database
        self._vault = vault
        self._institution = institution
        self._registrar = registrar
        self._ca = ca
        self._verifier = verifier
        self._workers = workers

    def enrol(
        self,
        keys: Sequence[LenderKey],
        *,
        method: str,
        evidence: Mapping[str, object] | None = None,
        progress: Progress = lambda *_: None,
    ) -> tuple[list[LenderKey], EnrolmentReport]:
        """Take lenders all the way; return their keys with certificates, and the report.

        `evidence` is what was checked at enrolment, the same for all (such as the policy's name); the
        commitment to it is each lender's own. Raises UserError for a pseudonym that isn't on a roll.
        """
        certified = self.certify(keys, progress)
        return certified, self.record(certified, method=method, evidence=evidence, progress=progress)

    # -- the lender CA --------------------------------------------------------------------------------

    def certify(self, keys: Sequence[LenderKey], progress: Progress = lambda *_: None) -> list[LenderKey]:
        """Have each key certified under its pseudonym by the institution's lender CA."""
        with ThreadPoolExecutor(self._workers) as pool:
            done = []
            for number, key in enumerate(pool.map(self._certify_one, keys), start=1):
                done.append(key)
                progress("certify", number, len(keys))
        return done

    def _certify_one(self, key: LenderKey) -> LenderKey:
        row = self._row(key.sub)
        if row.certificate is not None:
            known = base64.b64decode(row.certificate)
            if certificates.public_key(known) == key.key.public_key():
                return replace(key, certificate=known)
        secret = self._secret(row)
        issued = self._ca.enroll_csr(key.sub, secret, key.csr())
        certified = key.with_certificate(issued.cert_pem)
        if certified.certificate is None:
            raise TypeError("a certified key has a certificate")
        values = {
            "status": "certified",
            "x5t": certified.x5t,
            "certificate": base64.b64encode(certified.certificate).decode("ascii"),
            "secret_encrypted": None,
        }
        with self._database.write() as session:
            session.execute(update(Lender).where(Lender.id == row.id).values(values))
        return certified

    def _secret(self, row: Lender) -> str:
        """Return the lender's single-use secret, registering the pseudonym if that hasn't been done."""
        if row.secret_encrypted is not None:
            return self._vault.unseal("lenders", "secret_encrypted", row.id, row.secret_encrypted).decode()
        try:
            secret = self._registrar.register(row.sub)
        except AlreadyRegistered as error:
            raise UserError(
                f"the lender CA registered {row.sub} before, but its secret was used or lost: revoke it there"
            ) from error
        sealed = self._vault.seal("lenders", "secret_encrypted", row.id, secret.encode())
        with self._database.write() as session:
            values = {"status": "registered", "secret_encrypted": sealed}
            session.execute(update(Lender).where(Lender.id == row.id).values(values))
        return secret

    # -- the identity channel -------------------------------------------------------------------------

    def record(
        self,
        keys: Sequence[LenderKey],
        *,
        method: str,
        evidence: Mapping[str, object] | None = None,
        progress: Progress = lambda *_: None,
    ) -> EnrolmentReport:
        """Record certified keys on `identity`, in batches; those recorded before are a success."""
        enrolled, refused = 0, {}
        for batch in _chunks(keys, BATCH):
            for sub, code in self._record_batch(batch, method, dict(evidence or {})).items():
                if code is None:
                    enrolled += 1
                else:
                    refused[sub] = code
            progress("enrol", enrolled + len(refused), len(keys))
        return EnrolmentReport(enrolled, refused)

    def _record_batch(
        self, keys: Sequence[LenderKey], method: str, evidence: dict[str, object]
    ) -> dict[str, str | None]:
        commitments = self._commit_to_evidence(keys, method, evidence)
        documents = [
            {
                "sub": key.sub,
                "certificate": base64.b64encode(key.certificate or b"").decode("ascii"),
                "institution": self._institution,
                "method": method,
                "commitment": commitments[key.sub],
            }
            for key in keys
        ]
        committed = commit(self._verifier, "Enrol", jcs.dumps(documents))
        verdicts = Verdicts.parse(committed.result, len(keys))
        codes: dict[str, str | None] = {}
        with self._database.write() as session:
            rows = self._rows(session, keys)
            for index, key in enumerate(keys):
                row = rows[key.sub]
                row.code = verdicts.refused.get(index) or verdicts.pending.get(index)
                codes[key.sub] = row.code
                if row.code is None:
                    row.status, row.x5t = "enrolled", key.x5t
                if verdicts.accepts(index):
                    row.enrolment_tx = committed.tx
                    row.rev += 1
        return codes

    def _commit_to_evidence(
        self, keys: Sequence[LenderKey], method: str, evidence: dict[str, object]
    ) -> dict[str, str]:
        """Seal each lender's evidence before anything is sent; return the commitments by pseudonym."""
        commitments = {}
        with self._database.write() as session:
            rows = self._rows(session, keys)
            for key in keys:
                row = rows[key.sub]
                if row.commitment is None or row.method != method:
                    own = Evidence.of({"v": 1, "sub": key.sub, "method": method, **evidence})
                    row.method, row.commitment = method, own.commitment
                    row.evidence_encrypted = seal(own, self._vault, "lenders", row.id)
                commitments[key.sub] = row.commitment
        return commitments

    def _rows(self, session: Session, keys: Sequence[LenderKey]) -> dict[str, Lender]:
        subs = [key.sub for key in keys]
        query = select(Lender).where(Lender.institution == self._institution, Lender.sub.in_(subs))
        rows = {row.sub: row for row in session.scalars(query)}
        for sub in subs:
            if sub not in rows:
                raise UserError(f"{self._institution} has no lender {sub}: import its roll first")
        return rows

    def counts(self) -> Mapping[str, int]:
        """Return how many lenders of the institution are at each stage."""
        with self._database.read() as session:
            query = select(Lender.status).where(Lender.institution == self._institution)
            return Counter(session.scalars(query))

    def _row(self, sub: str) -> Lender:
        with self._database.read() as session:
            query = select(Lender).where(Lender.sub == sub, Lender.institution == self._institution)
            row = session.scalars(query).one_or_none()
        if row is None:
            raise UserError(f"{self._institution} has no lender {sub}: import its roll first")
        return row


def _chunks(keys: Sequence[LenderKey], size: int) -> Iterator[Sequence[LenderKey]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
