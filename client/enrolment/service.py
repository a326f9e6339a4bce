"""Enrolment of many lenders: registered and certified by the lender CA in parallel, recorded in batches.

Nobody is certified without an approval: an identity check passed for exactly this key (`approvals`). What the
enrolment's record on the channel names, method and commitment, is that check's.

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
from client.enrolment.approvals import MISSING
from client.enrolment.evidence import Evidence, seal, unseal
from client.errors import UserError
from client.platform.chain import commit
from client.platform.models import Lender
from client.platform.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from client.ca import Enrollment
    from client.enrolment.approvals import Approvals
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
        approvals: Approvals,
        workers: int = WORKERS,
    ) -> None:
        self._database = database
        self._vault = vault
        self._institution = institution
        self._registrar = registrar
        self._ca = ca
        self._verifier = verifier
        self._approvals = approvals
        self._workers = workers

    def enrol(
        self, keys: Sequence[LenderKey], progress: Progress = lambda *_: None
    ) -> tuple[list[LenderKey], EnrolmentReport]:
        """Take lenders all the way; return the keys that were certified, and the report.

        A key without an approval is refused (APPROVAL_MISSING) before the lender CA hears of it. Raises
        UserError for a pseudonym that isn't on a roll.
        """
        approved, refused = self._approve(keys)
        certified = self._certify(approved, progress)
        report = self._record(certified, progress)
        return certified, EnrolmentReport(report.enrolled, {**refused, **report.refused})

    # -- the identity check ---------------------------------------------------------------------------

    def _approve(self, keys: Sequence[LenderKey]) -> tuple[list[LenderKey], dict[str, str]]:
        """Seal what was approved with each lender's row; return the keys approved, and who has no approval.

        The evidence is sealed here before the service that approved forgets it, and before anything is sent.
        """
        approved, refused = [], {}
        for key in keys:
            row = self._row(key.sub)
            if row.certificate is not None and not _certifies(row, key):
                raise UserError(
                    f"{key.sub} has a certificate of the lender CA for another key: revoke it there first"
                )
            found = self._approvals.approval(self._institution, key.sub, key.thumbprint)
            if self._is_approved(row, key):
                approved.append(key)  # a run before this one broke off
            elif found is None:
                refused[key.sub] = MISSING
                continue
            else:
                own = Evidence(found.opening.salt, found.opening.evidence)
                values = {
                    "method": found.method,
                    "commitment": own.commitment,
                    "evidence_encrypted": seal(own, self._vault, "lenders", row.id),
                }
                with self._database.write() as session:
                    session.execute(update(Lender).where(Lender.id == row.id).values(values))
                approved.append(key)
            if found is not None:
                self._approvals.taken(found)
        return approved, refused

    def _is_approved(self, row: Lender, key: LenderKey) -> bool:
        """Say whether the row's evidence is of a check for this very key."""
        if row.evidence_encrypted is None:
            return False
        evidence = unseal(self._vault, "lenders", row.id, row.evidence_encrypted)
        return bool(evidence.content.get("key") == key.thumbprint)

    # -- the lender CA --------------------------------------------------------------------------------

    def _certify(self, keys: Sequence[LenderKey], progress: Progress) -> list[LenderKey]:
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
            return replace(key, certificate=base64.b64decode(row.certificate))
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

    def _record(self, keys: Sequence[LenderKey], progress: Progress) -> EnrolmentReport:
        """Record certified keys on `identity`, in batches; those recorded before are a success."""
        enrolled, refused = 0, {}
        for batch in _chunks(keys, BATCH):
            for sub, code in self._record_batch(batch).items():
                if code is None:
                    enrolled += 1
                else:
                    refused[sub] = code
            progress("enrol", enrolled + len(refused), len(keys))
        return EnrolmentReport(enrolled, refused)

    def _record_batch(self, keys: Sequence[LenderKey]) -> dict[str, str | None]:
        with self._database.read() as session:
            checked = {sub: (row.method, row.commitment) for sub, row in self._rows(session, keys).items()}
        documents = [
            {
                "sub": key.sub,
                "certificate": base64.b64encode(key.certificate or b"").decode("ascii"),
                "institution": self._institution,
                "method": checked[key.sub][0],
                "commitment": checked[key.sub][1],
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


def _certifies(row: Lender, key: LenderKey) -> bool:
    return certificates.public_key(base64.b64decode(row.certificate or "")) == key.key.public_key()
