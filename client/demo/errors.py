"""When the demonstration itself fails."""

from __future__ import annotations

from client.errors import ConcordatError


class DemoFailed(ConcordatError):  # noqa: N818  it says what happened
    """Something that must be refused was taken, or the audit said something else than it must."""

    exit_code = 1
