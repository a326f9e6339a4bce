"""The pages' two languages: which one a reader gets, and every text by its key."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import LanguageAccept

LANGUAGES: Final = ("zh-CN", "en")


def choose(asked: str | None, accepted: LanguageAccept) -> str:
    """Return the language asked for by name, else the best that the browser accepts, else Chinese."""
    if asked in LANGUAGES:
        return asked
    return accepted.best_match(LANGUAGES) or LANGUAGES[0]


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return a language's texts by key."""
    file = resources.files("auditor.portal") / "texts" / f"{language}.toml"
    found: dict[str, str] = tomllib.loads(file.read_text("utf-8"))
    return found


def yuan(fen: int) -> str:
    """Return an amount of fen as yuan with two decimals, exactly."""
    return f"{fen // 100:,}.{fen % 100:02d}"
