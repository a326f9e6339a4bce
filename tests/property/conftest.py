"""Property tests are judged by what they find, not by how fast the machine is."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "concordat", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", settings.get_profile("concordat"), max_examples=6000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "concordat"))
