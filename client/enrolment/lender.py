"""The lender's own side: a key that never leaves it, its certificate, and the ballots that it signs."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from client.ca import build_csr, generate_key, key_from_pem, key_to_pem
from client.encodings import base64url, certificates, ids, jcs, times
from client.encodings.ballot import Ballot, sign_ballot
from client.encodings.mandate import ALL, Mandate, sign_mandate
from client.encodings.objection import Objection, sign_objection
from client.encodings.revocation import Revocation, sign_revocation
from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from client.encodings.ballot import SignedBallot, Vote
    from client.encodings.mandate import SignedMandate
    from client.encodings.meeting import Meeting
    from client.encodings.objection import SignedObjection
    from client.encodings.revocation import SignedRevocation


@dataclass(frozen=True, slots=True)
class LenderKey:
    """A lender's P-256 key under the pseudonym `sub`, with its certificate (DER) once there is one."""

    institution: str
    sub: str
    key: EllipticCurvePrivateKey
    certificate: bytes | None = None

    @classmethod
    def generate(cls, institution: str, sub: str) -> LenderKey:
        """Make a key."""
        return cls(institution, sub, generate_key())

    def csr(self) -> bytes:
        """Return the certificate request (PEM); nothing but the pseudonym is in it."""
        return build_csr(self.sub, self.key)

    def with_certificate(self, pem: bytes) -> LenderKey:
        """Return the key together with the certificate that the lender CA issued for it."""
        certificate = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
        if certificates.public_key(certificate) != self.key.public_key():
            raise UserError(f"the certificate is not for the key of {self.sub}: enrol again")
        return replace(self, certificate=certificate)

    @property
    def x5t(self) -> str:
        """The certificate's thumbprint."""
        if self.certificate is None:
            raise UserError(f"{self.sub} has no certificate yet: enrol first")
        return certificates.thumbprint(self.certificate)

    @property
    def thumbprint(self) -> str:
        """What names the key before it has a certificate: SHA-256 of its SPKI, in base64url."""
        return base64url.encode(hashlib.sha256(self.spki).digest())

    @property
    def spki(self) -> bytes:
        """The public key as SPKI in DER (RFC 5280 section 4.1)."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.DER, form)

    def sign(
        self,
        meeting: Meeting,
        votes: Mapping[str, Vote],
        *,
        ses: str,
        iat: datetime,
        seq: int = 1,
        mandate: SignedMandate | None = None,
    ) -> SignedBallot:
        """Return a signed ballot that answers the meeting's motions; the door judges it.

        With a `mandate` it is the principal's; the motions that it doesn't cover get no vote.
        """
        moment = times.form(int(iat.timestamp()))
        sub, prx, answers = self.sub, None, dict(votes)
        if mandate is not None:
            sub, prx = mandate.mandate.sub, mandate.digest
            answers |= {one.id: () for one in meeting.motions if not mandate.mandate.covers(one.id)}
        ballot = Ballot(meeting.mh, meeting.mtg, sub, seq, ses, moment, answers, prx)
        return sign_ballot(ballot, self.x5t, self.key)

    def sign_mandate(
        self, meeting: Meeting, proxy: str, *, iat: datetime, no: int, motions: Sequence[str] = ()
    ) -> SignedMandate:
        """Return the signed word that `proxy` may answer `motions` (none: all) in this lender's place.

        Refused (MANDATE_FORMAT) says why it would be no mandate.
        """
        moment = times.form(int(iat.timestamp()))
        whole = Mandate(meeting.mh, meeting.mtg, ALL, self.sub, proxy, moment, no)
        said = replace(whole, motions=tuple(sorted(motions))) if motions else whole
        return sign_mandate(said, self.x5t, self.key)

    def sign_revocation(self, meeting: Meeting, mandate: str, *, iat: datetime) -> SignedRevocation:
        """Return the signed word that the mandate with this digest ends."""
        moment = times.form(int(iat.timestamp()))
        said = Revocation(meeting.mh, meeting.mtg, self.sub, mandate, moment)
        return sign_revocation(said, self.x5t, self.key)

    def sign_objection(
        self, meeting: Meeting, obj: str, ground: str, *, evidence: str, iat: datetime
    ) -> SignedObjection:
        """Return the signed objection `obj`; `evidence` is a salted commitment. Refused says why not."""
        moment = times.form(int(iat.timestamp()))
        said = Objection(meeting.mh, meeting.mtg, self.sub, obj, moment, ground, evidence)
        return sign_objection(said, self.x5t, self.key)

    def save(self, path: Path, *, replace_own: bool = False) -> None:
        """Write key and certificate to a file of mode 0600.

        It must not exist yet, unless it is this key's own from before it had a certificate (`replace_own`).
        """
        document = {"v": 1, "institution": self.institution, "sub": self.sub}
        document["key"] = key_to_pem(self.key).decode("ascii")
        if self.certificate is not None:
            loaded = x509.load_der_x509_certificate(self.certificate)
            document["certificate"] = loaded.public_bytes(serialization.Encoding.PEM).decode("ascii")
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.with_name(f"{path.name}.new") if replace_own else path
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise UserError(f"the lender's key can't be written to {path}: {error.strerror}") from error
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(document, file, indent=1)
        if replace_own:
            target.replace(path)

    @classmethod
    def load(cls, path: Path) -> LenderKey:
        """Read what `save` wrote."""
        try:
            document = jcs.loads(path.read_bytes())
            base64url.decode(document["sub"], ids.ID_BYTES)
            lender = cls(document["institution"], document["sub"], key_from_pem(document["key"].encode()))
            pem = document.get("certificate")
            return lender if pem is None else lender.with_certificate(pem.encode())
        except OSError as error:
            raise UserError(f"the lender's key file {path} can't be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} is not a lender's key file") from error
