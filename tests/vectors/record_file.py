"""record.json: ballots as the channel holds them, and bytes that are none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cbor2

from client.encodings import times
from client.encodings.ballot import votes_json
from client.encodings.ballot_record import BallotRecord
from client.encodings.leaf import claims_json
from tests.vectors.scene import ACK_TIME, random_id, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

DOORS = ("AssociationMSP", "RegulatorMSP")


def record_json(held: BallotRecord) -> dict[str, Any]:
    """Return what `GetBallot` answers for a record."""
    value: dict[str, Any] = {
        "v": 1,
        "ack": {"door": DOORS[held.door], "no": held.ack_no, "time": times.form(held.ack_time)},
        "claims": claims_json(held.claims),
        "digest": held.digest,
        "enr": held.rev,
        "seq": held.seq,
        "ses": held.ses,
        "votes": votes_json(held.votes),
    }
    if held.excluded:
        value["excluded"] = list(held.excluded)
    return value if held.proxy is None else value | {"proxy": held.proxy}


def _record(scene: str, lender: str, **changes: Any) -> BallotRecord:
    stage = scenes()[scene]
    voter = stage.lenders[lender]
    signed, leaf = stage.signed(voter), stage.leaf(voter)
    return replace(
        BallotRecord(
            door=0,
            ack_no=1,
            ack_time=ACK_TIME,
            claims=leaf.claims,
            digest=signed.digest,
            rev=1,
            seq=1,
            ses=signed.ballot.ses,
            votes=signed.ballot.votes,
            excluded=leaf.excluded,
        ),
        **changes,
    )


def _accept() -> Iterator[tuple[str, str, BallotRecord]]:
    yield "one claim", "plain", _record("plain", "an")
    yield "two claims", "plain", _record("plain", "bo")
    yield "the second door", "plain", _record("plain", "chen", door=1)
    largest = {"ack_no": 2**53 - 1, "rev": 2**53 - 1, "seq": 1000}
    yield "the largest numbers", "plain", _record("plain", "an", **largest)
    yield "several chosen", "revote", _record("revote", "an")
    yield "a disputed claim, excluded from a motion", "special", _record("special", "bo")
    yield "excluded from two motions", "special", _record("special", "chen")
    yield "by proxy", "special", _record("special", "an", proxy=random_id("a proxy"))
    yield "excluded, by proxy", "special", _record("special", "chen", proxy=random_id("a proxy"))


def _reject() -> Iterator[tuple[str, str, Any]]:
    good = cbor2.loads(_record("plain", "an").encode(scenes()["plain"].meeting))

    def but(position: int, item: Any) -> list[Any]:
        return [*good[:position], item, *good[position + 1 :]]

    yield "nothing", "plain", []
    yield "version 2", "plain", but(0, 2)
    yield "an unknown door", "plain", but(1, 2)
    yield "a door by name", "plain", but(1, "AssociationMSP")
    yield "a member less", "plain", good[:-1]
    yield "a member more", "plain", [*good, []]
    yield "neither excluded nor by proxy, but written", "plain", [*good, [], b""]
    yield "a digest of 31 bytes", "plain", but(5, good[5][:31])
    yield "a session id of 15 bytes", "plain", but(8, good[8][:15])
    yield "an unknown class", "plain", but(4, [[9, 1]])
    yield "an unknown choice", "plain", but(9, [0, 9])
    yield "a vote too few", "plain", but(9, [0])
    yield "an unknown motion excluded", "plain", [*good, [9], b""]
    yield "a proxy of 15 bytes", "plain", [*good, [], bytes(15)]


def record() -> dict[str, Any]:
    """Return the file's value."""
    return {
        "v": 1,
        "accept": [
            {
                "name": name,
                "meeting": meeting,
                "record": held.encode(scenes()[meeting].meeting).hex(),
                "ballot": record_json(held),
            }
            for name, meeting, held in _accept()
        ],
        "reject": [
            {"name": name, "meeting": meeting, "record": cbor2.dumps(value).hex()}
            for name, meeting, value in _reject()
        ],
    }
