"""What the service refuses with: one of the registry's codes, and what goes with it."""

from __future__ import annotations

from biometrics.errors import BiometricsError
from biometrics.terms.codes import CODES


class ServiceRefused(BiometricsError):  # noqa: N818  a verdict, not a failure
    """A request was refused; `code` is in the registry.

    `detail` may go to the caller and to logs: it names no person and carries no secret. `retry_after`
    is in seconds. `reasons` are the picture's own reasons where a picture was refused.
    """

    def __init__(
        self, code: str, detail: str = "", *, retry_after: int | None = None, reasons: tuple[str, ...] = ()
    ) -> None:
        sentence = CODES[code].en
        super().__init__(f"{code}: {sentence} ({detail})" if detail else f"{code}: {sentence}")
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.reasons = reasons
