"""Replay of the identity chaincode: issuers, enrolments, identity checks, revocations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.ahead import ReadAhead
from auditor.facts import Facts
from auditor.replay.authority import Offices
from auditor.replay.effect import Effect, composite
from auditor.replay.people import (
    Certified,
    Enrolment,
    Issuer,
    People,
    Session,
    has_p256_key,
    is_ca,
    is_institution,
    load_whole,
    parse_enrolment,
    parse_session,
    standard_base64,
    verify_issued,
    verify_lender,
)
from auditor.replay.verdicts import Verdicts
from client.encodings import certificates, jcs
from client.encodings.errors import Refused
from client.encodings.ids import is_first, is_random_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.facts import Fact
    from auditor.transactions import Endorsed, Transaction

_MAX_DOCUMENTS = 4_000_000
_MAX_REASON = 500

_Item = TypeVar("_Item", Enrolment, Session)


@dataclass(slots=True)
class IdentityReplay:
    """Works out the effect of each transaction, and takes over the records that it makes."""

    offices: Offices = field(default_factory=Offices)
    people: People = field(default_factory=People)
    facts: Facts = field(default_factory=Facts)
    _ahead: ReadAhead[list[Enrolment | Refused]] = field(default_factory=ReadAhead)

    def effect(self, endorsed: Endorsed) -> Effect:
        """Return what the transaction had to answer and write; raises Refused where it had to fail."""
        match endorsed.transaction.arguments:
            case (b"ProposeIssuer", document):
                return self._propose_issuer(endorsed, document)
            case (b"ConfirmIssuer", institution, x5t):
                return self._confirm_issuer(endorsed, institution, x5t)
            case (b"Enrol", documents):
                return self._enrol(endorsed, documents)
            case (b"RecordSessions", documents):
                return self._record_sessions(endorsed, documents)
            case (b"Revoke", document):
                return self._revoke(endorsed, document)
        raise Refused("ARGUMENT_FORMAT")

    def ask(self, transaction: Transaction) -> list[Fact]:
        """Return what a transaction's effect will depend on and somebody else may verify before."""
        match transaction.arguments:
            case (b"Enrol", documents):
                return list(self._certified(documents))
        return []

    def _certified(self, documents: bytes) -> Iterator[Fact]:
        """Yield what will be looked at of the items that can be read; they are kept for when it is."""
        enrolments = self._enrolments(documents)
        self._ahead.put(documents, enrolments)
        for asked in enrolments:
            issuer = None if isinstance(asked, Refused) else self.people.issuers.get(asked.institution)
            if issuer is not None and not isinstance(asked, Refused):
                yield Certified(asked.sub, asked.certificate, issuer.certificate)

    def _enrolments(self, documents: bytes) -> list[Enrolment | Refused]:
        """Return each item of Enrol, or the refusal that it gets for its form."""
        return [_read(item, parse_enrolment, self.offices) for item in _items(documents)]

    def _propose_issuer(self, endorsed: Endorsed, document: bytes) -> Effect:
        value = _parsed(document, "ISSUER_FORMAT")
        if not isinstance(value, dict) or value.keys() != {"v", "institution", "certificate"}:
            raise Refused("ISSUER_FORMAT")
        institution, certificate = value["institution"], value["certificate"]
        if not is_first(value["v"]) or not isinstance(institution, str) or not isinstance(certificate, str):
            raise Refused("ISSUER_FORMAT")
        if endorsed.creator.msp_id != institution:
            raise Refused("NOT_AUTHORISED")
        der = standard_base64(certificate)
        root = load_whole(certificate)
        if not is_ca(root) or not has_p256_key(root) or root.not_valid_before_utc >= root.not_valid_after_utc:
            raise Refused("ISSUER_FORMAT")
        verify_issued(root, root)
        held = self.people.issuers.get(institution)
        if held is not None and held.status == "confirmed":
            raise Refused("ISSUER_EXISTS")
        x5t = certificates.thumbprint(der)
        return self._issuer(Issuer(institution, certificate, x5t, "proposed", endorsed.transaction.tx_id))

    def _confirm_issuer(self, endorsed: Endorsed, institution: bytes, x5t: bytes) -> Effect:
        held = self.people.issuers.get(institution.decode("utf-8", "replace"))
        if held is None or not is_institution(held.institution, self.offices):
            raise Refused("ISSUER_NOT_FOUND")
        if held.status == "confirmed":
            raise Refused("ISSUER_EXISTS")
        if endorsed.creator.msp_id == held.institution:
            raise Refused("NOT_AUTHORISED")
        if held.x5t.encode() != x5t:
            raise Refused("STEP_MISMATCH")
        return self._issuer(replace(held, status="confirmed", tx=endorsed.transaction.tx_id))

    def _issuer(self, issuer: Issuer) -> Effect:
        self.people.issuers[issuer.institution] = issuer
        value = issuer.encode()
        return Effect(value, {composite("issuer", issuer.institution): value})

    def _enrol(self, endorsed: Endorsed, documents: bytes) -> Effect:
        effect, verdicts = Effect(), Verdicts()
        enrolments = self._ahead.take(documents) or self._enrolments(documents)
        self.people.read_ahead((one.sub for one in enrolments if isinstance(one, Enrolment)), ())
        for index, asked in enumerate(enrolments):
            held: Enrolment | None = None
            try:
                if isinstance(asked, Refused):
                    raise asked
                verify_lender(asked, self.people.issuers.get(asked.institution), self.facts)
                held = self.people.enrolment(asked.sub)
                rev = _next_revision(held, asked)
            except Refused as refusal:
                verdicts.refused.append((index, refusal.code, held.rev if held else 0))
                continue
            if rev == 0:
                verdicts.held.append(index)
                continue
            verdicts.accepted += 1
            recorded = asked.recorded(rev, endorsed.transaction.tx_id)
            self.people.record(recorded)
            effect.writes[composite("enrolment", asked.sub)] = recorded.encode()
        effect.response = verdicts.encode()
        return effect

    def _record_sessions(self, endorsed: Endorsed, documents: bytes) -> Effect:
        effect, verdicts = Effect(), Verdicts()
        checks = [_read(item, parse_session, self.offices) for item in _items(documents)]
        read = [one for one in checks if isinstance(one, Session)]
        self.people.read_ahead((one.sub for one in read), (one.ses for one in read))
        for index, session in enumerate(checks):
            if isinstance(session, Refused):
                verdicts.refused.append((index, session.code, 0))
                continue
            lender = self.people.enrolment(session.sub)
            held = self.people.sessions.get(session.ses)
            if held is not None and held.same(session):
                verdicts.held.append(index)
            elif held is None and lender is None:
                verdicts.pending.append((index, "ENROLMENT_NOT_FOUND"))
            elif code := _session_refusal(session, lender, held):
                verdicts.refused.append((index, code, lender.rev if lender else 0))
            else:
                verdicts.accepted += 1
                recorded = session.recorded(endorsed.transaction.tx_id)
                self.people.check(recorded)
                effect.writes[composite("session", session.ses)] = recorded.encode()
        effect.response = verdicts.encode()
        return effect

    def _revoke(self, endorsed: Endorsed, document: bytes) -> Effect:
        value = _parsed(document, "REVOKE_FORMAT")
        if not isinstance(value, dict) or value.keys() - {"v"} != {"sub", "reason"}:
            raise Refused("REVOKE_FORMAT")
        if not is_first(value.get("v", 1)):
            raise Refused("REVOKE_FORMAT")
        sub, reason = value["sub"], value["reason"]
        if (
            not is_random_id(sub)
            or not isinstance(reason, str)
            or not 1 <= len(reason.encode()) <= _MAX_REASON
        ):
            raise Refused("REVOKE_FORMAT")
        held = self.people.enrolment(sub)
        if held is None:
            raise Refused("ENROLMENT_NOT_FOUND")
        if endorsed.creator.msp_id not in (self.offices.regulator, held.institution):
            raise Refused("NOT_AUTHORISED")
        if not held.active:
            raise Refused("KEY_REVOKED")
        recorded = replace(
            held, status="revoked", reason=reason, rev=held.rev + 1, tx=endorsed.transaction.tx_id
        )
        self.people.record(recorded)
        return Effect(recorded.encode(), {composite("enrolment", sub): recorded.encode()})


