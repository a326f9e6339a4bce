"""The pages over a played meeting, without a network: what a test hands in, and what it gets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.log.service_db import DoorBook
from auditor.portal.app import create_app
from auditor.portal.carrier import Carried, Carrier
from auditor.portal.challenge import TYP
from auditor.portal.door import DoorKey, SecondDoor
from auditor.portal.errors import NotCarried
from auditor.portal.objecting import ObjectionCarrier, ObjectionDoor
from auditor.portal.pace import Pace, Rate
from auditor.portal.parts import Parts
from auditor.portal.watch import Watcher
from auditor.replay.authority import Offices
from auditor.replay.claimed import parse_claimed
from auditor.run import Roots
from client.encodings import base64url, jws
from client.encodings.acknowledgement import parse_acknowledgement, sign_acknowledgement
from client.encodings.objection import Objection, sign_objection
from client.encodings.receipt import AmendedClaims, parse_receipt, sign_inclusion
from tests.unit.auditor.lenders import canonical, std64, verdicts, x5t
from tests.unit.auditor.log.stage import LogStage
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.portal.peer import Peer

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from auditor.log.service_db import ServiceDatabase
    from client.encodings.ballot import SignedBallot
    from client.encodings.objection import SignedObjection
    from tests.unit.auditor.builder import Network, Signer

PATH = f"/meetings/institutiona/{MTG}"
PAGES = (
    "/",
    PATH,
    "/check",
    "/trust",
    f"{PATH}/no-vote",
    f"{PATH}/records",
    f"{PATH}/door",
    f"{PATH}/objection",
    "/nowhere",
)
"""Every page, and one that is not there."""
IN_TIME = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)


class Clock:
    now = IN_TIME

    def __call__(self) -> datetime:
        return self.now


class PlayedRoad:
    """The way to the player's chain, which is down while the test says so."""

    def __init__(self) -> None:
        self.down = False
        self.code = ""
        self.batches: list[tuple[str, bytes, int]] = []
        self.answer: bytes | None = None
        self.filed: list[tuple[str, str, str]] = []

    def submit(self, channel: str, batch: bytes, count: int) -> Carried:
        if self.down or self.code:
            raise NotCarried("the road is down", self.code)
        self.batches.append((channel, batch, count))
        return Carried("ab" * 32, parse_claimed(self.answer or verdicts(count)))

    def file(self, channel: str, objection: str, time: str) -> str:
        if self.down or self.code:
            raise NotCarried("the road is down", self.code)
        self.filed.append((channel, objection, time))
        return "cd" * 32


class Site:
    def __init__(self, fabric: Network, database: ServiceDatabase, **changes: Any) -> None:
        self.stage = LogStage(fabric, database, **changes)
        self.player, self.database = self.stage.player, database
        self.peer, self.clock, self.road = Peer(self.player), Clock(), PlayedRoad()
        self.watcher = Watcher(self.peer, Roots(self.player.genesis, Offices()), clock=self.clock)
        self.watcher.refresh()
        second = self.player.second
        key = DoorKey("RegulatorMSP", second.certificate.public_bytes(Encoding.DER), second.key)
        objections = ObjectionCarrier(self.watcher, database, self.road)
        self.carrier = Carrier(self.watcher, database, self.road, also=objections.carry)
        self.door = SecondDoor(self.watcher, database, key, clock=self.clock, bound=3)
        self.objecting = ObjectionDoor(self.watcher, database, key, clock=self.clock, bound=3)
        self.pace = Pace(Rate(1000, 1000), Rate(1000, 1000))
        self.parts = Parts(
            self.watcher,
            database,
            self.stage.trust,
            self.door,
            self.objecting,
            pace=self.pace,
            reading=self.pace,
        )
        self.app = create_app(self.parts)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def page(self, path: str, language: str = "en") -> str:
        response = self.client.get(path, headers={"Accept-Language": language})
        assert response.status_code == 200, path
        return response.get_data(as_text=True)

    def receipt(self, name: str, basis: AmendedClaims | None = None, **changes: Any) -> bytes:
        """The platform's receipt of a lender's ballot, by its relay's certificate, by an amendment if so."""
        relay = self.player.relay
        thumbprint = x5t(relay.certificate)
        genuine = parse_receipt(self.stage.receipt(name, **changes))
        place: dict[str, Any] = {"channel": genuine.channel, "block": genuine.block, "tx": genuine.tx}
        digest = self.stage.ballot(name).digest
        ack = parse_acknowledgement(genuine.ack).ack
        return replace(
            genuine,
            ack=sign_acknowledgement(ack, thumbprint, relay.key).compact,
            ack_cert=relay.certificate.public_bytes(Encoding.DER),
            basis=basis or genuine.basis,
            signature=sign_inclusion(digest, x5t=thumbprint, key=relay.key, basis=basis, **place),
        ).encode()

    def place(self, name: str, **changes: Any) -> dict[str, Any]:
        scene = self.player.scene
        lender = scene.lenders[name]
        index = scene.index(lender)
        path = [base64url.encode(node) for node in scene.tree.path(index)]
        return {"leaf": scene.leaf(lender).as_json(), "index": index, "path": path} | changes

    def objection(self, name: str, number: int = 0, **changes: Any) -> SignedObjection:
        """A lender's objection; its id is by the number."""
        lender, mh = self.player.scene.lenders[name], self.player.scene.meeting.mh
        obj, evidence = base64url.encode(number.to_bytes(16)), base64url.encode(b"e" * 32)
        said = Objection(mh, MTG, lender.sub, obj, "2026-03-03T08:29:00Z", "notice", evidence)
        return sign_objection(replace(said, **changes), lender.x5t, lender.key)

    def hand_in(self, signed: SignedBallot, name: str, **more: Any) -> Any:
        body = {"v": 1, "ballot": signed.compact, "proof": self.place(name)} | more
        return self.client.post(f"/api{PATH}/ballots", json=body)

    def database_rows(self) -> int:
        with self.database.read() as connection:
            return DoorBook(connection, CHANNEL, MTG).counts()["taken"]

    def challenge(self, purpose: str) -> str:
        facts = self.watcher.facts.meetings[CHANNEL, MTG]
        return self.parts.challenges.make(purpose, facts)

    def answered(self, purpose: str, name: str, challenge: str | None = None) -> str:
        """A lender's answer to a challenge."""
        lender = self.player.scene.lenders[name]
        payload = (challenge or self.challenge(purpose)).encode()
        return json.dumps({"v": 1, "answer": jws.sign(TYP, lender.x5t, payload, lender.key).compact})

    def officer(self, purpose: str, person: Signer) -> str:
        """An organisation's answer to a challenge."""
        signed = jws.sign(TYP, x5t(person.certificate), self.challenge(purpose).encode(), person.key)
        value = {
            "v": 1,
            "answer": signed.compact,
            "msp": person.msp_id,
            "certificate": std64(person.certificate),
        }
        return canonical(value).decode()
