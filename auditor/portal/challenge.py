"""Challenges: whoever asks for what isn't public signs one, with a lender's key or an organisation's.

A challenge is good for one purpose at one meeting, for ten minutes, once. Nothing is stored for those that
are handed out: the nonce carries its end and a MAC by a key that lives as long as the process.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.members import NotAMember
from auditor.portal.errors import PortalRefused
from auditor.portal.keys import lender_key
from auditor.portal.officers import member_of
from client.encodings import base64url, certificates, jcs, jws
from client.encodings.errors import Refused
from client.encodings.ids import is_first
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.members import Membership
    from auditor.portal.facts import MeetingFacts
    from auditor.replay.people import Enrolment

TYP: Final = "concordat-challenge+jws"
ROLES: Final = ("officer", "auditor")
_SECONDS: Final = 600
_RANDOM: Final = 16
_MAC: Final = 16
_TIME: Final = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """A signed challenge: the JWS, and for an organisation's officer its MSP and certificate (DER)."""

    signed: jws.Jws
    msp: str = ""
    certificate: bytes = b""


def parse_answer(data: bytes) -> Answer:
    """Return the answer of `{"v":1,"answer":jws}`, or with `msp` and `certificate`; refuse with NOT_SHOWN."""
    try:
        value = jcs.loads(data)
        match value:
            case {"v": version} if not is_first(version):
                raise PortalRefused("NOT_SHOWN")
            case {"v": _, "answer": str(compact), "msp": str(msp), "certificate": str(certificate)}:
                return Answer(jws.parse(compact, TYP), msp, decode_certificate(certificate))
            case {"v": _, "answer": str(compact)}:
                return Answer(jws.parse(compact, TYP))
    except (jcs.JsonError, ValueError, Refused) as error:
        raise PortalRefused("NOT_SHOWN") from error
    raise PortalRefused("NOT_SHOWN")


class Challenges:
    """Makes challenges and takes each signed one once. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._key = os.urandom(32)
        self._clock = clock
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

    def make(self, purpose: str, facts: MeetingFacts) -> str:
        """Return a new challenge: the canonical JSON that is to be signed."""
        end = int(self._clock()) + _SECONDS
        seed = end.to_bytes(_TIME, "big") + os.urandom(_RANDOM)
        nonce = base64url.encode(seed + self._mac(seed, purpose, facts))
        return jcs.dumps(_payload(purpose, facts, nonce)).decode()

    def verify_lender(
        self, answer: Answer, purpose: str, facts: MeetingFacts, enrolment: Enrolment | None
    ) -> None:
        """Refuse (NOT_SHOWN) unless the enrolled key of an active lender signed a challenge of ours."""
        if enrolment is None or not enrolment.active or answer.signed.x5t != enrolment.x5t:
            raise PortalRefused("NOT_SHOWN")
        self._verify(answer, purpose, facts)
        try:
            answer.signed.verify(lender_key(enrolment))
        except Refused as error:
            raise PortalRefused("NOT_SHOWN") from error
        self._spend(answer)

    def verify_officer(
        self, answer: Answer, purpose: str, facts: MeetingFacts, membership: Membership
    ) -> str:
        """Return the MSP whose officer or auditor signed a challenge of ours; refuse with NOT_SHOWN."""
        try:
            member = member_of(membership, answer.msp, answer.certificate)
            if member.attributes.get("role") not in ROLES:
                raise PortalRefused("NOT_SHOWN")
            if answer.signed.x5t != certificates.thumbprint(answer.certificate):
                raise PortalRefused("NOT_SHOWN")
            self._verify(answer, purpose, facts)
            answer.signed.verify(member.key)
        except (NotAMember, Refused) as error:
            raise PortalRefused("NOT_SHOWN") from error
        self._spend(answer)
        return member.msp_id

    def _verify(self, answer: Answer, purpose: str, facts: MeetingFacts) -> None:
        try:
            nonce: Any = jcs.loads_canonical(answer.signed.payload)["nonce"]
            data = base64url.decode(nonce, _TIME + _RANDOM + _MAC)
        except (jcs.JsonError, ValueError, TypeError, KeyError) as error:
            raise PortalRefused("NOT_SHOWN") from error
        seed, mac = data[:-_MAC], data[-_MAC:]
        genuine = hmac.compare_digest(mac, self._mac(seed, purpose, facts))
        if not genuine or answer.signed.payload != jcs.dumps(_payload(purpose, facts, nonce)):
            raise PortalRefused("NOT_SHOWN")
        if int.from_bytes(seed[:_TIME], "big") < self._clock():
            raise PortalRefused("NOT_SHOWN")

    def _spend(self, answer: Answer) -> None:
        """Refuse a challenge that was answered before; only genuine answers come here, so few are kept."""
        nonce = str(jcs.loads(answer.signed.payload)["nonce"])
        with self._lock:
            now = self._clock()
            self._used = {one: end for one, end in self._used.items() if end >= now}
            if nonce in self._used:
                raise PortalRefused("NOT_SHOWN")
            self._used[nonce] = now + _SECONDS

    def _mac(self, seed: bytes, purpose: str, facts: MeetingFacts) -> bytes:
        bound = jcs.dumps(_payload(purpose, facts, base64url.encode(seed)))
        return hmac.new(self._key, bound, hashlib.sha256).digest()[:_MAC]


def _payload(purpose: str, facts: MeetingFacts, nonce: str) -> dict[str, Any]:
    return {"v": 1, "purpose": purpose, "channel": facts.channel, "mtg": facts.mtg, "nonce": nonce}
