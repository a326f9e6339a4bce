"""Whole attacks on the chain, every hash and signature made right again that the attacker could."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cbor2

from auditor import protobuf as pb
from client.encodings import jcs, times
from client.encodings.ballot import sign_ballot
from client.encodings.batch import CompactEntry, encode_batch
from client.encodings.entries import compact_entry
from tests.tampering.case import Case
from tests.unit.auditor.config_builder import reconfigure
from tests.unit.auditor.config_changes import endorsed_by_one
from tests.unit.auditor.lenders import canonical, key, verdicts
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.vectors.scene import ACK_TIME, CLOSES_AT

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.unit.auditor.builder import Chain

    Attack = Callable[["Attacker", random.Random], tuple[str, set[int]]]

ABSENT = ("chen", "ding", "zeng")


class Attacker:
    """A meeting that is open, with ballots; each attack is played on it and then taken back."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self._kept = {name: copy.copy(getattr(player, name)) for name in ("held", "versions", "numbers")}
        self._counts = (player.subtotals, player.last_tx)
        self._chains = [
            (chain, list(chain.blocks), chain.nonces, chain.last_config, chain.config)
            for chain in (player.identity, player.chain)
        ]

    def attack(self, draw: random.Random) -> Case:
        made = draw.choice(ATTACKS)
        try:
            what, steps = made(self, draw)
            findings = self.player.follow().findings(CHANNEL)
            named = {f"step {one.step}" for one in findings}
        finally:
            self._restore()
        return Case(
            "attacks", f"{made.__name__}: {what}", frozenset(f"step {one}" for one in steps), frozenset(named)
        )

    def _restore(self) -> None:
        player = self.player
        for name, value in self._kept.items():
            setattr(player, name, copy.copy(value))
        player.subtotals, player.last_tx = self._counts
        player.__dict__.pop("result", None)
        for chain, blocks, nonces, last_config, config in self._chains:
            chain.blocks, chain.nonces = list(blocks), nonces
            chain.last_config, chain.config = last_config, config

    def chain(self, draw: random.Random) -> Chain:
        return draw.choice((self.player.identity, self.player.chain))

    def bring(self, entry: CompactEntry, name: str, **changes: Any) -> None:
        """Bring an entry as accepted, with the records that an accepted one leaves."""
        player = self.player
        signed = player.ballot(name)
        tx = player.chain.next_transaction_id(player.relay)
        before = dict(player.held)
        writes: dict[str, bytes | None] = {**player.accept(name, signed, entry.ack_no)}
        player.held[name] = (player.scene.lenders[name], signed)
        writes[key("subtotal", MTG, tx)] = player.subtotal(before, [name])
        arguments = [b"SubmitBallots", encode_batch(MTG, [entry])]
        player.run(player.relay, arguments, verdicts(1), writes | changes, player.looked_at(signed))

    def entry(self, name: str, number: int) -> CompactEntry:
        entry = self.player.entry(name, number)
        assert isinstance(entry, CompactEntry)
        return entry


# -- blocks ---------------------------------------------------------------------------------------------


