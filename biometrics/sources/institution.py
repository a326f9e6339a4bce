"""Pictures that an institution handed over: from its KYC file, or of the identity document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from biometrics.sources.interface import MOST_BYTES, NoPhoto, Photo
from biometrics.store.models import ReferencePhoto
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometrics.store import Database, Sealer
    from biometrics.terms.binding import Lender

KINDS: Final = ("kyc-photo", "id-document-photo")
_TABLE: Final = "identity_reference_photos"
_COLUMN: Final = "photo_encrypted"


class InstitutionPhotos:
    """One kind of picture that institutions hand over, sealed in the store. `name` is the kind."""

    def __init__(
        self, kind: str, database: Database, sealer: Sealer, random_bytes: Callable[[int], bytes]
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
        self._kind = kind
        self._database = database
        self._sealer = sealer
        self._random_bytes = random_bytes

    @property
    def name(self) -> str:
        """The kind of picture."""
        return self._kind

    def photo(self, lender: Lender) -> Photo:
        """Return the picture; raises NoPhoto."""
        with self._database.read() as session:
            row = session.scalars(
                select(ReferencePhoto).filter_by(
                    institution=lender.institution, sub=lender.sub, kind=self._kind
                )
            ).one_or_none()
        if row is None:
            raise NoPhoto(f"{self._kind}: there is no picture of this lender")
        return Photo(self._kind, self._sealer.unseal(_TABLE, _COLUMN, row.id, row.photo_encrypted))

    def keep(self, lender: Lender, data: bytes, now: int) -> None:
        """Seal a picture (undecoded, at most 5 MiB); it replaces an earlier one of its kind."""
        if not 0 < len(data) <= MOST_BYTES:
            raise ServiceRefused("REQUEST_TOO_LARGE", f"a reference picture has 1 to {MOST_BYTES} bytes")
        identifier = base64url.encode(self._random_bytes(ids.ID_BYTES))
        sealed = self._sealer.seal(_TABLE, _COLUMN, identifier, data)
        with self._database.write() as session:
            mine = {"institution": lender.institution, "sub": lender.sub, "kind": self._kind}
            for former in session.scalars(select(ReferencePhoto).filter_by(**mine)):
                session.delete(former)
            session.flush()
            session.add(ReferencePhoto(id=identifier, photo_encrypted=sealed, kept_at=now, **mine))
