"""Sources of reference pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.errors import ReferenceMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometrics.picture import Picture
    from biometrics.session import Subject


class HeldReferences:
    """References held in memory by pseudonym, such as the pictures of an institution's own file.

    `name` says in the evidence where they came from.
    """

    def __init__(self, name: str, pictures: Mapping[str, Picture]) -> None:
        self._name = name
        self._pictures = dict(pictures)

    @property
    def name(self) -> str:
        """What kind of source it is."""
        return self._name

    def reference(self, subject: Subject) -> Picture:
        """Return the picture held for the subject's pseudonym; raises ReferenceMissing."""
        picture = self._pictures.get(subject.sub)
        if picture is None:
            raise ReferenceMissing(f"{self._name} has no reference picture for pseudonym {subject.sub}")
        return picture
