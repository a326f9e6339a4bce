"""Replay of the arbitration chaincode: meetings, their steps, their ballots, their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import ReplayError
from auditor.facts import Facts
from auditor.replay.amending import confirm_amendment
from auditor.replay.amendments import PendingAmendment
from auditor.replay.anchors import anchor_audit, short_head
from auditor.replay.batch import BatchReplay
from auditor.replay.claimed import ResponseMalformedError, parse_claimed
from auditor.replay.effect import STEP_WRITES, Effect, composite
from auditor.replay.kept import meeting_tables
from auditor.replay.mandates import MandatesReplay, parse_mandates, revoke_mandate
from auditor.replay.meetings import (
    MeetingState,
    parse_cap,
    pending_step,
    state_record,
    step_record,
    successor_record,
    verify_replaces,
)
from auditor.replay.objections import answer_objection, decide_objection, file_objection, verify_ack_time
from auditor.replay.reading import Readings, read_batch
from auditor.rules import result_bytes, tally
from auditor.store import InMemory
from client.encodings import jcs
from client.encodings.amendment import parse_amendment
from client.encodings.anchor import parse_anchor
from client.encodings.award import Answer, Award
from client.encodings.batch import decode_batch
from client.encodings.errors import Refused
from client.encodings.meeting import parse_meeting
from client.encodings.objection import parse_objection
from client.encodings.step import parse_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.facts import Fact
    from auditor.replay.authority import Offices
    from auditor.replay.claimed import Claimed
    from auditor.replay.people import People
    from auditor.store import Tables
    from auditor.transactions import Endorsed, Transaction
    from client.encodings.step import Step

STEP_NETWORK = 19
STEP_RESULT = 20


class ArbitrationReplay:
    """One arbitration channel's meetings, worked out from its transactions and from `identity`."""

    def __init__(
        self,
        channel: str,
        people: People,
        offices: Offices,
        genesis: Mapping[str, bytes],
        tables: Tables | None = None,
    ) -> None:
        """Replay a channel by what `people` has of `identity`; `tables` keep what grows with ballots."""
        self._tables = tables or InMemory()
        self.meetings: dict[str, MeetingState] = {}
        self.facts = Facts()
        self._readings = Readings()
        self._channel = channel
        self._people = people
        self._offices = offices
        self._genesis = {name: genesis[name].hex() for name in ("identity", channel)}

    def effect(self, endorsed: Endorsed) -> Effect:
        """Return what the transaction had to answer and write; raises Refused where it had to fail."""
        name, *arguments = endorsed.transaction.arguments or (b"",)
        functions: dict[tuple[bytes, int], Callable[..., Effect]] = {
            (b"ProposeMeeting", 2): self._propose_meeting,
            (b"ConfirmMeeting", 2): self._confirm_meeting,
            (b"ProposeStep", 2): self._propose_step,
            (b"ConfirmStep", 2): self._confirm_step,
            (b"ProposeAmendment", 1): self._propose_amendment,
            (b"ConfirmAmendment", 2): self._confirm_amendment,
            (b"SubmitBallots", 1): self._submit_ballots,
            (b"RecordMandates", 2): self._record_mandates,
            (b"RevokeMandate", 2): self._revoke_mandate,
            (b"AnchorAudit", 1): self._anchor_audit,
            (b"FileObjection", 2): self._file_objection,
            (b"AnswerObjection", 1): self._answer_objection,
            (b"DecideObjection", 1): self._decide_objection,
        }
        function = functions.get((name, len(arguments)))
        if function is None:
            raise Refused("ARGUMENT_FORMAT")
        return function(endorsed, *arguments)

    def ask(self, transaction: Transaction) -> list[Fact]:
        """Return what a transaction's effect will depend on and somebody else may verify before."""
        match transaction.arguments:
            case (b"SubmitBallots", encoded):
                return self._readings.ask(encoded, self.meetings, self._people)
        return []

    def _meeting(self, mtg: bytes | str) -> MeetingState:
        name = mtg if isinstance(mtg, str) else mtg.decode("utf-8", "replace")
        state = self.meetings.get(name)
        if state is None:
            raise Refused("MEETING_NOT_FOUND", name)
        return state

    def _propose_meeting(self, endorsed: Endorsed, record: bytes, cap: bytes) -> Effect:
        meeting = parse_meeting(record)
        if meeting.channel != self._channel:
            raise Refused("MEETING_FORMAT", f"{meeting.institution} has no meetings on {self._channel}")
        if endorsed.creator.msp_id != meeting.institution:
            raise Refused("NOT_AUTHORISED")
        nodes = parse_cap(meeting, cap)
        verify_replaces(meeting, self.meetings)
        if meeting.mtg in self.meetings:
            raise Refused("MEETING_EXISTS", meeting.mtg)
        state = self.meetings[meeting.mtg] = MeetingState(
            meeting, nodes, **meeting_tables(self._tables, f"{self._channel}/{meeting.mtg}")
        )
        effect = Effect(
            writes={composite("meeting", meeting.mtg): record, composite("cap", meeting.mtg): cap}
        )
        if dict(meeting.genesis) != self._genesis:
            effect.findings.append(
                ReplayError(
                    STEP_NETWORK,
                    endorsed.transaction.where,
                    f"the record of {meeting.mtg} names other networks than the pinned ones",
                    expected=self._genesis,
                    found=dict(meeting.genesis),
                )
            )
        return self._announce(endorsed, state, "draft", effect)

    def _confirm_meeting(self, endorsed: Endorsed, mtg: bytes, mh: bytes) -> Effect:
        state = self._meeting(mtg)
        if endorsed.creator.msp_id == state.record.institution:
            raise Refused("NOT_AUTHORISED")
        if state.state != "draft":
            raise Refused("MEETING_STATE", state.state)
        if state.record.mh.encode() != mh:
            raise Refused("STEP_MISMATCH", state.record.mh)
        verify_replaces(state.record, self.meetings)
        effect = Effect()
        if state.record.replaces is not None:
            before = state.record.replaces.mtg
            key = composite("successor", before)
            effect.reads |= {key, composite("state", before)}
            effect.writes[key] = successor_record(state.record.mtg, endorsed.transaction.tx_id)
            self.meetings[before].successor = state.record.mtg
        return self._announce(endorsed, state, "announced", effect)

    def _announce(self, endorsed: Endorsed, state: MeetingState, to: str, effect: Effect) -> Effect:
        state.state = to
        mtg = state.record.mtg
        effect.writes[composite("state", mtg)] = state_record(to, endorsed.transaction.tx_id)
        effect.response = jcs.dumps({"v": 1, "mtg": mtg, "mh": state.record.mh, "state": to})
        return effect

    def _propose_step(self, endorsed: Endorsed, mtg: bytes, encoded: bytes) -> Effect:
        pending, step = pending_step(endorsed.creator.msp_id, encoded)
        state = self._meeting(mtg)
        state.verify_step(step)
        state.step = pending
        name = state.record.mtg
        return Effect(
            jcs.dumps({"v": 1, "mtg": name, "to": step.to, "digest": pending.digest}),
            {composite("step", name): step_record(pending, endorsed.transaction.tx_id)},
        )

    def _confirm_step(self, endorsed: Endorsed, mtg: bytes, digest: bytes) -> Effect:
        state = self._meeting(mtg)
        if state.step is None:
            raise Refused("STEP_NOT_PROPOSED")
        if state.step.by == endorsed.creator.msp_id:
            raise Refused("NOT_AUTHORISED")
        if state.step.digest.encode() != digest:
            raise Refused("STEP_MISMATCH", state.step.digest)
        step = parse_step(state.step.encoded)
        state.verify_step(step)
        effect = Effect(writes={composite("step", state.record.mtg): None})
        if step.to == "closed":
            self._close(endorsed, state, step, effect)
        if step.to == "certified":
            effect.findings += short_head(state, endorsed.transaction)
        state.step = None
        return self._announce(endorsed, state, step.to, effect)

    def _close(self, endorsed: Endorsed, state: MeetingState, step: Step, effect: Effect) -> None:
        """Step 20: the result is the one that the ballots give, counted anew."""
        counted = tally(state.amended, state.counted())
        if (step.ballots, step.subtotals) != (counted.ballots, state.subtotals):
            raise Refused("CLOSE_COUNT", f"{counted.ballots} ballots in {state.subtotals} subtotals")
        state.tally = counted
        state.result = result_bytes(state.amended, counted)
        key = composite("result", state.record.mtg)
        effect.writes[key] = state.result
        written = endorsed.transaction.written(key)
        if written != state.result:
            effect.findings.append(
                ReplayError(
                    STEP_RESULT,
                    endorsed.transaction.where,
                    f"the result of {state.record.mtg} is not the one that its ballots give",
                    expected=state.result.decode(),
                    found=(written or b"nothing").decode("utf-8", "replace"),
                )
            )

    def _propose_amendment(self, endorsed: Endorsed, encoded: bytes) -> Effect:
        amendment = parse_amendment(encoded)
        state = self._meeting(amendment.mtg)
        state.amend(amendment)
        state.amendment = PendingAmendment(endorsed.creator.msp_id, encoded)
        record = state.amendment.record(endorsed.transaction.tx_id)
        answer = {"v": 1, "mtg": amendment.mtg, "no": amendment.no, "digest": state.amendment.digest}
        return Effect(jcs.dumps(answer), {composite("amendment", amendment.mtg): record})

    def _confirm_amendment(self, endorsed: Endorsed, mtg: bytes, digest: bytes) -> Effect:
        state = self._meeting(mtg)
        pending = state.amendment
        if pending is None:
            raise Refused("AMENDMENT_MISMATCH", "none is waiting")
        if pending.by == endorsed.creator.msp_id:
            raise Refused("NOT_AUTHORISED")
        if pending.digest.encode() != digest:
            raise Refused("AMENDMENT_MISMATCH", pending.digest)
        return confirm_amendment(state, pending, endorsed.transaction.tx_id)

    def _submit_ballots(self, endorsed: Endorsed, encoded: bytes) -> Effect:
        transaction, door = endorsed.transaction, endorsed.creator.msp_id
        reading = self._readings.take(encoded)
        batch = decode_batch(encoded) if reading is None else reading.batch
        state = self._meeting(batch.mtg)
        if reading is None or reading.mh != state.record.mh:
            reading = read_batch(batch, state.record)
        if not state.takes_ballots(door, self._offices.regulator):
            raise Refused("MEETING_NOT_OPEN", state.state)
        claims = _claims(transaction)
        second = door == self._offices.regulator
        one = BatchReplay(state, self._people, transaction, door, second, claims, self.facts)
        return one.run(reading)

    def _record_mandates(self, endorsed: Endorsed, mtg: bytes, mandates: bytes) -> Effect:
        texts, transaction = parse_mandates(mandates), endorsed.transaction
        state = self._meeting(mtg)
        return MandatesReplay(state, self._people, transaction, _claims(transaction)).run(texts)

    def _revoke_mandate(self, endorsed: Endorsed, mtg: bytes, revocation: bytes) -> Effect:
        text = revocation.decode("utf-8", "replace")
        return revoke_mandate(self._meeting(mtg), self._people, endorsed.transaction, text)

    def _anchor_audit(self, endorsed: Endorsed, document: bytes) -> Effect:
        anchor = parse_anchor(document)
        return anchor_audit(self._meeting(anchor.mtg), endorsed, anchor)

    def _file_objection(self, endorsed: Endorsed, objection: bytes, ack_time: bytes) -> Effect:
        signed = parse_objection(objection.decode("utf-8", "replace"))
        time = verify_ack_time(ack_time)
        return file_objection(self._meeting(signed.objection.mtg), self._people, endorsed, signed, time)

    def _answer_objection(self, endorsed: Endorsed, document: bytes) -> Effect:
        answer = Answer.parse(document)
        return answer_objection(self._meeting(answer.mtg), endorsed.transaction, answer)

    def _decide_objection(self, endorsed: Endorsed, document: bytes) -> Effect:
        award = Award.parse(document)
        return decide_objection(self._meeting(award.mtg), endorsed.transaction, award)


def _claims(transaction: Transaction) -> Claimed:
    try:
        return parse_claimed(transaction.response)
    except ResponseMalformedError as error:
        message = f"its response is no list of verdicts: {error}"
        raise ReplayError(STEP_WRITES, transaction.where, message) from error
