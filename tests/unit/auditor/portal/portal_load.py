"""The portal at scale: a process of its own over a load's blocks, and what it takes and how fast it answers.

`python -m tests.unit.auditor.portal.portal_load make FOLDER BALLOTS` writes a load; `measure FOLDER` starts
the portal over it with no state, asks it while it catches up and after, kills it, starts it again, and prints
one JSON object. A load's meeting is open for two hours.
"""

from __future__ import annotations

import json
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from auditor.ahead import HelperProcesses
from auditor.log.service_db import ServiceDatabase
from auditor.log.trust import TrustRoot
from auditor.portal.app import create_app
from auditor.portal.door import DoorKey, SecondDoor
from auditor.portal.pace import Pace, Rate
from auditor.portal.parts import Parts
from auditor.portal.watch import Watcher, utc_now
from auditor.replay.authority import Offices
from auditor.run import Roots
from client.bench.family import Family
from client.encodings import base64url
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.encodings.receipt import OnRoll, Receipt, sign_inclusion
from client.serving.bounded import BoundedServer
from tests.unit.auditor.audit_load import CHANNEL, MTG, LoadMaker
from tests.unit.auditor.builder import Network
from tests.unit.auditor.lenders import x5t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SILENT: Final = 400
_PATH: Final = f"/meetings/{CHANNEL.removeprefix('arbitration-')}/{MTG}"


