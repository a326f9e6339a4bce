"""A campaign over several targets on several processes: the same trials, in the order in which they end."""

from __future__ import annotations

import csv
import multiprocessing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2

from biometrics.attacks.campaign import Bench, run_trial
from biometrics.attacks.targets import target_of
from biometrics.errors import BiometricsError
from biometrics.liveness import default_models
from biometrics.picture import load_picture
from biometrics.sample_face import sample_face

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from biometrics.attacks.campaign import Target, Trial
    from biometrics.liveness import Models
    from biometrics.picture import Picture
    from biometrics.policy import Policy

COLUMNS: Final = ("picture", "reference", "other")
SAMPLE: Final = "astronaut"  # the face that comes with scikit-image
_CHUNK: Final = 2


@dataclass(frozen=True, slots=True)
class Photos:
    """The files of one target: whom to impersonate, what is on record, somebody else; None as `target_of`."""

    picture: Path | None  # None: the sample face
    reference: Path | None
    other: Path | None


def read_targets(listing: Path, root: Path) -> tuple[Photos, ...]:
    """Read a CSV file with the columns picture, reference, other (file names under `root`).

    `astronaut` as picture is the face that comes with scikit-image; reference and other may be empty.
    Raises BiometricsError, naming the line.
    """
    try:
        with listing.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise BiometricsError(f"{listing}: there is no column {missing[0]}")
            targets = tuple(_photos(row, root, f"{listing}, line {reader.line_num}") for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BiometricsError(f"{listing}: the list of targets can't be read: {error}") from error
    if not targets:
        raise BiometricsError(f"{listing}: there is no target in it")
    return targets


def _photos(row: dict[str, Any], root: Path, where: str) -> Photos:
    names = {name: (row[name] or "").strip() for name in COLUMNS}
    if not names["picture"]:
        raise BiometricsError(f"{where}: no picture is named")
    files = {name: root / value if value else None for name, value in names.items()}
    if names["picture"] == SAMPLE:
        files["picture"] = None
    for file in files.values():
        if file is not None and not file.is_file():
            raise BiometricsError(f"{where}: there is no file {file}")
    return Photos(**files)


def run_on_workers(
    policy: Policy,
    seed: int,
    targets: Sequence[Photos],
    *,
    species: Sequence[str],
    presentations: int,
    workers: int,
) -> Iterator[Trial]:
    """Yield `presentations` trials a species, the targets taking turns, as `campaign.run_campaign` would."""
    work = [(name, number) for number in range(presentations) for name in species]
    context = multiprocessing.get_context("spawn")  # dlib's and OpenCV's threads don't survive a fork
    with context.Pool(workers, _prepare, (policy, seed, targets)) as pool:
        yield from pool.imap_unordered(_trial, work, _CHUNK)


_PREPARED: dict[str, tuple[Bench, list[Target]]] = {}


def _prepare(policy: Policy, seed: int, photos: Sequence[Photos]) -> None:
    cv2.setNumThreads(1)
    models = default_models()
    _PREPARED["it"] = (Bench(models, policy, seed), [_target(models, one) for one in photos])


def _target(models: Models, photos: Photos) -> Target:
    reference, other = (_loaded(file) for file in (photos.reference, photos.other))
    return target_of(models, _loaded(photos.picture) or sample_face(), reference=reference, other=other)


def _loaded(file: Path | None) -> Picture | None:
    return None if file is None else load_picture(file)


def _trial(work: tuple[str, int]) -> Trial:
    species, number = work
    bench, targets = _PREPARED["it"]
    return run_trial(bench, targets[number % len(targets)], species, number)
