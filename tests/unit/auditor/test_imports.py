"""The auditor shares no code with the platform: nothing that it imports is the platform's, however deep."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import auditor

ALLOWED = {
    "client",
    "client.connection",
    "client.encodings",
    "client.errors",
    "client.gateway",
    "client.home",
    "client.serving",
}
FOREIGN = ("biometrics", "webui", "voice", "network")


def modules_after(*names: str) -> list[str]:
    program = (
        f"import json, sys\nfor name in {names!r}: __import__(name)\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    loaded: list[str] = json.loads(done.stdout)
    return loaded


def foreign(loaded: list[str]) -> list[str]:
    own = [name for name in loaded if name.split(".")[0] in ("client", *FOREIGN)]
    return [
        name
        for name in own
        if not any(name == one or name.startswith(f"{one}.") for one in ALLOWED - {"client"})
    ]


def everything() -> list[str]:
    found = [one.name for one in pkgutil.walk_packages(auditor.__path__, "auditor.")]
    # Alembic alone can run the one; the others are over libraries that only the verifier in one file has.
    foreign = (".migrations.env", "portable.curve", "portable.certificates", "portable.install")
    return [name for name in found if not name.endswith(foreign)]


def test_nothing_of_the_platform_is_imported() -> None:
    names = everything()
    assert "auditor.replay.batch" in names
    loaded = modules_after(*names)
    assert "client.encodings.batch" in loaded
    assert [name for name in foreign(loaded) if name != "client"] == []


def test_the_shared_judgement_is_not_used() -> None:
    """The encodings also hold the clients' own judge; the auditor has a second one."""
    loaded = modules_after(*everything())
    assert "client.encodings.judge" not in loaded


def test_the_check_would_notice() -> None:
    assert "client.platform.models" in foreign(modules_after("client.platform.models"))