class Files:
    """A peer whose blocks lie in a folder, a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._heights = {one.name: sum(1 for _ in one.iterdir()) for one in folder.iterdir()}

    def height(self, channel: str) -> int:
        return self._heights[channel]

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        for number in range(start, stop):
            yield (self._folder / channel / str(number)).read_bytes()


def make(folder: Path, count: int, *, batch: int = 1000, silent: int = SILENT) -> None:
    """Write a load of so many ballots, and requests about some of them."""
    folder.mkdir(parents=True, exist_ok=True)
    fabric = Network()
    maker = LoadMaker(fabric, count, batch, silent=silent)
    load = maker.made(folder / "platform.db")
    for channel in ("identity", CHANNEL):
        (folder / "blocks" / channel).mkdir(parents=True)
        for number, raw in enumerate(load.blocks(channel, 0, load.height(channel))):
            (folder / "blocks" / channel / str(number)).write_bytes(raw)
    door = fabric.person("RegulatorMSP", "relay")
    pem = door.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    value = {
        "genesis": {"identity": load.identity.genesis.hex(), CHANNEL: load.chain.genesis.hex()},
        "key": pem.decode(),
        "certificate": door.certificate.public_bytes(Encoding.DER).hex(),
        "requests": [_asked(maker, voter) for voter in maker.voters if voter.sub in maker.sampled],
        "ballots": [_handed_in(maker, voter) for voter in maker.voters[count:]],
    }
    (folder / "load.json").write_text(json.dumps(value))


def _place(maker: LoadMaker, voter: Any) -> dict[str, Any]:
    index = maker.place[voter.sub]
    path = [base64url.encode(node) for node in maker.roll.tree.path(index)]
    return {"leaf": voter.leaf(MTG).as_json(), "index": index, "path": path}


def _asked(maker: LoadMaker, voter: Any) -> dict[str, Any]:
    signed, number, tx, block = maker.sampled[voter.sub]
    relay, index = maker.relay, maker.place[voter.sub]
    word = Acknowledgement(maker.meeting.mh, MTG, signed.digest, "AssociationMSP", number, maker.ack_time)
    place: dict[str, Any] = {"channel": CHANNEL, "block": block, "tx": tx}
    receipt = Receipt(
        ballot=signed.compact,
        basis=OnRoll(voter.leaf(MTG), index, maker.roll.tree.path(index)),
        ack=sign_acknowledgement(word, x5t(relay.certificate), relay.key).compact,
        ack_cert=relay.certificate.public_bytes(Encoding.DER),
        cert=voter.certificate,
        signature=sign_inclusion(signed.digest, x5t=x5t(relay.certificate), key=relay.key, **place),
        **place,
    )
    return {"receipt": receipt.encode().decode(), "place": _place(maker, voter)}


def _handed_in(maker: LoadMaker, voter: Any) -> dict[str, Any]:
    ballot = voter.ballot(maker.meeting, random.Random(3))  # noqa: S311
    return {"v": 1, "ballot": ballot, "proof": _place(maker, voter)}


def watcher_of(folder: Path, state: Path, *, source: Files | None = None, **changes: Any) -> Watcher:
    """A watcher over a written load."""
    value = json.loads((folder / "load.json").read_text())
    genesis = {name: bytes.fromhex(one) for name, one in value["genesis"].items()}
    return Watcher(source or Files(folder / "blocks"), Roots(genesis, Offices()), state=state, **changes)


def serve(folder: Path, state: Path) -> None:
    """Serve a load until killed; print the port."""
    value = json.loads((folder / "load.json").read_text())
    watcher = watcher_of(folder, state, hire=HelperProcesses)
    database = ServiceDatabase.open(f"sqlite:///{state.with_suffix('.audit.db')}")
    key = load_pem_private_key(value["key"].encode(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    own = DoorKey("RegulatorMSP", bytes.fromhex(value["certificate"]), key)
    door = SecondDoor(watcher, database, own, clock=utc_now)
    pace = Pace(Rate(10**6, 10**6), Rate(10**6, 10**6))
    parts = Parts(watcher, database, TrustRoot(value["genesis"], frozenset()), door, pace=pace)
    server = BoundedServer("127.0.0.1", 0, create_app(parts))
    threading.Thread(target=watcher.run, args=(threading.Event(),), daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


class Client:
    """Asks the four questions in turn and keeps how long each answer took, in milliseconds."""

    def __init__(self, port: int, folder: Path) -> None:
        value = json.loads((folder / "load.json").read_text())
        self.origin = f"http://127.0.0.1:{port}"
        self.requests, self.ballots = value["requests"], value["ballots"]
        self.took: dict[str, list[float]] = {}
        self.said: dict[str, dict[int, int]] = {}
        self.number = 0

    def behind(self) -> bool:
        with urllib.request.urlopen(f"{self.origin}/api/status", timeout=60) as answer:  # noqa: S310
            return bool(json.load(answer)["behind"])

    def ask(self) -> None:
        asked = self.requests[self.number % len(self.requests)]
        handed = self.ballots[self.number % len(self.ballots)]
        self.number += 1
        form = urllib.parse.urlencode({"place": json.dumps(asked["place"])}).encode()
        self._one("meeting", _PATH)
        self._one("receipt", "/api/check", asked["receipt"].encode())
        self._one("record", f"{_PATH}/no-vote", form)
        self._one("door", f"/api{_PATH}/ballots", json.dumps(handed).encode())

    def _one(self, name: str, path: str, data: bytes | None = None) -> None:
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(self.origin + path, data, timeout=60) as answer:  # noqa: S310
                answer.read()
                code = answer.status
        except urllib.error.HTTPError as error:
            code = error.code
            error.close()
        self.took.setdefault(name, []).append((time.monotonic() - begun) * 1000)
        said = self.said.setdefault(name, {})
        said[code] = said.get(code, 0) + 1

    def figures(self) -> dict[str, Any]:
        """Median and largest by question, and how often each status; then forget them."""
        value = {
            name: {
                "median_ms": round(statistics.median(took), 1),
                "most_ms": round(max(took), 1),
                "status": self.said[name],
            }
            for name, took in self.took.items()
        }
        self.took, self.said = {}, {}
        return value


def measure(folder: Path) -> dict[str, Any]:
    """Return the figures of a first start, of the time after, and of a second start."""
    state = folder / "serving.db"
    for one in folder.glob("serving*"):
        one.unlink()
    value: dict[str, Any] = {}
    first = _started(folder, state, value, "first")
    value["state_mib"] = round(sum(one.stat().st_size for one in folder.glob("serving.db*")) / 2**20)
    first()
    second = _started(folder, state, value, "second")
    second()
    return value


def _started(folder: Path, state: Path, value: dict[str, Any], name: str) -> Callable[[], None]:
    begun = time.monotonic()
    command = (sys.executable, "-m", __spec__.name, "serve", str(folder), str(state))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said: IO[str] | None = process.stdout
    assert said is not None
    with Family(process.pid) as family:
        client = Client(int(said.readline()), folder)
        behind = client.behind()
        found: dict[str, Any] = {"serves_after_s": round(time.monotonic() - begun, 2)}
        grown = 0
        while behind:
            client.ask()
            grown = max(grown, sum(one.stat().st_size for one in folder.glob("serving.db-wal")))
            behind = client.behind()
        found["caught_up_after_s"] = round(time.monotonic() - begun, 2)
        found["log_mib"] = round(grown / 2**20)
        found["meanwhile"] = client.figures()
    found |= {"rss_mib_catching_up": family.peak_mib, "processes": family.most}
    with Family(process.pid) as after:
        for _ in range(100):
            client.ask()
    found |= {"after": client.figures(), "rss_mib_after": after.peak_mib}
    value[name] = found

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        said.close()

    return kill


def main() -> None:
    """Carry out the command line."""
    match sys.argv[1:]:
        case ["make", folder, count]:
            make(Path(folder), int(count))
        case ["serve", folder, state]:
            serve(Path(folder), Path(state))
        case ["measure", folder]:
            sys.stdout.write(json.dumps(measure(Path(folder)), indent=1))


if __name__ == "__main__":
    main()
