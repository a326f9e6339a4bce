"""Plays a whole meeting: writes what honest chaincode writes, by a naive second counting.

Tests change what it hands to the channel, and look at what the verifier says.
"""

from __future__ import annotations

import base64
import bisect
import json
from typing import TYPE_CHECKING, Any

import cbor2

from auditor.replay.authority import Offices
from auditor.verifier import Verifier
from client.encodings import cbor, hashes
from client.encodings.batch import encode_batch
from client.encodings.certificates import thumbprint
from client.encodings.entries import compact_entry, raw_entry
from tests.unit.auditor.builder import Chain, Network, Signer
from tests.unit.auditor.lenders import canonical, key, verdicts
from tests.vectors.scene import ACK_TIME, INSTITUTION, certificate_of, make_scene

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from client.encodings.ballot import SignedBallot
    from client.encodings.batch import Entry
    from tests.vectors.scene import Lender

MTG = "exit-a"
CHANNEL = "arbitration-institutiona"
ACK_FORM = "2026-03-03T08:30:00Z"
AT = {
    "open": "2026-03-02T01:00:00Z",
    "closing": "2026-03-09T10:00:00Z",
    "closed": "2026-03-09T11:00:00Z",
    "objections": "2026-03-09T12:00:00Z",
}


class Player:
    def __init__(self, fabric: Network, **changes: Any) -> None:
        self.identity = Chain(fabric, "identity")
        self.chain = Chain(fabric, CHANNEL)
        self.genesis = {"identity": self.identity.genesis, CHANNEL: self.chain.genesis}
        named = {name: value.hex() for name, value in self.genesis.items()}
        self.scene = make_scene(MTG, 2, **({"genesis": named} | changes))
        self.officer = fabric.person(INSTITUTION, "officer")
        self.regulator = fabric.person("RegulatorMSP", "officer")
        self.relay = fabric.person("AssociationMSP", "relay")
        self.second = fabric.person("RegulatorMSP", "relay")
        self.verifier = fabric.person("AssociationMSP", "verifier")
        self.held: dict[str, tuple[Lender, SignedBallot]] = {}
        self.versions: dict[str, tuple[int, int]] = {}
        self.subtotals = 0
        self.last_tx = ""
        self.numbers: dict[str, int] = {}  # the acknowledgement of the ballot that stands, by voter
        self.amended_roll: dict[str, int] = {}  # heads and fen, once there are amendments

    def follow(self) -> Verifier:
        verifier = Verifier(self.genesis, Offices())
        verifier.follow("identity", self.identity.blocks)
        verifier.follow(CHANNEL, self.chain.blocks)
        return verifier

    # identity

    def enrolled(self, *, sessions: int = 1) -> Player:
        """Confirm the lender CA, enrol every lender, record their identity checks."""
        der = base64.b64encode(certificate_of("lender-ca", "lender-ca", "lender-ca")).decode()
        issuer = {"v": 1, "institution": INSTITUTION, "certificate": der}
        x5t = thumbprint(base64.b64decode(der))
        for creator, arguments, status in (
            (self.officer, [b"ProposeIssuer", canonical(issuer)], "proposed"),
            (self.regulator, [b"ConfirmIssuer", INSTITUTION.encode(), x5t.encode()], "confirmed"),
        ):
            tx = self.identity.next_transaction_id(creator)
            record = canonical({**issuer, "x5t": x5t, "status": status, "tx": tx})
            self._identity(creator, arguments, record, {key("issuer", INSTITUTION): record})
        lenders = self.scene.lenders.values()
        tx = self.identity.next_transaction_id(self.verifier)
        asked = ("sub", "certificate", "institution", "method", "commitment")
        enrolments = [{**lender.enrolment().as_json(), "tx": tx} for lender in lenders]
        self._identity(
            self.verifier,
            [b"Enrol", canonical([{name: one[name] for name in asked} for one in enrolments])],
            verdicts(len(enrolments)),
            {key("enrolment", one["sub"]): canonical(one) for one in enrolments},
        )
        tx = self.identity.next_transaction_id(self.verifier)
        checks = [
            self.scene.session(one, number + 1).as_json() for one in lenders for number in range(sessions)
        ]
        self._identity(
            self.verifier,
            [b"RecordSessions", canonical(checks)],
            verdicts(len(checks)),
            {key("session", one["ses"]): canonical({**one, "tx": tx}) for one in checks},
        )
        return self

    def revoke(self, lender: Lender) -> None:
        tx = self.identity.next_transaction_id(self.regulator)
        record = lender.enrolment(status="revoked", rev=2, reason="lost", tx=tx).as_json()
        self._identity(
            self.regulator,
            [b"Revoke", canonical({"sub": lender.sub, "reason": "lost"})],
            canonical(record),
            {key("enrolment", lender.sub): canonical(record)},
        )

    def _identity(
        self, creator: Signer, arguments: Sequence[bytes], response: bytes, writes: Mapping[str, bytes]
    ) -> None:
        self.identity.add(
            self.identity.invoke(creator, "identity", arguments, response=response, writes=writes)
        )

    # arbitration

    def run(
        self,
        creator: Signer,
        arguments: Sequence[bytes],
        response: bytes,
        writes: Mapping[str, bytes | None],
        reads: Sequence[str] = (),
    ) -> None:
        """Run a transaction that looked at `reads` as they were, in a block of its own."""
        self.last_tx = self.chain.next_transaction_id(creator)
        seen = {name: self.versions.get(name) for name in reads}
        transaction = self.chain.invoke(
            creator, "arbitration", arguments, response=response, writes=writes, reads=seen
        )
        self.chain.add(transaction)
        for name, value in writes.items():
            if value is None:
                self.versions.pop(name, None)
            else:
                self.versions[name] = (len(self.chain.blocks) - 1, 0)

    def looked_at(self, *ballots: SignedBallot) -> list[str]:
        """The keys that a batch's judges look at: the voter's ballot, and the session where there is one."""
        keys = [key(kind, MTG) for kind in ("meeting", "state", "cap", "amendments")]
        held = {lender.sub for lender, _ in self.held.values()}
        for signed in ballots:
            keys.append(key("ballot", MTG, signed.ballot.sub))
            if signed.ballot.sub in held:
                keys.append(key("session", MTG, signed.ballot.ses))
        return keys

    def announced(self) -> Player:
        meeting = self.scene.meeting
        cap = cbor.dumps(list(self.scene.cap))
        for creator, arguments, state, extra in (
            (
                self.officer,
                [b"ProposeMeeting", meeting.record, cap],
                "draft",
                {key("meeting", MTG): meeting.record, key("cap", MTG): cap},
            ),
            (self.regulator, [b"ConfirmMeeting", MTG.encode(), meeting.mh.encode()], "announced", {}),
        ):
            self.run(creator, arguments, self._answer(state), {**extra, **self._state(creator, state)})
        return self

    def opened(self) -> Player:
        return self.announced().step("open")

    def step(self, to: str, by: Signer | None = None, **members: Any) -> Player:
        proposer = by or self.officer
        step = {"to": to, "at": members.pop("at", AT.get(to, "")), **members}
        if to == "closed":
            step = {"ballots": len(self.held), "subtotals": self.subtotals, **step}
        digest = hashes.digest(hashes.STEP, canonical(step))
        tx = self.chain.next_transaction_id(proposer)
        record = {"v": 1, "by": proposer.msp_id, "digest": digest, "step": step, "tx": tx}
        self.run(
            proposer,
            [b"ProposeStep", MTG.encode(), canonical(step)],
            canonical({"v": 1, "mtg": MTG, "to": to, "digest": digest}),
            {key("step", MTG): canonical(record)},
        )
        writes: dict[str, bytes | None] = {key("step", MTG): None, **self._state(self.regulator, to)}
        if to == "closed":
            writes[key("result", MTG)] = self.result()
        self.run(self.regulator, [b"ConfirmStep", MTG.encode(), digest.encode()], self._answer(to), writes)
        return self

    def closed(self) -> Player:
        return self.step("closing").step("closed")

    def _answer(self, state: str) -> bytes:
        return canonical({"v": 1, "mtg": MTG, "mh": self.scene.meeting.mh, "state": state})

    def _state(self, creator: Signer, state: str) -> dict[str, bytes]:
        tx = self.chain.next_transaction_id(creator)
        return {key("state", MTG): canonical({"v": 1, "state": state, "tx": tx})}

    # ballots

    def entry(self, name: str, number: int, *, seq: int = 1, raw: bool = False, **votes: Any) -> Entry:
        signed = self.ballot(name, seq=seq, **votes)
        lender = self.scene.lenders[name]
        place: dict[str, Any] = {
            "index": self.scene.index(lender),
            "proof": self.scene.proof(lender),
            "ack_no": number,
            "ack_time": ACK_TIME,
        }
        leaf = self.scene.leaf(lender)
        if raw:
            return raw_entry(signed.compact, leaf.encode(), **place)
        return compact_entry(signed, self.scene.meeting, leaf, **place)

    def ballot(self, name: str, *, seq: int = 1, **votes: Any) -> SignedBallot:
        lender = self.scene.lenders[name]
        return self.scene.signed(lender, {**self.scene.votes(), **votes}, seq)

    def accept(
        self,
        name: str,
        signed: SignedBallot,
        number: int,
        *,
        door: str = "AssociationMSP",
        rev: int = 1,
    ) -> dict[str, bytes]:
        """Return the records that an accepted ballot leaves: its own, and the session of the one before."""
        lender, content = self.scene.lenders[name], signed.ballot
        record = json.loads(self.scene.meeting.record)
        classes = [one["class"] for one in record["roll"]["classes"]]
        ballot = [
            1,
            ["AssociationMSP", "RegulatorMSP"].index(door),
            number,
            ACK_TIME,
            [[classes.index(one.cls), one.fen] for one in lender.claims],
            unpadded(signed.digest),
            rev,
            content.seq,
            unpadded(content.ses),
            [motion["choices"].index(content.votes[motion["id"]]) for motion in record["motions"]],
        ]
        self.numbers[name] = number
        left = {key("ballot", MTG, lender.sub): cbor2.dumps(ballot)}
        if name in self.held:
            before = self.held[name][1]
            left[key("session", MTG, before.ballot.ses)] = before.digest.encode()
        return left

    def submit(
        self,
        ballots: Sequence[tuple[str, int, Mapping[str, Any]]],
        *,
        by: Signer | None = None,
        change: Mapping[str, bytes | None] | None = None,
        response: bytes | None = None,
        raw: bool = False,
        reads: Sequence[str] | None = None,
    ) -> Player:
        """Submit ballots: (lender, acknowledgement number, votes and seq). `change` forges writes."""
        creator = by or self.relay
        tx = self.chain.next_transaction_id(creator)
        entries: list[Entry] = []
        writes: dict[str, bytes] = {}
        looked_at = self.looked_at(*(self.ballot(name, **options) for name, _, options in ballots))
        before = dict(self.held)
        for name, number, options in ballots:
            entries.append(self.entry(name, number, raw=raw, **options))
            signed = self.ballot(name, **options)
            writes |= self.accept(name, signed, number, door=self.door_of(creator))
            self.held[name] = (self.scene.lenders[name], signed)
        writes[key("subtotal", MTG, tx)] = self.subtotal(before, [name for name, *_ in ballots])
        self.subtotals += 1
        forged = {**writes, **{name: value for name, value in (change or {}).items() if value is not None}}
        for name, value in (change or {}).items():
            if value is None:
                del forged[name]
        self.run(
            creator,
            [b"SubmitBallots", encode_batch(MTG, entries)],
            verdicts(len(ballots)) if response is None else response,
            forged,
            looked_at if reads is None else reads,
        )
        return self

    def door_of(self, creator: Signer) -> str:
        return "RegulatorMSP" if creator.msp_id == "RegulatorMSP" else "AssociationMSP"

    def subtotal(self, before: Mapping[str, tuple[Lender, SignedBallot]], names: Sequence[str]) -> bytes:
        present: dict[str, list[int]] = {}
        motions: dict[str, dict[str, dict[str, list[int]]]] = {}
        for name in names:
            for sign, held in ((-1, before.get(name)), (1, self.held[name])):
                if held is None:
                    continue
                _count(present, held[0], sign)
                for motion, choice in held[1].ballot.votes.items():
                    # A proxy whose mandate doesn't cover the motion is counted as one excluded from it.
                    place = "*excluded" if choice == () else str(choice)
                    cells = motions.setdefault(motion, {}).setdefault(place, {})
                    _count(cells, held[0], sign)
        kept = {
            motion: {choice: _kept(cells) for choice, cells in choices.items() if _kept(cells)}
            for motion, choices in motions.items()
        }
        return canonical(
            {
                "v": 1,
                "ballots": sum(
                    bool(self.held[name][0].claims) - (name in before and bool(before[name][0].claims))
                    for name in names
                ),
                "present": _kept(present),
                "motions": {motion: choices for motion, choices in kept.items() if choices},
            }
        )

    def result(self) -> bytes:
        record = json.loads(self.scene.meeting.record)
        record["roll"] |= self.amended_roll
        scopes = ["*", *(one["class"] for one in record["roll"]["classes"])]
        present: dict[str, list[int]] = {scope: [0, 0] for scope in scopes}
        for lender, _ in self.held.values():
            _count(present, lender, 1)
        motions = {}
        for motion in record["motions"]:
            cells: dict[str, dict[str, list[int]]] = {  # (): what a mandate left out
                choice: {scope: [0, 0] for scope in scopes} for choice in [*motion["choices"], "()"]
            }
            for lender, signed in self.held.values():
                _count(cells[str(signed.ballot.votes[motion["id"]])], lender, 1)
            tests = [_test(test, record, present, cells) for test in motion["rules"]["tests"]]
            judged = {"passed": all(test["passed"] for test in tests), "tests": tests}
            motions[motion["id"]] = {"excluded": cells.pop("()"), "choices": cells, **judged}
        return canonical(
            {
                "v": 1,
                "mtg": MTG,
                "mh": self.scene.meeting.mh,
                "ballots": len(self.held),
                "present": present,
                "motions": motions,
            }
        )


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _count(cells: dict[str, list[int]], lender: Lender, sign: int) -> None:
    if not lender.claims:
        return  # off the roll
    for scope, fen in [
        ("*", sum(one.fen for one in lender.claims)),
        *((c.cls, c.fen) for c in lender.claims),
    ]:
        cell = cells.setdefault(scope, [0, 0])
        cell[0] += sign
        cell[1] += sign * fen


