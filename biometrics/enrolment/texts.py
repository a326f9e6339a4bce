"""The published texts of consents: plain files, each known by its digest, old versions kept.

A folder of texts holds `index.toml`, which names every text's digest, and `<version>/<kind>.<language>.txt`.
A consent names the digest of the text that was shown, so what somebody agreed to can be read years later.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Final

from biometrics.errors import PolicyError
from biometrics.terms.policy import CONSENTS
from client.encodings import base64url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

LANGUAGES: Final = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One text as it was published; `digest` is the base64url SHA-256 of its UTF-8."""

    kind: str
    version: str
    language: str
    digest: str
    text: str = field(repr=False)


class ConsentTexts:
    """Texts by digest. Immutable."""

    def __init__(self, texts: Iterable[ConsentText]) -> None:
        self._by_digest = {text.digest: text for text in texts}

    def find(self, digest: str) -> ConsentText | None:
        """Return the text that a consent named, of whatever version; None for one never published."""
        return self._by_digest.get(digest)

    def of_version(self, kind: str, version: str) -> list[ConsentText]:
        """Return one version's texts of a kind, by language."""
        found = [text for text in self._by_digest.values() if (text.kind, text.version) == (kind, version)]
        return sorted(found, key=lambda text: LANGUAGES.index(text.language))

    def require(self, versions: Mapping[str, str]) -> None:
        """Raise PolicyError unless every kind's version has its text in every language."""
        for kind, version in versions.items():
            there = tuple(text.language for text in self.of_version(kind, version))
            if there != LANGUAGES:
                raise PolicyError(f"the consent {kind} has no published text of version {version}")


def packaged_texts() -> ConsentTexts:
    """Return the texts that come with the package."""
    return load_texts(resources.files("biometrics.enrolment").joinpath("texts"))


def load_texts(folder: Traversable) -> ConsentTexts:
    """Read a folder of texts; raises PolicyError for one that is missing, altered or not in the index."""
    try:
        index = tomllib.loads(folder.joinpath("index.toml").read_text("utf-8"))
        texts = [
            _read(folder, version, kind, language, digest)
            for version, kinds in index.items()
            for kind, languages in kinds.items()
            for language, digest in languages.items()
        ]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError) as error:
        raise PolicyError(f"the texts of consents can't be read: {error}") from error
    return ConsentTexts(texts)


def _read(folder: Traversable, version: str, kind: str, language: str, digest: str) -> ConsentText:
    name = f"{version}/{kind}.{language}.txt"
    if kind not in CONSENTS or language not in LANGUAGES:
        raise PolicyError(f"{name}: consents are {', '.join(CONSENTS)}, in {', '.join(LANGUAGES)}")
    data = folder.joinpath(version, f"{kind}.{language}.txt").read_bytes()
    if base64url.encode(hashlib.sha256(data).digest()) != digest:
        raise PolicyError(f"{name} is not the text that was published: make a new version of it instead")
    return ConsentText(kind, version, language, digest, data.decode("utf-8"))
