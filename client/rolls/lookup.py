"""A proof straight from a roll file: by its index where one fits, else by reading the whole."""

from __future__ import annotations

import contextlib
import mmap
from typing import TYPE_CHECKING

from client.encodings import base64url, merkle
from client.encodings.ids import HASH_BYTES, is_count, is_hash
from client.errors import Negative, UserError
from client.rolls.entryline import SUB_END, SUB_START
from client.rolls.errors import RollError
from client.rolls.proof import Proof
from client.rolls.roll import the_one
from client.rolls.rollfile import parse_header, read_entry, read_roll
from client.rolls.rollindex import RollIndex, index_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.rolls.roll import Entry
    from client.rolls.rollfile import Header


def prove_from_file(path: Path, *, sub: str | None = None, id_no: str | None = None) -> Proof:
    """Return the verified proof of the lender with a pseudonym, or with a document number.

    Raise RollError for a file that is no roll, UserError for nobody's name, Negative where the leaf doesn't
    lead to the root that the file says.
    """
    with _indexed(path) as indexed:
        if indexed is not None:
            proof = indexed.prove(sub=sub, id_no=id_no)
        else:
            roll = read_roll(path)
            proof = roll.prove(sub if sub is not None else roll.find(id_no or "").leaf.sub)
    try:
        proof.verify()
    except merkle.ProofError as error:
        raise Negative(f"{path}: {error}: the file was changed, see `concordat roll root`") from error
    return proof


@contextlib.contextmanager
def _indexed(path: Path) -> Iterator[_IndexedRoll | None]:
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            index_file = stack.enter_context(index_path(path).open("rb"))
            data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):  # no roll, no index, or an empty file: reading the whole tells which
            yield None
            return
        header = parse_header(data[: data.find(b"\n")], path)
        root, height = header.figures.get("root"), header.figures.get("cap_height")
        index = None
        if is_hash(root) and is_count(height):
            known = base64url.decode(str(root), HASH_BYTES)
            index = RollIndex.fitting(index_file, roll_size=len(data), root=known)
        yield None if index is None else _IndexedRoll(path, data, header, index)


class _IndexedRoll:
    """A roll file of which only the lines asked for are read."""

    def __init__(self, path: Path, data: mmap.mmap, header: Header, index: RollIndex) -> None:
        self._path = path
        self._data = data
        self._header = header
        self._index = index

    def prove(self, *, sub: str | None, id_no: str | None) -> Proof:
        number = self._number_of(sub) if sub is not None else self._number_by_document(id_no or "")
        leaf = self._entry(number).leaf
        return Proof(
            leaf=leaf,
            index=number,
            size=self._index.size,
            root=base64url.decode(self._header.figures["root"], HASH_BYTES),
            path=self._index.path(number),
            run_path=self._index.run_path(number, self._header.figures["cap_height"]),
        )

    def _number_of(self, sub: str) -> int:
        low, high = 0, self._index.size
        wanted = sub.encode()
        while low < high:  # the lines are in ascending order of pseudonyms
            middle = (low + high) // 2
            place = self._index.place(middle)
            found = self._data[place + SUB_START : place + SUB_END]
            if found == wanted:
                return middle
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        if self._data.find(b'\n{"sub":"' + wanted + b'"') >= 0:
            raise self._misfit()
        raise UserError(f"the pseudonym {sub[:40]!r} is not on the roll of {self._header.mtg!r}")

    def _number_by_document(self, id_no: str) -> int:
        # A quotation mark within a JSON text is escaped, so this is found nowhere but where it belongs.
        wanted = b'"id_no":"' + id_no.strip().upper().encode() + b'"'
        numbers, place = [], self._data.find(wanted)
        while place >= 0:
            numbers.append(self._number_at(self._data.rfind(b"\n", 0, place) + 1))
            place = self._data.find(wanted, place + 1)
        entry = the_one([self._entry(number) for number in numbers], self._header.mtg)
        return self._number_of(entry.leaf.sub)

    def _number_at(self, place: int) -> int:
        low, high = 0, self._index.size
        while low < high:
            middle = (low + high) // 2
            found = self._index.place(middle)
            if found == place:
                return middle
            low, high = (middle + 1, high) if found < place else (low, middle)
        raise self._misfit()

    def _misfit(self) -> RollError:
        return RollError(f"{index_path(self._path)} doesn't fit the roll file: delete it, and ask again")

    def _entry(self, number: int) -> Entry:
        start = self._index.place(number)
        end = self._data.find(b"\n", start)
        if end < 0:
            raise self._misfit()
        return read_entry(self._data[start:end], number + 2, self._header.mtg, self._path)
