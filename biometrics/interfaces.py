"""What can be replaced: the models. Sources of references are behind `sources.interface.PhotoSource`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.face import Box, Face, Landmarks, Template
    from biometrics.picture import Picture


class Detector(Protocol):
    """Finds faces. `name` identifies model and version in evidence."""

    @property
    def name(self) -> str:
        """Model and version."""
        ...

    def detect(self, picture: Picture) -> Sequence[Box]:
        """Return a box per face, small faces too (the caller judges size), best first."""
        ...


class Landmarker(Protocol):
    """Finds the landmarks of a face that was detected."""

    @property
    def name(self) -> str:
        """Model and version."""
        ...

    def landmarks(self, picture: Picture, box: Box) -> Landmarks:
        """Return the points; they may lie outside the picture where the face does."""
        ...


class Embedder(Protocol):
    """Turns a face into a template; templates of different embedders can't be compared."""

    @property
    def name(self) -> str:
        """Model and version; a policy's thresholds hold for one embedder only."""
        ...

    def embed(self, face: Face) -> Template:
        """Return the face's template."""
        ...