def dropped_block(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    chain = attacker.chain(draw)
    number = draw.randrange(len(chain.blocks) - 1)
    del chain.blocks[number]
    return f"{chain.channel} {number}", {2 if number else 1}


def exchanged_blocks(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    chain = attacker.chain(draw)
    one, two = sorted(draw.sample(range(1, len(chain.blocks)), 2))
    chain.blocks[one], chain.blocks[two] = chain.blocks[two], chain.blocks[one]
    return f"{chain.channel} {one} and {two}", {2}


def repeated_block(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    chain = attacker.chain(draw)
    number = draw.randrange(1, len(chain.blocks))
    chain.blocks.insert(number, chain.blocks[number])
    return f"{chain.channel} {number}", {2}


def emptied_block(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    chain = attacker.chain(draw)
    number = draw.randrange(1, len(chain.blocks))
    block = pb.common.Block.FromString(chain.blocks[number])
    del block.data.data[:]
    chain.blocks[number] = block.SerializeToString()
    return f"{chain.channel} {number}", {3}


def forged_channel(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """The history from one block on written anew by two of four orderers, or by one who signs three times."""
    chain = attacker.chain(draw)
    number = draw.randrange(1, len(chain.blocks))
    envelopes = [list(pb.common.Block.FromString(one).data.data) for one in chain.blocks[number:]]
    names = list(chain.network.orderers)
    signers = draw.choice((draw.sample(names, 2), [draw.choice(names)] * 3, []))
    del chain.blocks[number:]
    for one in envelopes[:-1] or envelopes:
        chain.add(*one, signers=signers)
    return f"{chain.channel} from {number} by {signers}", {4}


# -- transactions ---------------------------------------------------------------------------------------


def replayed_transaction(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    chain = attacker.chain(draw)
    number = draw.randrange(1, len(chain.blocks))
    chain.add(*pb.common.Block.FromString(chain.blocks[number]).data.data)
    return f"{chain.channel} {number}", {11}


def too_few_endorsements(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    player = attacker.player
    by = draw.choice(
        (["AssociationMSP"], ["ArbitrationMSP"], ["InstitutionAMSP"], ["AssociationMSP"] * 2, [])
    )
    name = draw.choice(ABSENT)
    entries = [player.entry(name, 9)]
    writes = player.accept(name, player.ballot(name), 9)
    arguments = [b"SubmitBallots", encode_batch(MTG, entries)]
    player.chain.add(
        player.chain.invoke(
            player.relay, "arbitration", arguments, response=verdicts(1), writes=writes, endorsers=by
        )
    )
    return f"{name} by {by}", {10}


def false_creator(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    player = attacker.player
    msp, role = draw.choice(
        (("ArbitrationMSP", "relay"), ("AssociationMSP", "officer"), ("RegulatorMSP", "auditor"))
    )
    player.submit([(draw.choice(ABSENT), 9, {})], by=player.chain.network.person(msp, role))
    return f"{msp} {role}", {14}


# -- ballots --------------------------------------------------------------------------------------------


def dropped_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """Endorsed and answered as accepted, its record left out (so that no revision is named either)."""
    player, name = attacker.player, draw.choice(ABSENT)
    player.submit([(name, 9, {})], change={key("ballot", MTG, player.scene.lenders[name].sub): None})
    return name, {15, 16}


def injected_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """A lender's record written beside another's, without any ballot."""
    player = attacker.player
    name, other = draw.sample(ABSENT, 2)
    player.submit([(name, 9, {})], change=player.accept(other, player.ballot(other), 10))
    return f"{other} beside {name}", {15}


def unsigned_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """A ballot for a lender who stays silent, under a signature that is none of theirs."""
    name = draw.choice(ABSENT)
    attacker.bring(replace(attacker.entry(name, 9), signature=draw.randbytes(64)), name)
    return name, {15, 16}


def stolen_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """A ballot for a lender who stays silent, signed by another lender."""
    player = attacker.player
    name, thief = draw.sample(ABSENT, 2)
    scene = player.scene
    lender, hand = scene.lenders[name], scene.lenders[thief]
    signed = sign_ballot(player.ballot(name).ballot, lender.x5t, hand.key)
    place: dict[str, Any] = {
        "index": scene.index(lender),
        "proof": scene.proof(lender),
        "ack_no": 9,
        "ack_time": ACK_TIME,
    }
    attacker.bring(compact_entry(signed, scene.meeting, scene.leaf(lender), **place), name)
    return f"{name} by {thief}", {16}


def replayed_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """The ballot that stands, brought again as if it were new."""
    name = draw.choice(("an", "bo"))
    player = attacker.player
    signed = player.held[name][1]
    tx = player.chain.next_transaction_id(player.relay)
    entry = replace(attacker.entry(name, 9), ack_no=9)
    zeros = {**player.accept(name, signed, 9)}
    zeros[key("subtotal", MTG, tx)] = player.subtotal({}, [name])
    arguments = [b"SubmitBallots", encode_batch(MTG, [entry])]
    player.run(player.relay, arguments, verdicts(1), zeros, player.looked_at(signed))
    return name, {16}


def late_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """Acknowledged after the close, and taken all the same."""
    name = draw.choice(ABSENT)
    late = times.parse(CLOSES_AT) + 1 + draw.randrange(10**6)
    attacker.bring(replace(attacker.entry(name, 9), ack_time=late), name)
    return f"{name} at {times.form(late)}", {16}


def reweighted_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    player, name = attacker.player, draw.choice(ABSENT)
    where = key("ballot", MTG, player.scene.lenders[name].sub)
    record = cbor2.loads(player.accept(name, player.ballot(name), 9)[where])
    record[4][0][1] += draw.choice((1, 100, 10**9))
    player.submit([(name, 9, {})], change={where: cbor2.dumps(record)})
    return name, {15}


def altered_record(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """One bit of what an accepted ballot leaves behind."""
    player, name = attacker.player, draw.choice(ABSENT)
    where = key("ballot", MTG, player.scene.lenders[name].sub)
    record = bytearray(player.accept(name, player.ballot(name), 9)[where])
    place, bit = draw.randrange(len(record)), draw.randrange(8)
    record[place] ^= 1 << bit
    player.submit([(name, 9, {})], change={where: bytes(record)})
    return f"{name} byte {place} bit {bit}", {15, 16, 17}


def refused_ballot(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """A good ballot, refused."""
    player, name = attacker.player, draw.choice(ABSENT)
    code = draw.choice(("SIGNATURE_INVALID", "SESSION_EXPIRED", "LEAF_PATH"))
    answer = verdicts(0, refused=[[0, code, 1]])
    arguments = [b"SubmitBallots", encode_batch(MTG, [player.entry(name, 9)])]
    player.run(player.relay, arguments, answer, {}, player.looked_at(player.ballot(name)))
    return f"{name} {code}", {15, 16}


def number_given_twice(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    name, number = draw.choice(ABSENT), draw.choice((1, 2))
    attacker.player.submit([(name, number, {})])
    return f"{name} {number}", {18}


# -- results and configuration --------------------------------------------------------------------------


def forged_subtotal(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    player, name = attacker.player, draw.choice(ABSENT)
    where = key("subtotal", MTG, player.chain.next_transaction_id(player.relay))
    motion = draw.choice(("m1", "m2"))
    forged = {
        "v": 1,
        "ballots": 1,
        "present": {},
        "motions": {motion: {"reject": {"*": [1, draw.randrange(10**9)]}}},
    }
    player.submit([(name, 9, {})], change={where: canonical(forged)})
    return f"{name} {motion}", {15}


def forged_result(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    player = attacker.player
    value = json.loads(player.result())
    motion = draw.choice(("m1", "m2"))
    choice, cell = draw.choice(("approve", "reject", "abstain")), draw.randrange(2)
    value["motions"][motion]["choices"][choice]["*"][cell] += 1 + draw.randrange(10**6)
    if draw.randrange(2):
        value["motions"][motion]["passed"] = not value["motions"][motion]["passed"]
    player.__dict__["result"] = lambda: jcs.dumps(value)
    player.closed()
    return f"{motion} {choice}", {20}


def false_count_at_the_close(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    player = attacker.player
    name, by = draw.choice(("ballots", "subtotals")), draw.choice((-1, 1, 5))
    count: dict[str, Any] = {"ballots": len(player.held), "subtotals": player.subtotals}
    player.step("closing").step("closed", **{name: count[name] + by})
    return f"{name} {by:+}", {15}


def false_enrolment(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """A lender's certificate with one bit changed, written on `identity` by whoever may."""
    player = attacker.player
    lender = draw.choice(list(player.scene.lenders.values()))
    raw = bytearray(lender.certificate)
    place, bit = draw.randrange(len(raw)), draw.randrange(8)
    raw[place] ^= 1 << bit
    tx = player.identity.next_transaction_id(player.verifier)
    record = {**lender.enrolment(certificate=bytes(raw)).as_json(), "rev": 2, "tx": tx}
    asked = ("sub", "certificate", "institution", "method", "commitment")
    player._identity(
        player.verifier,
        [b"Enrol", canonical([{name: record[name] for name in asked}])],
        verdicts(1),
        {key("enrolment", lender.sub): canonical(record)},
    )
    return f"{lender.name} byte {place} bit {bit}", {15, 16}


def replaced_configuration(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    """One peer's word made enough, by whoever signs."""
    chain = attacker.chain(draw)
    names = sorted(chain.network.admins)
    by = draw.sample(names, draw.randrange(1, 5))
    reconfigure(chain, endorsed_by_one, by)
    return f"{chain.channel} by {by}", {5}


def configuration_without_the_regulator(attacker: Attacker, draw: random.Random) -> tuple[str, set[int]]:
    chain = attacker.chain(draw)
    others = sorted(name for name in chain.network.admins if name != "RegulatorMSP")
    by = draw.sample(others, draw.randrange(1, 4))
    size = 1 + draw.randrange(400)

    def smaller(root: pb.Message) -> None:
        value = pb.orderer_configuration.BatchSize(max_message_count=size)
        root.groups["Orderer"].values["BatchSize"].value = value.SerializeToString()

    reconfigure(chain, smaller, by)
    return f"{chain.channel} by {by}", {5}


ATTACKS: tuple[Attack, ...] = (
    dropped_block,
    exchanged_blocks,
    repeated_block,
    emptied_block,
    forged_channel,
    replayed_transaction,
    too_few_endorsements,
    false_creator,
    dropped_ballot,
    injected_ballot,
    unsigned_ballot,
    stolen_ballot,
    replayed_ballot,
    late_ballot,
    reweighted_ballot,
    altered_record,
    refused_ballot,
    number_given_twice,
    forged_subtotal,
    forged_result,
    false_count_at_the_close,
    false_enrolment,
    replaced_configuration,
    configuration_without_the_regulator,
)
