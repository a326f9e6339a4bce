"""A list of picture pairs with the truth about them: `file_x,file_y,Decision` (Yes or No)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biometrics.errors import BiometricsError

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("file_x", "file_y", "Decision")
_TRUTH = {"yes": True, "no": False}
_MOST = 1_000_000  # pairs


class PairsRefused(BiometricsError):  # noqa: N818  a verdict on the list
    """The list of pairs can't be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures and whether they show the same person."""

    first: Path
    second: Path
    same: bool


def read_pairs(file: Path, root: Path) -> tuple[Pair, ...]:
    """Read a list of pairs, its names relative to `root`; raises PairsRefused.

    A name may not lead out of `root`, by `..`, as an absolute path or through a link.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            pairs = _parse(csv.DictReader(stream, strict=True), file, root.resolve())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PairsRefused(f"{file}: the list of pairs can't be read: {error}") from error
    if not pairs:
        raise PairsRefused(f"{file}: the list holds no pair")
    return pairs


def _parse(rows: csv.DictReader[str], file: Path, root: Path) -> tuple[Pair, ...]:
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise PairsRefused(f"{file}: column {missing[0]} is missing; needed are {', '.join(COLUMNS)}")
    pairs: list[Pair] = []
    for row in rows:
        if len(pairs) >= _MOST:
            raise PairsRefused(f"{file}: more than {_MOST:,} pairs")
        first, second, truth = (str(row[column] or "").strip() for column in COLUMNS)
        same = _TRUTH.get(truth.lower())
        if same is None or not first or not second:
            raise PairsRefused(f"{file}, line {rows.line_num}: two file names and Yes or No are needed")
        pairs.append(
            Pair(_inside(root, first, file, rows.line_num), _inside(root, second, file, rows.line_num), same)
        )
    return tuple(pairs)


def _inside(root: Path, name: str, file: Path, line: int) -> Path:
    path = (root / name).resolve() if "\0" not in name else root.parent
    if not path.is_relative_to(root):
        raise PairsRefused(f"{file}, line {line}: {name!r} leads out of {root}")
    return path
