"""The sources that policy names, asked in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.errors import PolicyError
from biometrics.sources.interface import NoPhoto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.sources.interface import Photo, PhotoSource
    from biometrics.terms.binding import Lender


class SelectedSources:
    """Asks sources one after the other until one has a picture.

    A source that policy doesn't name is never asked; one that is down ends the search, since the next
    might hold a worse picture. Raises PolicyError when policy names none of those that are there.
    """

    def __init__(self, allowed: Sequence[str], sources: Sequence[PhotoSource]) -> None:
        by_name = {source.name: source for source in sources}
        self._sources = [by_name[name] for name in allowed if name in by_name]
        if not self._sources:
            raise PolicyError(
                f"the policy takes references from {', '.join(allowed)}, and none of them is configured"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The sources that are asked, in order."""
        return tuple(source.name for source in self._sources)

    def photo(self, lender: Lender) -> Photo:
        """Return the first picture that a source has; raises NoPhoto or SourceUnavailable."""
        for source in self._sources:
            try:
                return source.photo(lender)
            except NoPhoto:
                continue
        raise NoPhoto(f"none of {', '.join(self.names)} has a reference picture of this lender")