def _next_revision(held: Enrolment | None, asked: Enrolment) -> int:
    """Return the revision that the enrolment gets, 0 where it is held already."""
    if held is None:
        return 1
    if held.institution != asked.institution:
        raise Refused("ENROLMENT_FOREIGN")
    if held.active and held.x5t == asked.x5t:
        return 0
    if held.active:
        raise Refused("ENROLMENT_EXISTS")
    if held.x5t == asked.x5t:
        raise Refused("KEY_REVOKED")
    return held.rev + 1


def _session_refusal(session: Session, lender: Enrolment | None, held: Session | None) -> str:
    if held is not None or lender is None:
        return "SESSION_EXISTS"
    if lender.institution != session.institution:
        return "ENROLMENT_FOREIGN"
    if not lender.active:
        return "KEY_REVOKED"
    return "" if lender.x5t == session.x5t else "KEY_FOREIGN"


def _items(documents: bytes) -> list[Any]:
    value = _parsed(documents, "ARGUMENT_FORMAT") if len(documents) <= _MAX_DOCUMENTS else None
    if not isinstance(value, list) or not value:
        raise Refused("ARGUMENT_FORMAT")
    return value


def _read(item: Any, parse: Callable[[Any, Offices], _Item], offices: Offices) -> _Item | Refused:
    try:
        return parse(item, offices)
    except Refused as refused:
        return refused.with_traceback(None)  # kept as a value: it needn't hold the stack alive


def _parsed(document: bytes, code: str) -> Any:
    try:
        return jcs.loads(document)
    except jcs.JsonError as error:
        raise Refused(code, str(error)) from error
