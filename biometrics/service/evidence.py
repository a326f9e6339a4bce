"""The evidence of a check or of officers' decisions, and the session record that commits to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from client.encodings import commitment, hashes, jcs, times
from client.encodings.records import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biometrics.service.checker import CheckResult
    from biometrics.terms.binding import Binding
    from biometrics.terms.policy import ServicePolicy

_FRAME: Final = b"concordat/frame/v1"
# Of the face work's evidence, what that of a review holds: whose and which check is said once, beside it.
_AUTOMATIC: Final = ("decision", "basis", "measured", "service", "reference", "frames", "completed_at")


@dataclass(frozen=True, slots=True)
class EvidenceOpening:
    """What opens a commitment: the salt and the canonical evidence. To be kept encrypted, only."""

    salt: bytes = field(repr=False)
    evidence: bytes = field(repr=False)

    @property
    def commitment(self) -> str:
        """Return what goes on chain; raises ValueError unless the salt has 32 bytes."""
        return commitment.commit_canonical(self.salt, self.evidence)


def check_evidence(
    ses: str,
    binding: Binding,
    result: CheckResult,
    *,
    factor: str,
    source: str,
    policy: ServicePolicy,
    opened_at: int,
    now: int,
) -> dict[str, Any]:
    """Return the evidence of face work, as JSON, whatever its outcome.

    Pictures appear as digests only, and those only here, behind the salt: a plain hash of a face image
    would identify it. `factor` is the second factor, without which the match would not count.
    """
    return {
        "v": 2,
        "ses": ses,
        **_bound(binding),
        "factors": ["face", factor],
        "decision": {
            "outcome": str(result.outcome),
            "distance": result.distance,
            "frames": list(result.frames),
            "reasons": list(result.reasons),
        },
        "basis": dict(result.basis),
        "measured": dict(result.measured),
        "service": {"id": policy.id, "digest": policy.digest},
        "reference": {"source": source, "digest": hashes.digest(_FRAME, result.reference_digest)},
        "frames": [hashes.digest(_FRAME, digest) for digest in result.frame_digests],
        "opened_at": times.form(opened_at),
        "completed_at": times.form(now),
    }


def officers_evidence(
    ses: str,
    binding: Binding,
    *,
    factor: str,
    kind: str,
    finding: Mapping[str, Any],
    automatic: Mapping[str, Any] | None,
    decisions: Sequence[Mapping[str, str]],
    policy: ServicePolicy,
    opened_at: int,
    now: int,
) -> dict[str, Any]:
    """Return the evidence of officers' decisions; each has officer, reason, time and signed statement.

    `automatic` is the evidence of the face work that officers reviewed (`check_evidence`); an attendance
    has none. What the machine measured, by which models under which policy, stays beside what people said.
    """
    reviewed = {} if automatic is None else {"automatic": {name: automatic[name] for name in _AUTOMATIC}}
    return {
        "v": 2,
        "ses": ses,
        **_bound(binding),
        "factors": [*(["face"] if reviewed else []), "officer", factor],
        "kind": kind,
        "finding": dict(finding),
        **reviewed,
        "officers": [dict(decision) for decision in decisions],
        "service": {"id": policy.id, "digest": policy.digest},
        "opened_at": times.form(opened_at),
        "completed_at": times.form(now),
    }


def open_evidence(evidence: Mapping[str, Any], random_bytes: Callable[[int], bytes]) -> EvidenceOpening:
    """Return evidence under a new salt."""
    return EvidenceOpening(random_bytes(commitment.SALT_BYTES), jcs.dumps(dict(evidence)))


def session_record(
    ses: str, binding: Binding, method: str, opening: EvidenceOpening, *, now: int, valid_for: int
) -> Session:
    """Return the record for the chain: it commits to the evidence; nothing in it says who the person is."""
    return Session(
        ses=ses,
        sub=binding.sub,
        x5t=binding.key,
        institution=binding.institution,
        mtg=binding.scope,
        method=method,
        outcome="accept",
        commitment=opening.commitment,
        issued_at=times.form(now),
        expires_at=times.form(now + valid_for),
        act=binding.act,
    )


def _bound(binding: Binding) -> dict[str, str]:
    about = {"mtg": binding.scope} if not binding.is_enrolment else {"purpose": "enrolment"}
    acting = {} if binding.act is None else {"act": binding.act}
    return {"sub": binding.sub, "key": binding.key, "institution": binding.institution, **about, **acting}
