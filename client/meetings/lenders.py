"""The register of lenders: persons sealed, pseudonyms random, the same person the same pseudonym."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from client.encodings import base64url, jcs
from client.encodings.ids import ID_BYTES
from client.errors import UserError
from client.platform.models import Lender
from client.platform.times import now, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from client.platform import Database, Vault
    from client.platform.times import Clock
    from client.rolls import Person

_CHUNK = 500
_ROWS = 5_000
# The same bytes as JCS for an object of texts with these names, at a tenth of the cost.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class LenderRegister:
    """The lenders of all institutions on this platform."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock = now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def pseudonyms(self, institution: str, persons: Sequence[Person]) -> list[str]:
        """Return each person's pseudonym with an institution, in order: the known one, or a fresh one.

        Nothing is written: `adopt` keeps the roll that was made with them.
        """
        indices = [self._index(person) for person in persons]
        known = self._known(institution, indices)
        subs = []
        for index in indices:
            fresh = base64url.encode(secrets.token_bytes(ID_BYTES))
            subs.append(known.setdefault(index, fresh))
        return subs

    def adopt(self, institution: str, entries: Iterable[tuple[Person, str]]) -> None:
        """Take up persons under the pseudonyms that a roll gives them; those known already stay as they are.

        Raises UserError when somebody has another pseudonym with this institution already: then the
        register has to be imported again, with the platform's pseudonyms.
        """
        taken = [(self._index(person), person, sub) for person, sub in entries]
        known = self._known(institution, [index for index, _, _ in taken])
        for index, _, sub in taken:
            before = known.get(index, sub)
            if before != sub:
                raise UserError(
                    f"the lender {sub} of the roll is known as {before}: "
                    "propose from the register (--register), not from a roll file with new pseudonyms"
                )
        fresh = [one for one in taken if one[0] not in known]
        created_at = to_text(self._clock())
        with self._database.write() as session:
            for start in range(0, len(fresh), _ROWS):
                rows = [
                    self._row(institution, person, index, sub, created_at)
                    for index, person, sub in fresh[start : start + _ROWS]
                ]
                # Rows and not objects of the mapper: a national roll has 390,000 of them.
                session.execute(insert(Lender), rows)

    def admit(self, institution: str, person: Person) -> str:
        """Take up somebody who is on no roll, such as a lawyer who is to be a proxy; return the pseudonym.

        Whoever is known to the institution already keeps the pseudonym.
        """
        (sub,) = self.pseudonyms(institution, [person])
        self.adopt(institution, [(person, sub)])
        return sub

    def person(self, institution: str, sub: str) -> Mapping[str, str]:
        """Return whom a pseudonym stands for; raises NoResultFound for nobody."""
        with self._database.read() as session:
            query = select(Lender).where(Lender.sub == sub, Lender.institution == institution)
            row = session.scalars(query).one()
        plain = self._vault.unseal("lenders", "person_encrypted", row.id, row.person_encrypted)
        value: Mapping[str, str] = jcs.loads(plain)
        return value

    def _row(
        self, institution: str, person: Person, index: bytes, sub: str, created_at: str
    ) -> dict[str, object]:
        identifier = uuid.uuid4().hex
        plain = _encode(person.as_json()).encode()
        return {
            "id": identifier,
            "institution": institution,
            "sub": sub,
            "person_encrypted": self._vault.seal("lenders", "person_encrypted", identifier, plain),
            "person_index": index,
            "status": "imported",
            "rev": 0,
            "created_at": created_at,
        }

    def _known(self, institution: str, indices: Sequence[bytes]) -> dict[bytes, str]:
        known: dict[bytes, str] = {}
        with self._database.read() as session:
            for chunk in _chunks(indices):
                query = select(Lender.person_index, Lender.sub)
                mine = query.where(Lender.institution == institution, Lender.person_index.in_(chunk))
                known.update({row[0]: row[1] for row in session.execute(mine)})
        return known

    def _index(self, person: Person) -> bytes:
        return self._vault.blind_index("person", "\x00".join(person.document))


def _chunks(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
