"""What a source of reference pictures is, and what the sources need to know of a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from biometrics.errors import BiometricsError

if TYPE_CHECKING:
    from biometrics.terms.binding import Lender

MOST_BYTES: Final = 5 * 2**20
"""A reference picture has no more, whichever source it comes from."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A reference picture as its source gave it: undecoded bytes, never written anywhere in the clear."""

    source: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a lender is, as an official ID service asks it. Never logged, never stored by this service."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)


class SourceUnavailable(BiometricsError):  # noqa: N818  says what is the matter
    """The source can't be asked now, or gives an answer that can't be used."""


class NoPhoto(BiometricsError):  # noqa: N818  says what is missing
    """The source has no picture of this person."""


class PhotoSource(Protocol):
    """Where the reference picture of a person comes from."""

    @property
    def name(self) -> str:
        """What policy and evidence call it, such as `official-id`."""
        ...

    def photo(self, lender: Lender) -> Photo:
        """Return the lender's reference picture; raises NoPhoto or SourceUnavailable."""
        ...


class People(Protocol):
    """Says who a lender is; the institution's records do, behind whatever seals them."""

    def person(self, lender: Lender) -> Person:
        """Return the person; raises NoPhoto where the lender is unknown."""
        ...
