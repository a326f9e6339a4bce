"""The register of lenders: persons sealed, pseudonyms random, the same person the same pseudonym."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from client.encodings import base64url, jcs
from client.encodings.ids import ID_BYTES
from client.platform.models import Lender
from client.platform.times import now, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from client.platform import Database, Vault
    from client.platform.times import Clock

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Person:
    """A person as a roll names them; identified by the identity document alone."""

    name: str
    id_type: str
    id_no: str
    phone: str = ""
    email: str = ""

    @property
    def document(self) -> str:
        """What two entries of one person have in common."""
        return f"{self.id_type}\x00{self.id_no}"

    def as_json(self) -> dict[str, str]:
        """Return the person as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class LenderRegister:
    """The lenders of all institutions on this platform."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock = now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def admit(self, institution: str, persons: Sequence[Person]) -> list[str]:
        """Return each person's pseudonym with an institution, in order; new persons get a new one."""
        known = self._known(institution, persons)
        subs = []
        with self._database.write() as session:
            for person in persons:
                index = self._index(person)
                sub = known.get(index)
                if sub is None:
                    sub = known[index] = base64url.encode(secrets.token_bytes(ID_BYTES))
                    session.add(self._new(institution, person, index, sub))
                subs.append(sub)
        return subs

    def person(self, institution: str, sub: str) -> Mapping[str, str]:
        """Return whom a pseudonym stands for; raises NoResultFound for nobody."""
        with self._database.read() as session:
            query = select(Lender).where(Lender.sub == sub, Lender.institution == institution)
            row = session.scalars(query).one()
        plain = self._vault.unseal("lenders", "person_encrypted", row.id, row.person_encrypted)
        value: Mapping[str, str] = jcs.loads(plain)
        return value

    def _new(self, institution: str, person: Person, index: bytes, sub: str) -> Lender:
        identifier = uuid.uuid4().hex
        sealed = self._vault.seal("lenders", "person_encrypted", identifier, jcs.dumps(person.as_json()))
        return Lender(
            id=identifier,
            institution=institution,
            sub=sub,
            person_encrypted=sealed,
            person_index=index,
            status="imported",
            rev=0,
            created_at=to_text(self._clock()),
        )

    def _known(self, institution: str, persons: Sequence[Person]) -> dict[bytes, str]:
        known: dict[bytes, str] = {}
        with self._database.read() as session:
            for chunk in _chunks([self._index(person) for person in persons]):
                query = select(Lender.person_index, Lender.sub)
                mine = query.where(Lender.institution == institution, Lender.person_index.in_(chunk))
                known.update({row[0]: row[1] for row in session.execute(mine)})
        return known

    def _index(self, person: Person) -> bytes:
        return self._vault.blind_index("person", person.document)


def _chunks(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
