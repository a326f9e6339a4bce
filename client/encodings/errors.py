"""What the encodings raise when something is not acceptable."""

from __future__ import annotations

from client.encodings.codes import CODES
from client.errors import ConcordatError


class Refused(ConcordatError):  # noqa: N818  a verdict, not a failure
    """Something was refused under a code of the registry.

    `code` is the registry's, `detail` says where and with which values; the message is
    the registry's sentence followed by the detail.
    """

    code: str

    def __init__(self, code: str, detail: str = "") -> None:
        sentence = CODES[code]
        super().__init__(f"{code}: {sentence} ({detail})" if detail else f"{code}: {sentence}", code=code)
        self.code = code
        self.detail = detail
