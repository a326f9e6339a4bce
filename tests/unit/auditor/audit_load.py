"""An open meeting of as many lenders as asked for: blocks that a test builder signs, an honest platform."""

from __future__ import annotations

import base64
import random
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auditor.replay.authority import Offices
from auditor.rules import Change, CountedBallot
from auditor.run import Roots
from client.bench.cohort import Term, Voter, recruit
from client.bench.issuer import BenchIssuer
from client.encodings import hashes, times
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.encodings.ballot import SignedBallot, parse_ballot, votes_json
from client.encodings.ballot_record import BallotRecord
from client.encodings.batch import encode_batch
from client.encodings.certificates import thumbprint
from client.encodings.entries import compact_entry
from client.encodings.ids import arbitration_channel
from client.encodings.leaf import claims_json
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting
from client.sessions.insecure import METHOD
from tests.unit.auditor.builder import Chain, Network, Signer
from tests.unit.auditor.lenders import canonical, key, verdicts, x5t
from tests.unit.auditor.platform_side import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

INSTITUTION = "InstitutionAMSP"
CHANNEL = arbitration_channel(INSTITUTION)
MTG = "load"
BATCH = 1000


@dataclass
class Load:
    """Two channels and the platform's database, of `count` lenders with a ballot each."""

    identity: Chain
    chain: Chain
    database: str

    @property
    def roots(self) -> Roots:
        return Roots({"identity": self.identity.genesis, CHANNEL: self.chain.genesis}, Offices())

    def height(self, channel: str) -> int:
        return len(self._chain(channel).blocks)

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        yield from self._chain(channel).blocks[start:stop]

    def _chain(self, channel: str) -> Chain:
        return self.identity if channel == "identity" else self.chain


def make_load(count: int, folder: Path, *, batch: int = BATCH) -> Load:
    """Write an open meeting of `count` lenders, a ballot each, and what an honest platform has of it."""
    return LoadMaker(Network(), count, batch).made(folder / "platform.db")


