"""The service put together: the own peer watched, the second door's ballots carried, the pages served."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from auditor.errors import AuditUnavailable
from auditor.log.service_db import ServiceDatabase
from auditor.log.trust import TrustRoot, fingerprint
from auditor.portal.app import create_app
from auditor.portal.carrier import Carrier, GatewayRoad
from auditor.portal.door import DoorKey, SecondDoor
from auditor.portal.objecting import ObjectionCarrier, ObjectionDoor
from auditor.portal.parts import Parts
from auditor.portal.server import BoundedServer
from auditor.portal.watch import Watcher, utc_now
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.source import OwnPeer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from flask import Flask

    from auditor.portal.address import IpNetwork
    from client.connection import Profile


class Service:
    """One running verification service; use it in a `with`. Threads begin with `start`."""

    def __init__(
        self,
        profile: Profile,
        database_url: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        proxies: Sequence[IpNetwork] = (),
    ) -> None:
        """Connect as the Regulator's auditor and relay; raises AuditUnavailable and the profile's errors.

        `proxies` in front are believed about whose request they pass on; nobody else is.
        """
        self._stack = ExitStack()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        offices = Offices()
        try:
            self.database = ServiceDatabase.open(database_url)
            self._stack.callback(self.database.close)
            auditor = self._stack.enter_context(profile.gateway(offices.regulator, "auditor"))
            relay = self._stack.enter_context(profile.gateway(offices.regulator, "relay"))
            self.watcher = Watcher(OwnPeer(auditor), Roots(_genesis(profile), offices), clock=clock)
            road, key = GatewayRoad(relay), _door_key(profile, offices.regulator)
            objections = ObjectionCarrier(self.watcher, self.database, road)
            self.carrier = Carrier(self.watcher, self.database, road, also=objections.carry)
            wake = self.carrier.wake
            door = SecondDoor(self.watcher, self.database, key, clock=clock, taken=wake)
            objecting = ObjectionDoor(self.watcher, self.database, key, clock=clock, taken=wake)
            trust = trust_of(profile, offices.regulator)
            self.parts = Parts(self.watcher, self.database, trust, door, objecting, proxies=proxies)
        except BaseException:
            self._stack.close()
            raise

    @property
    def app(self) -> Flask:
        """The pages as an application."""
        return create_app(self.parts)

    def start(self, seconds: float = 1.0) -> None:
        """Watch and carry in threads of their own, looking for new blocks every `seconds`."""
        for name, run in (("watch", self.watcher.run), ("carry", self.carrier.run)):
            thread = threading.Thread(target=run, args=(self._stop, seconds), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def serve(self, host: str, port: int) -> BoundedServer:
        """Return a server that listens; `serve_forever` serves. Raises AuditUnavailable for a taken port."""
        try:
            return BoundedServer(host, port, self.app)
        except (OSError, SystemExit) as error:
            raise AuditUnavailable(f"{host}:{port} can't be listened on; choose another --port") from error

    def close(self) -> None:
        """End the threads and the connections."""
        self._stop.set()
        self.carrier.wake()
        for thread in self._threads:
            thread.join(timeout=30)
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def trust_of(profile: Profile, regulator: str) -> TrustRoot:
    """Return what an offline verifier of this network has to trust."""
    pem = profile.org(regulator).roots["identity"].read_bytes()
    genesis = {name: channel.genesis for name, channel in profile.channels.items()}
    return TrustRoot(genesis, frozenset({fingerprint(x509.load_pem_x509_certificate(pem))}))


def _genesis(profile: Profile) -> dict[str, bytes]:
    return {
        name: bytes.fromhex(channel.genesis)
        for name, channel in profile.channels.items()
        if name == "identity" or channel.chaincode == "arbitration"
    }


def _door_key(profile: Profile, regulator: str) -> DoorKey:
    credentials = profile.org(regulator).identity("relay")
    key = load_pem_private_key(credentials.key.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise AuditUnavailable("the relay's key is no P-256 key; enrol the relay again")
    certificate = x509.load_pem_x509_certificate(credentials.cert.read_bytes())
    return DoorKey(regulator, certificate.public_bytes(Encoding.DER), key)
