"""Concordat's own errors: one small tree, each class one exit code (DESIGN: commands)."""

from __future__ import annotations


class ConcordatError(Exception):
    """Base of every error that a person or a script is meant to read.

    `message` is one sentence with what, where and what to do; `code` is the stable
    name of the refusal where there is one.
    """

    exit_code = 2

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class UserError(ConcordatError):
    """It could not be done, and nothing was changed (exit 2)."""

    exit_code = 2


class Negative(ConcordatError):  # noqa: N818  an answer, not a failure
    """It was done, and the answer is no: not consistent, not verified, no match (exit 1)."""

    exit_code = 1


class OutcomeUnknown(ConcordatError):  # noqa: N818  an answer, not a failure
    """Sent, but the outcome never came back; repeating is safe (exit 3)."""

    exit_code = 3