class LoadMaker:
    """Makes a load; `silent` lenders more have everything but a ballot on the chain."""

    def __init__(self, fabric: Network, count: int, batch: int, *, silent: int = 0) -> None:
        self.count = count
        self.sampled: dict[str, tuple[SignedBallot, int, str, int]] = {}
        self.identity, self.chain = Chain(fabric, "identity"), Chain(fabric, CHANNEL)
        self.officer = fabric.person(INSTITUTION, "officer")
        self.regulator = fabric.person("RegulatorMSP", "officer")
        self.relay = fabric.person("AssociationMSP", "relay")
        self.verifier = fabric.person("AssociationMSP", "verifier")
        self.issuer = BenchIssuer.make()
        self.batch = batch
        self.voters = recruit(count + silent, self.issuer, INSTITUTION, random.Random(1))  # noqa: S311
        start = datetime.now(UTC) - timedelta(minutes=5)
        self.opens_at = times.form(int(start.timestamp()))
        self.ack_time = times.form(int(start.timestamp()) + 60)
        self.term = Term.of(MTG)
        self.roll = FrozenRoll.freeze((voter.leaf(MTG) for voter in self.voters), self.opens_at)
        self.meeting = build_meeting(
            mtg=MTG,
            institution=INSTITUTION,
            title="Load",
            roll=self.roll.summary,
            motions=motions(["Repayment plan", "Supervisory committee"]),
            opens_at=self.opens_at,
            closes_at=times.form(int(start.timestamp()) + 7200),
            objections_until=times.form(int(start.timestamp()) + 14400),
            genesis={"identity": self.identity.genesis.hex(), CHANNEL: self.chain.genesis.hex()},
            methods=[METHOD],
        )
        self.place = {leaf.sub: index for index, leaf in enumerate(self.roll.leaves)}

    def made(self, database: Path) -> Load:
        self._issuer()
        for chunk in self._chunks():
            self._enrol(chunk)
            self._sessions(chunk)
        self._open()
        with sqlite3.connect(database) as connection:
            connection.executescript(SCHEMA)
            record = (MTG, self.meeting.record.decode(), self.meeting.mh, CHANNEL, "open")
            connection.execute("INSERT INTO meetings VALUES (?,?,?,?,?)", record)
            chooser = random.Random(2)  # noqa: S311
            for number, chunk in enumerate(self._chunks(self.count)):
                self._submit(chunk, number * self.batch, chooser, connection)
        connection.close()
        return Load(self.identity, self.chain, f"sqlite:///{database}")

    def _chunks(self, count: int | None = None) -> Iterator[list[Voter]]:
        voters = self.voters[:count]
        for start in range(0, len(voters), self.batch):
            yield voters[start : start + self.batch]

    def _issuer(self) -> None:
        issuer = {
            "v": 1,
            "institution": INSTITUTION,
            "certificate": base64.b64encode(self.issuer.der).decode(),
        }
        thumb = thumbprint(self.issuer.der)
        for creator, arguments, status in (
            (self.officer, [b"ProposeIssuer", canonical(issuer)], "proposed"),
            (self.regulator, [b"ConfirmIssuer", INSTITUTION.encode(), thumb.encode()], "confirmed"),
        ):
            tx = self.identity.next_transaction_id(creator)
            record = canonical({**issuer, "x5t": thumb, "status": status, "tx": tx})
            self._run(self.identity, creator, arguments, record, {key("issuer", INSTITUTION): record})

    def _enrol(self, voters: Sequence[Voter]) -> None:
        tx = self.identity.next_transaction_id(self.verifier)
        writes = {
            key("enrolment", one.sub): canonical(
                {
                    **one.item(),
                    "v": 1,
                    "x5t": thumbprint(one.certificate),
                    "status": "active",
                    "rev": 1,
                    "tx": tx,
                }
            )
            for one in voters
        }
        items = canonical([one.item() for one in voters])
        self._run(self.identity, self.verifier, [b"Enrol", items], verdicts(len(voters)), writes)

    def _sessions(self, voters: Sequence[Voter]) -> None:
        tx = self.identity.next_transaction_id(self.verifier)
        checks = [one.session(self.term).as_json() for one in voters]
        writes = {key("session", one["ses"]): canonical({**one, "tx": tx}) for one in checks}
        self._run(
            self.identity,
            self.verifier,
            [b"RecordSessions", canonical(checks)],
            verdicts(len(voters)),
            writes,
        )

    def _open(self) -> None:
        mtg, mh, record = MTG.encode(), self.meeting.mh, self.meeting.record
        self._announce(
            self.officer,
            [b"ProposeMeeting", record, self.roll.cap],
            "draft",
            {key("meeting", MTG): record, key("cap", MTG): self.roll.cap},
        )
        self._announce(self.regulator, [b"ConfirmMeeting", mtg, mh.encode()], "announced", {})
        step = {"to": "open", "at": self.opens_at}
        digest = hashes.digest(hashes.STEP, canonical(step))
        tx = self.chain.next_transaction_id(self.officer)
        waits = {"v": 1, "by": INSTITUTION, "digest": digest, "step": step, "tx": tx}
        answer = canonical({"v": 1, "mtg": MTG, "to": "open", "digest": digest})
        self._run(
            self.chain,
            self.officer,
            [b"ProposeStep", mtg, canonical(step)],
            answer,
            {key("step", MTG): canonical(waits)},
        )
        confirmed = [b"ConfirmStep", mtg, digest.encode()]
        self._announce(self.regulator, confirmed, "open", {key("step", MTG): None})
        self.stated = (len(self.chain.blocks) - 1, 0)

    def _announce(
        self, creator: Signer, arguments: list[bytes], state: str, extra: Mapping[str, bytes | None]
    ) -> None:
        tx = self.chain.next_transaction_id(creator)
        written = {key("state", MTG): canonical({"v": 1, "state": state, "tx": tx})}
        answer = canonical({"v": 1, "mtg": MTG, "mh": self.meeting.mh, "state": state})
        self._run(self.chain, creator, arguments, answer, {**extra, **written})

    def _submit(
        self, voters: Sequence[Voter], first: int, chooser: random.Random, connection: sqlite3.Connection
    ) -> None:
        tx, block = self.chain.next_transaction_id(self.relay), len(self.chain.blocks)
        entries, writes, change = [], {}, Change(self.meeting)
        for number, voter in enumerate(voters, first + 1):
            signed = parse_ballot(voter.ballot(self.meeting, chooser))
            ballot, leaf = signed.ballot, voter.leaf(MTG)
            if number == first + 1:
                self.sampled[voter.sub] = (signed, number, tx, block)
            index, ack_time = self.place[voter.sub], times.parse(self.ack_time)
            proof = self.roll.tree.run_path(index, self.meeting.roll.cap_height)
            entries.append(
                compact_entry(
                    signed, self.meeting, leaf, index=index, proof=proof, ack_no=number, ack_time=ack_time
                )
            )
            record = BallotRecord(
                0, number, ack_time, leaf.claims, signed.digest, 1, 1, ballot.ses, dict(ballot.votes)
            )
            writes[key("ballot", MTG, voter.sub)] = record.encode(self.meeting)
            change.add(CountedBallot.of(record), None)
            word = Acknowledgement(
                self.meeting.mh, MTG, signed.digest, "AssociationMSP", number, self.ack_time
            )
            acknowledged = sign_acknowledgement(word, x5t(self.relay.certificate), self.relay.key).compact
            row: tuple[Any, ...] = (
                *(MTG, voter.sub, ballot.seq, signed.digest, signed.compact),
                canonical(votes_json(ballot.votes)).decode(),
                canonical(claims_json(leaf.claims)).decode(),
                *(ballot.ses, "AssociationMSP", number, self.ack_time, acknowledged, tx, block),
            )
            connection.execute(
                "INSERT INTO ballots (mtg, sub, seq, digest, jws, choices, claims, ses, door, ack_no,"
                " ack_time, ack_jws, tx, block, status) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,'committed')",
                row,
            )
            session = voter.session(self.term).as_json()
            values = [session[name] for name in list(session)[1:]]
            connection.execute("INSERT INTO sessions VALUES (?,?,?,?,?,?,?,?,?,?,'','recorded')", values)
        writes[key("subtotal", MTG, tx)] = change.encode()
        reads: dict[str, tuple[int, int] | None] = {
            key("meeting", MTG): (1, 0),
            key("cap", MTG): (1, 0),
            key("state", MTG): self.stated,
            key("amendments", MTG): None,
        }
        reads |= {key("ballot", MTG, voter.sub): None for voter in voters}
        arguments = [b"SubmitBallots", encode_batch(MTG, entries)]
        self._run(self.chain, self.relay, arguments, verdicts(len(voters)), writes, reads)

    @staticmethod
    def _run(  # noqa: PLR0917
        chain: Chain,
        creator: Signer,
        arguments: Sequence[bytes],
        response: bytes,
        writes: Mapping[str, bytes | None],
        reads: Mapping[str, tuple[int, int] | None] | None = None,
    ) -> None:
        chaincode = "identity" if chain.channel == "identity" else "arbitration"
        chain.add(chain.invoke(creator, chaincode, arguments, response=response, writes=writes, reads=reads))
