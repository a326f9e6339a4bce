"""An identity session: one passed check, bound to pseudonym, key and meeting, behind a commitment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from client.encodings import base64url, hashes, ids, jcs, times
from client.encodings.records import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.decision import Decision
    from biometrics.matching import Matcher
    from biometrics.picture import Picture

_FRAME_TAG = b"concordat/frame/v1"
_POLICY_TAG = b"concordat/face-policy/v1"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a check is about: `sub` and `x5t` in base64url, the institution's MSP, the meeting's id."""

    sub: str
    x5t: str
    institution: str
    mtg: str

    def __post_init__(self) -> None:
        if not ids.is_random_id(self.sub):
            raise ValueError("sub is not 16 bytes in base64url")
        if not ids.is_hash(self.x5t):
            raise ValueError("x5t is not 32 bytes in base64url")
        if not ids.is_msp(self.institution):
            raise ValueError("institution is not an MSP id such as InstitutionAMSP")
        if not ids.is_meeting_id(self.mtg):
            raise ValueError("mtg must match [a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A check that has begun: its random id, whom it is about, when, and until when frames may come.

    Times are seconds since 1970.
    """

    ses: str
    subject: Subject
    opened_at: int
    complete_before: int


@dataclass(frozen=True, slots=True)
class EvidenceOpening:
    """What opens a commitment: the salt and the canonical evidence. To be kept encrypted, only."""

    salt: bytes = field(repr=False)
    evidence: bytes = field(repr=False)

    @property
    def commitment(self) -> str:
        """Return base64url(SHA-256(tag || salt || evidence))."""
        return hashes.digest(hashes.COMMITMENT, self.salt + self.evidence)


def open_session(subject: Subject, ses: bytes, now: int, within: int) -> OpenSession:
    """Begin a check; `ses` is 16 random bytes, `within` the seconds that frames may take."""
    if len(ses) != ids.ID_BYTES:
        raise ValueError(f"a session id has {ids.ID_BYTES} bytes")
    return OpenSession(base64url.encode(ses), subject, now, now + within)


def canonical_evidence(
    opened: OpenSession,
    decision: Decision,
    matcher: Matcher,
    *,
    reference: tuple[str, Picture],
    frames: Sequence[Picture],
    now: int,
) -> bytes:
    """Return the evidence in JCS form; `reference` is the source's name and the picture it gave.

    Distances are integers (thousandths). Pictures appear as digests only, and those only here, behind
    the salt: a plain hash of a face image would identify it.
    """
    source, picture = reference
    policy, subject = matcher.policy, opened.subject
    return jcs.dumps(
        {
            "v": 1,
            "ses": opened.ses,
            "sub": subject.sub,
            "x5t": subject.x5t,
            "institution": subject.institution,
            "mtg": subject.mtg,
            "method": policy.method,
            "checks": ["match"],  # what was done; a check that isn't named wasn't made
            "decision": {
                "outcome": decision.outcome.value,
                "distance": decision.per_mille,
                "frames": list(decision.frames),
                "reasons": [reason.value for reason in decision.reasons],
            },
            "policy": {"id": policy.id, "digest": hashes.digest(_POLICY_TAG, policy.canonical)},
            "models": {
                "detector": matcher.detector.name,
                "landmarker": matcher.landmarker.name,
                "embedder": matcher.embedder.name,
            },
            "reference": {"source": source, "digest": hashes.digest(_FRAME_TAG, picture.pixel_digest)},
            "frames": [hashes.digest(_FRAME_TAG, frame.pixel_digest) for frame in frames],
            "opened_at": times.form(opened.opened_at),
            "completed_at": times.form(now),
        }
    )


def seal_session(
    opened: OpenSession, decision: Decision, matcher: Matcher, opening: EvidenceOpening, now: int
) -> Session:
    """Return the record for the chain: it commits to the evidence and expires as the policy says.

    Nothing in it tells who the person is.
    """
    subject = opened.subject
    return Session(
        ses=opened.ses,
        sub=subject.sub,
        x5t=subject.x5t,
        institution=subject.institution,
        mtg=subject.mtg,
        method=matcher.policy.method,
        outcome=decision.outcome.value,
        commitment=opening.commitment,
        issued_at=times.form(now),
        expires_at=times.form(now + matcher.policy.valid_for),
    )
