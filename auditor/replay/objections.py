"""Replay of objections, of the institution's answers and of the arbitration commission's awards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.replay.effect import Effect, composite
from auditor.replay.mandates import number_in, verify_signed
from client.encodings import jcs, times
from client.encodings.errors import Refused
from client.encodings.objection_record import AnswerRecord, AwardRecord, Dispute, ObjectionRecord

if TYPE_CHECKING:
    from auditor.replay.meetings import MeetingState
    from auditor.replay.people import People
    from auditor.transactions import Endorsed, Transaction
    from client.encodings.award import Answer, Award
    from client.encodings.objection import SignedObjection

MAX_OBJECTIONS = 16
"""How many a lender may file at a meeting."""
_STATES = ("announced", "open", "closing", "closed", "objections")


def verify_ack_time(encoded: bytes) -> str:
    """Return the time at which a door says that it had an objection; refuse with ACK_TIME."""
    text = encoded.decode("utf-8", "replace")
    if not times.is_time(text):
        raise Refused("ACK_TIME", text)
    return text


def file_objection(
    state: MeetingState, people: People, endorsed: Endorsed, signed: SignedObjection, ack_time: str
) -> Effect:
    """Work out what a FileObjection had to do; refuses where it had to fail."""
    transaction, meeting, said = endorsed.transaction, state.record, signed.objection
    if said.mh != meeting.mh:
        raise Refused("OBJECTION_MEETING", meeting.mh)
    key, count = composite("objection", meeting.mtg, said.obj), composite("objector", meeting.mtg, said.sub)
    effect = Effect(reads=_reads(state) | {key})
    held = state.disputes.get(said.obj)
    if held is not None:
        if held.filed.signed.digest != signed.digest:
            raise Refused("OBJECTION_EXISTS", said.obj)
        effect.response = held.filed.encode()
        return effect
    _verify_goes_on(state)
    if times.parse(ack_time) > times.parse(meeting.objections_until):
        raise Refused("OBJECTION_LATE", ack_time)
    # As it was when the endorsers looked, whatever came later (step 17).
    rev = number_in(transaction.written(key), "enr")
    enrolment = people.at_revision(said.sub, rev) or people.enrolment(said.sub)
    if enrolment is None:
        raise Refused("ENROLMENT_NOT_FOUND")
    verify_signed(signed, enrolment, meeting)
    effect.reads.add(count)
    filed = state.objectors.get(said.sub, 0)
    if filed >= MAX_OBJECTIONS:
        raise Refused("OBJECTION_LIMIT", f"{filed} are filed")
    state.objectors[said.sub] = filed + 1
    effect.writes[count] = jcs.dumps({"v": 1, "n": filed + 1})
    effect.writes[composite("undecided", meeting.mtg, said.obj)] = _outstanding(said.obj)
    record = ObjectionRecord(signed, endorsed.creator.msp_id, ack_time, enrolment.rev, transaction.tx_id)
    state.disputes[said.obj] = Dispute(record)
    effect.response = effect.writes[key] = record.encode()
    return effect


def answer_objection(state: MeetingState, transaction: Transaction, answer: Answer) -> Effect:
    """Work out what an AnswerObjection had to do; refuses where it had to fail."""
    dispute, effect = _dispute(state, answer.obj)
    if dispute.answer is not None:
        if dispute.answer.answer != answer:
            raise Refused("OBJECTION_ANSWERED", answer.obj)
        effect.response = dispute.answer.encode()
        return effect
    if dispute.award is not None:
        raise Refused("OBJECTION_DECIDED", answer.obj)
    _verify_goes_on(state)
    record = AnswerRecord(answer, transaction.tx_id)
    state.disputes[answer.obj] = replace(dispute, answer=record)
    effect.response = effect.writes[composite("answer", answer.mtg, answer.obj)] = record.encode()
    return effect


def decide_objection(state: MeetingState, transaction: Transaction, award: Award) -> Effect:
    """Work out what a DecideObjection had to do; refuses where it had to fail."""
    dispute, effect = _dispute(state, award.obj)
    if dispute.award is not None:
        if dispute.award.award != award:
            raise Refused("OBJECTION_DECIDED", award.obj)
        effect.response = dispute.award.encode()
        return effect
    _verify_goes_on(state)
    effect.reads.add(composite("audit", award.mtg))
    anchor = state.anchors[-1].tx if state.anchors else ""
    record = AwardRecord(award, anchor, transaction.tx_id)
    state.disputes[award.obj] = replace(dispute, award=record)
    effect.writes[composite("undecided", award.mtg, award.obj)] = None
    # A recount is met by any audit but the one that stands: its key has that one. Without, the first does.
    until = anchor if award.remedy == "recount" else award.remedy if award.remedy == "revote" else ""
    if until:
        effect.writes[composite("remedy", award.mtg, until, award.obj)] = _outstanding(award.obj)
    effect.response = effect.writes[composite("award", award.mtg, award.obj)] = record.encode()
    return effect


def _dispute(state: MeetingState, obj: str) -> tuple[Dispute, Effect]:
    dispute = state.disputes.get(obj)
    if dispute is None:
        raise Refused("OBJECTION_NOT_FOUND", obj)
    keys = {composite(kind, state.record.mtg, obj) for kind in ("objection", "answer", "award")}
    return dispute, Effect(reads=_reads(state) | keys)


def _outstanding(obj: str) -> bytes:
    return jcs.dumps({"v": 1, "obj": obj})


def _verify_goes_on(state: MeetingState) -> None:
    if state.state not in _STATES:
        raise Refused("MEETING_STATE", state.state)


def _reads(state: MeetingState) -> set[str]:
    return {composite(kind, state.record.mtg) for kind in ("meeting", "state")}
