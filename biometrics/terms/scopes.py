"""What a check, a limit or a booking is about, where it is no meeting's id.

Meeting ids have no capitals, so no meeting can be called like one of these.
"""

from __future__ import annotations

from typing import Final

ENROLMENT: Final = "ENROLMENT"
ALL: Final = "ALL"
"""Every meeting and the enrolment together: what the cap over all of them counts."""
