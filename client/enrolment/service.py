"""Enrolment of many lenders: registered and certified by the lender CA in parallel, recorded in batches.

Nobody is certified without an approval: an identity check passed for exactly this key (`approvals`). What the
enrolment's record on the channel names, method and commitment, is that check's.

What is about to be asked of the CA is written down before, and what it answered after, so a run that was
killed at any moment goes on where it was. A Fabric CA spends its time on bcrypt (some 17 lenders/s on two
cores), hence the threads; docs/enrolment-sizing.md says what that means for a whole register.
"""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from cryptography import x509
from sqlalchemy import select, update

from client.ca import AlreadyRegistered, AuthenticationFailed
from client.encodings import certificates, jcs
from client.enrolment.approvals import MISSING
from client.enrolment.evidence import Evidence, seal, unseal
from client.errors import UserError
from client.platform.ahead import in_order
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
IN_FLIGHT = 4  # batches on their way to `identity`
_SECRET_BYTES = 24


class Registers(Protocol):
    """What enrolment asks of the lender CA's registrar (`client.ca.Registrar`)."""

    def register(self, name: str, secret: str | None = None, /) -> str:
        """Register a pseudonym and return the single-use secret."""

    def certificates(self, name: str, /) -> Sequence[bytes]:
        """Return the certificates (PEM) that were ever issued to a pseudonym."""


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
        certified, refused = self.certify(keys, progress)
        report = self._record(certified, progress)
        return certified, EnrolmentReport(report.enrolled, {**refused, **report.refused})

    def certify(
        self, keys: Sequence[LenderKey], progress: Progress = lambda *_: None
    ) -> tuple[list[LenderKey], dict[str, str]]:
        """Take lenders as far as the certificate; return their keys, and who was refused with which code."""
        approved, refused = self._approve(keys)
        return self._certified(approved, progress), refused

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
                self._update(row, values)
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

    def _certified(self, keys: Sequence[LenderKey], progress: Progress) -> list[LenderKey]:
        """Have each key certified under its pseudonym by the institution's lender CA."""
        done = []
        with ThreadPoolExecutor(self._workers) as pool:
            for key in in_order(pool, self._certify_one, keys, 4 * self._workers):
                done.append(key)
                progress("certify", len(done), len(keys))
        return done

    def _certify_one(self, key: LenderKey) -> LenderKey:
        row = self._row(key.sub)
        if row.certificate is not None:
            return replace(key, certificate=base64.b64decode(row.certificate))
        certified = key.with_certificate(self._certificate(key, self._secret(row)))
        if certified.certificate is None:
            raise TypeError("a certified key has a certificate")
        values = {
            "status": "certified",
            "x5t": certified.x5t,
            "certificate": base64.b64encode(certified.certificate).decode("ascii"),
            "secret_encrypted": None,
        }
        self._update(row, values)
        return certified

    def _certificate(self, key: LenderKey, secret: str) -> bytes:
        """Return the certificate (PEM) for a key: a new one, or the one whose answer was lost before."""
        try:
            return self._ca.enroll_csr(key.sub, secret, key.csr()).cert_pem
        except AuthenticationFailed as error:
            for pem in self._registrar.certificates(key.sub):
                if x509.load_pem_x509_certificate(pem).public_key() == key.key.public_key():
                    return pem
            raise _used(key.sub) from error

    def _secret(self, row: Lender) -> str:
        """Return the lender's single-use secret, registering the pseudonym if that hasn't been done.

        The secret is kept before the CA hears of it: a CA that knows the pseudonym already knows it with
        this secret, if an earlier run got as far as that.
        """
        kept = row.secret_encrypted
        if kept is None:
            secret = secrets.token_urlsafe(_SECRET_BYTES)
            sealed = self._vault.seal("lenders", "secret_encrypted", row.id, secret.encode())
            self._update(row, {"secret_encrypted": sealed})
        else:
            secret = self._vault.unseal("lenders", "secret_encrypted", row.id, kept).decode()
        if row.status == "registered":
            return secret
        try:
            self._registrar.register(row.sub, secret)
        except AlreadyRegistered as error:
            if kept is None:
                self._update(row, {"secret_encrypted": None})
                raise _used(row.sub) from error
        self._update(row, {"status": "registered"})
        return secret

    def _update(self, row: Lender, values: Mapping[str, object]) -> None:
        with self._database.write() as session:
            session.execute(update(Lender).where(Lender.id == row.id).values(values))

    # -- the identity channel -------------------------------------------------------------------------

    def _record(self, keys: Sequence[LenderKey], progress: Progress) -> EnrolmentReport:
        """Record certified keys on `identity`, in batches, several under way.

        Those that are known to be recorded are a success, and aren't sent again.
        """
        enrolled = 0
        refused: dict[str, str] = {}
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for codes in in_order(pool, self._record_batch, _chunks(keys, BATCH), IN_FLIGHT):
                bad = {sub: code for sub, code in codes.items() if code is not None}
                refused |= bad
                enrolled += len(codes) - len(bad)
                progress("enrol", enrolled + len(refused), len(keys))
        return EnrolmentReport(enrolled, refused)

    def _record_batch(self, keys: Sequence[LenderKey]) -> dict[str, str | None]:
        codes: dict[str, str | None] = dict.fromkeys(self._recorded(keys))
        keys = [key for key in keys if key.sub not in codes]
        if not keys:
            return codes
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

    def _recorded(self, keys: Sequence[LenderKey]) -> list[str]:
        """Return the pseudonyms that were recorded with the same key before."""
        with self._database.read() as session:
            rows = self._rows(session, keys)
        return [
            key.sub
            for key in keys
            if (rows[key.sub].status, rows[key.sub].x5t, rows[key.sub].code) == ("enrolled", key.x5t, None)
        ]

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


def _used(sub: str) -> UserError:
    return UserError(
        f"the lender CA registered {sub} before, but its secret was used or lost: revoke it there"
    )


def _chunks(keys: Sequence[LenderKey], size: int) -> Iterator[Sequence[LenderKey]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _certifies(row: Lender, key: LenderKey) -> bool:
    return certificates.public_key(base64.b64decode(row.certificate or "")) == key.key.public_key()
