"""Acknowledgements of other doors that were handed in at the second door, contradicted ones too."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, or_, select, text, update

from auditor.log.service_db.tables import DOOR_WORDS

if TYPE_CHECKING:
    from sqlalchemy import Connection

_COLUMNS = DOOR_WORDS.c


@dataclass(frozen=True, slots=True)
class KeptWord:
    """A door's signed word, verified: it gave `number` at `seconds` (since 1970) to the ballot `digest`."""

    door: str
    number: int
    seconds: int
    digest: str
    ack: str


class WordBook:
    """What a connection's transaction sees of the words about one meeting's ballots, and adds to them."""

    def __init__(self, connection: Connection, channel: str, mtg: str) -> None:
        self._connection = connection
        self._channel, self._mtg = channel, mtg
        self._mine = (_COLUMNS.channel == channel, _COLUMNS.mtg == mtg)

    def lock(self) -> None:
        """Let one word at a time be held against the others, until the transaction ends."""
        if self._connection.dialect.name == "postgresql":  # SQLite has locked the whole file already
            statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            self._connection.execute(statement, {"name": f"words {self._channel} {self._mtg}"})

    def contradicting(self, word: KeptWord, slack: int) -> KeptWord | None:
        """Return a word of the same door that can't be true beside this one; `slack` as in `SLACK`.

        Contradicted words count for nothing: else one false word would make false all true ones after it.
        """
        same = _COLUMNS.number == word.number
        other = or_(_COLUMNS.digest != word.digest, _COLUMNS.seconds != word.seconds)
        contradicts = or_(
            and_(same, other),
            and_(_COLUMNS.digest == word.digest, _COLUMNS.number != word.number),
            and_(_COLUMNS.number < word.number, _COLUMNS.seconds > word.seconds + slack),
            and_(_COLUMNS.number > word.number, _COLUMNS.seconds < word.seconds - slack),
        )
        query = select(DOOR_WORDS).where(*self._mine, _COLUMNS.door == word.door, _COLUMNS.against == "")
        row = self._connection.execute(
            query.where(contradicts).order_by(_COLUMNS.number).limit(1)
        ).one_or_none()
        return None if row is None else _word(row)

    def keep(self, word: KeptWord, against: dict[str, Any]) -> dict[str, Any]:
        """Keep a word and what it stands against (empty for nothing); return what it stands against now.

        Once contradicted it stays so. One that was good is no longer once something else says otherwise.
        """
        values = asdict(word)
        said = json.dumps(against, sort_keys=True) if against else ""
        same = [_COLUMNS[name] == values[name] for name in ("door", "number", "seconds", "digest")]
        known = self._connection.execute(select(_COLUMNS.against).where(*self._mine, *same)).scalar()
        if known:
            before: dict[str, Any] = json.loads(known)
            return before
        if known is None:
            row = {"channel": self._channel, "mtg": self._mtg, "against": said} | values
            self._connection.execute(insert(DOOR_WORDS), [row])
        elif said:
            self._connection.execute(update(DOOR_WORDS).where(*self._mine, *same).values(against=said))
        return against

    def standing(self) -> list[KeptWord]:
        """Return the words that contradict nothing so far."""
        query = select(DOOR_WORDS).where(*self._mine, _COLUMNS.against == "")
        return [_word(row) for row in self._connection.execute(query)]

    def contradicted(self) -> list[tuple[KeptWord, dict[str, Any]]]:
        """Return the contradicted words and what each stands against, by door and number."""
        query = select(DOOR_WORDS).where(*self._mine, _COLUMNS.against != "")
        order = (_COLUMNS.door, _COLUMNS.number, _COLUMNS.seconds, _COLUMNS.digest)
        rows = self._connection.execute(query.order_by(*order))
        return [(_word(row), json.loads(row.against)) for row in rows]


def _word(row: Any) -> KeptWord:
    return KeptWord(row.door, row.number, row.seconds, row.digest, row.ack)
