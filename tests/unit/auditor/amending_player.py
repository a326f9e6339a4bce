"""Amends the roll of a played meeting: writes what honest chaincode writes, by a naive second counting."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cbor2

from client.encodings.amendment import Amended, Amendment, Change, Entitlement
from client.encodings.entries import amended_entry
from tests.unit.auditor.lenders import canonical, key
from tests.unit.auditor.meeting_player import MTG, Player, unpadded
from tests.vectors.amendment_file import DECISION, overlay_bytes
from tests.vectors.scene import ACK_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from client.encodings.batch import AmendedEntry
    from client.encodings.leaf import Claim
    from tests.unit.auditor.builder import Signer
    from tests.vectors.scene import Lender


class AmendingPlayer(Player):
    lenders: dict[str, Amended]
    number: int = 0

    def amendment(self, **after: tuple[Claim, ...]) -> Amendment:
        """An amendment to these claims by lender's name, none for one taken off the roll."""
        changes = [
            Change(
                self.scene.lenders[name].sub,
                Entitlement(claims) if (claims := self.scene.lenders[name].claims) else None,
                Entitlement(wanted) if wanted else None,
            )
            for name, wanted in after.items()
        ]
        ordered = tuple(sorted(changes, key=lambda change: change.sub))
        return Amendment(MTG, self.number + 1, "2026-03-04T09:00:00Z", "corrected", DECISION, ordered)

    def propose(self, made: Amendment, by: Signer | None = None) -> AmendingPlayer:
        proposer = by or self.officer
        self.run(
            proposer,
            [b"ProposeAmendment", made.encode()],
            canonical({"v": 1, "mtg": MTG, "no": made.no, "digest": made.digest}),
            {key("amendment", MTG): self._record(made, proposer, proposer)},
        )
        return self

    def _record(self, made: Amendment, proposer: Signer, signer: Signer) -> bytes:
        tx = self.chain.next_transaction_id(signer)
        text = b'{"by":"%s","digest":"%s","document":%s,"tx":"%s","v":1}'
        return text % (proposer.msp_id.encode(), made.digest.encode(), made.encode(), tx.encode())

    def confirm(
        self,
        made: Amendment,
        *,
        by: Signer | None = None,
        change: Mapping[str, bytes | None] | None = None,
        unread: Sequence[str] = (),
    ) -> AmendingPlayer:
        """Confirm an amendment; `change` forges writes (None: left out), `unread` leaves out looks."""
        signer = by or self.regulator
        tx = self.chain.next_transaction_id(signer)
        names = {one.sub: name for name, one in self.scene.lenders.items()}
        known = {} if self.number == 0 else self.lenders
        before = dict(self.held)
        writes: dict[str, bytes | None] = {
            key("amended", MTG, str(made.no)): self._record(made, self.officer, signer),
            key("amendment", MTG): None,
        }
        cast = []
        for one in made.changes:
            claims = one.after.claims if one.after else ()
            first = known[one.sub].before if one.sub in known else one.before
            known = {**known, one.sub: Amended(first, one.after)}
            name = names[one.sub]
            self._weigh(one)
            lender = self._rewrite(name, claims)
            if name in self.held:
                cast.append(name)
                self.held[name] = (lender, self.held[name][1])
                writes[key("ballot", MTG, one.sub)] = self.standing(name)
        writes[key("amendments", MTG)] = overlay_bytes(made.no, known, self.scene.meeting)
        if cast:
            writes[key("subtotal", MTG, tx)] = self.subtotal(before, cast)
            self.subtotals += 1
        self.lenders, self.number = known, made.no
        reads = [key(kind, MTG) for kind in ("meeting", "state", "amendment", "amendments")]
        reads += [key("ballot", MTG, one.sub) for one in made.changes]
        forged = writes | {name: value for name, value in (change or {}).items() if value is not None}
        for name, value in (change or {}).items():
            if value is None:
                del forged[name]
        self.run(
            signer,
            [b"ConfirmAmendment", MTG.encode(), made.digest.encode()],
            canonical({"v": 1, "mtg": MTG, "no": made.no, "reweighed": len(cast)}),
            forged,
            [name for name in reads if name not in unread],
        )
        return self

    def amend(self, **after: tuple[Claim, ...]) -> AmendingPlayer:
        made = self.amendment(**after)
        return self.propose(made).confirm(made)

    def standing(self, name: str) -> bytes:
        """The ballot that stands, with the claims that it counts with now."""
        lender, signed = self.held[name]
        meeting = self.scene.meeting
        content = signed.ballot
        choices = [motion.choices.index(str(content.votes[motion.id])) for motion in meeting.motions]
        claims = [[meeting.class_index[one.cls], one.fen] for one in lender.claims]
        digest, ses = unpadded(signed.digest), unpadded(content.ses)
        return cbor2.dumps([1, 0, self.numbers[name], ACK_TIME, claims, digest, 1, content.seq, ses, choices])

    def _rewrite(self, name: str, claims: tuple[Claim, ...]) -> Lender:
        lender = replace(self.scene.lenders[name], claims=claims)
        self.scene.lenders = {**self.scene.lenders, name: lender}
        return lender

    def _weigh(self, change: Change) -> None:
        roll = self.scene.meeting.roll
        whole = self.amended_roll or {"heads": roll.heads, "fen": roll.fen}
        for side, sign in ((change.before, -1), (change.after, 1)):
            if side is not None:
                whole["heads"] += sign
                whole["fen"] += sign * sum(claim.fen for claim in side.claims)
        self.amended_roll = whole

    def by_amendment(self, name: str, number: int) -> AmendedEntry:
        """The entry of a lender whose leaf an amendment has."""
        return amended_entry(self.ballot(name), self.scene.meeting, ack_no=number, ack_time=ACK_TIME)