def _kept(cells: dict[str, list[int]]) -> dict[str, list[int]]:
    return {scope: cell for scope, cell in cells.items() if cell != [0, 0]}


def _test(
    test: dict[str, Any],
    record: dict[str, Any],
    present: dict[str, list[int]],
    cells: dict[str, dict[str, list[int]]],
) -> dict[str, Any]:
    """The scene's three tests: approve of those voting, present of all, approve of those present."""
    unit = 0 if test["unit"] == "heads" else 1
    figures = {
        "yes": cells["approve"]["*"][unit],
        "voted": cells["approve"]["*"][unit] + cells["reject"]["*"][unit],
        "present": present["*"][unit],
        "eligible": record["roll"][("heads", "fen")[unit]],
    }
    numerator, denominator = figures[test["count"]], figures[test["base"]]
    least = bisect.bisect_left(range(denominator + 1), 1, key=lambda n: int(_passes(test, n, denominator)))
    required = least if denominator else 1
    return {
        **test,
        "numerator": numerator,
        "denominator": denominator,
        "required": required,
        "passed": _passes(test, numerator, denominator),
    }


def _passes(test: dict[str, Any], numerator: int, denominator: int) -> bool:
    left, right = numerator * test["fraction"][1], denominator * test["fraction"][0]
    return denominator > 0 and (left > right if test["comparator"] == ">" else left >= right)
