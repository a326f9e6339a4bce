"""The JSON schemas (2020-12) of what the service takes and gives."""

from __future__ import annotations

from typing import Any, Final


def obj(properties: dict[str, Any], *, optional: tuple[str, ...] = (), more: bool = False) -> dict[str, Any]:
    """Return the schema of an object with these members, all required but the optional ones."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": more,
    }


def listed(schema: Any) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _number(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description}


_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}
_HASH: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
_TIME: Final = _number("seconds since 1970")
_MAYBE_TIME: Final = {"type": ["integer", "null"], "description": "seconds since 1970"}
_LENDER: Final = {
    "institution": _text("MSP id, such as InstitutionAMSP"),
    "sub": {**_ID, "description": "the lender's pseudonym"},
}
_SCOPE: Final = {
    "mtg": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$", "description": "the meeting"},
    "public_key": _text("P-256 SPKI in base64url: the key to be enrolled"),
    "act": {**_ID, "description": "of a proxy: the principal whose ballot it will cast"},
}
_ADVICE: Final = obj({"zh-CN": {"type": "string"}, "en": {"type": "string"}})
_REASONS: Final = listed(obj({"code": {"type": "string"}, "advice": _ADVICE}))
_KIND: Final = {"type": "string", "enum": ["face", "transmission", "recording"]}

PROBLEM: Final = obj(
    {
        "type": _text("urn:concordat:identity:CODE"),
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": _text("stable name"),
        "advice": _ADVICE,
        "detail": {"type": "string"},
        "reasons": _REASONS,
    },
    optional=("detail", "reasons"),
)
LENDER_REQUEST: Final = obj(_LENDER)
KIND_REQUEST: Final = obj({**_LENDER, "kind": _KIND})
CHECK_REQUEST: Final = obj({**_LENDER, **_SCOPE}, optional=("mtg", "public_key", "act"))
BOOKING_REQUEST: Final = obj({**_LENDER, "slot": _ID, **_SCOPE}, optional=("mtg", "public_key", "act"))
CONSENT_REQUEST: Final = obj(
    {
        **_LENDER,
        "kind": _KIND,
        "version": {"type": "string"},
        "text_digest": {**_HASH, "description": "base64url SHA-256 of the text that was shown"},
    }
)
DECISION_REQUEST: Final = obj(
    {"verdict": {"type": "string", "enum": ["accept", "reject"]}, "reason": {"type": "string"}}
)
SLOT_REQUEST: Final = obj(
    {
        "kind": {"type": "string", "enum": ["video", "counter"]},
        "place": _text("address, or how the call is joined"),
        "starts_at": _TIME,
        "minutes": _number("length"),
        "capacity": _number("people"),
    }
)
UPLOAD: Final = obj(
    {
        "proof": _text(
            "concordat-check+jws v 2 by the key that the check is bound to: ses, nonce, sub, mtg (or "
            "ENROLMENT), chunk (0, 1, …), previous (digest of the chunk before, or empty), frames (digest "
            "of this one), last"
        ),
        "times": _text("JSON list of milliseconds since the capture began, one a frame, rising throughout"),
        "frames": listed({"type": "string", "contentMediaType": "image/jpeg"}),
    }
)
OPENED: Final = obj(
    {
        "ses": _ID,
        "nonce": {**_HASH, "description": "signed together with every chunk of frames"},
        "show": {"type": "string", "enum": ["look-straight"], "description": "what the person does first"},
        "opened_at": _TIME,
        "complete_before": _TIME,
        "idle_seconds": _number("seconds without a chunk after which the check ends"),
        "frames": obj(
            {
                "a_chunk_at_most": _number("frames"),
                "at_most": _number("frames of the whole check"),
                "a_second": _number("frames that a client should take"),
            }
        ),
    }
)
_STATUS: Final = {
    "ses": _ID,
    "state": {"type": "string"},
    "reasons": _REASONS,
    "next": listed({"type": "string", "enum": ["retry", "officer", "wait", "vote", "enrol"]}),
    "retry_at": _MAYBE_TIME,
    "record": {"type": ["object", "null"], "description": "once recorded: what the ledger holds"},
    "expires_at": _MAYBE_TIME,
    "decision_ms": {
        "type": ["integer", "null"],
        "description": "milliseconds from the last frames' arrival to the decision",
    },
}
STATUS: Final = obj(_STATUS)
PROGRESS: Final = obj(
    {
        "chunk": _number("the chunk that was judged"),
        "asked": {"type": ["string", "null"], "description": "the movement to ask the person for now"},
        "index": _number("movements done"),
        "of": _number("movements in all"),
        "advice": {**_REASONS, "description": "what the person can do better now"},
        "over": {"type": "boolean", "description": "the check has ended; the status is final"},
        **_STATUS,
    }
)
CONSENT: Final = obj(
    {
        "id": _ID,
        "kind": _KIND,
        "version": {"type": "string"},
        "text_digest": _HASH,
        "given_at": _TIME,
        "withdrawn_at": _MAYBE_TIME,
    }
)
TEXTS: Final = obj(
    {
        "texts": listed(
            obj(
                {
                    "kind": _KIND,
                    "version": {"type": "string"},
                    "language": {"type": "string", "enum": ["zh-CN", "en"]},
                    "digest": _HASH,
                    "text": {"type": "string"},
                }
            )
        )
    }
)
CONSENTS: Final = obj({"consents": listed(CONSENT)})
DELETION: Final = obj(
    {
        "id": _ID,
        "deleted_at": _TIME,
        "what": {"type": "object", "additionalProperties": {"type": "integer"}},
        "why": {"type": "string"},
    }
)
SLOT: Final = obj(
    {
        "id": _ID,
        "institution": {"type": "string"},
        "kind": {"type": "string"},
        "place": {"type": "string"},
        "starts_at": _TIME,
        "minutes": _number("length"),
        "capacity": _number("people"),
        "free": _number("places left"),
    }
)
SLOTS: Final = obj({"slots": listed(SLOT)})
BOOKED: Final = obj({"booking": _ID, "case": _ID, "ses": _ID})
CASE: Final = obj(
    {
        "id": _ID,
        "kind": {"type": "string", "enum": ["review", "attendance"]},
        "institution": {"type": "string"},
        "scope": {"type": "string"},
        "ses": _ID,
        "booking": {"type": ["string", "null"]},
        "finding": {"type": "object", "description": "reasons and distance; nothing that shows a face"},
        "state": {"type": "string"},
        "needed": _number("officers who have to accept"),
        "accepted_by": listed({"type": "string"}),
        "frames": _number("kept frames"),
        "opened_at": _TIME,
        "decide_before": _TIME,
        "taken_by": {"type": ["string", "null"]},
    }
)
CASES: Final = obj({"cases": listed(CASE)})
HEALTH: Final = obj({"ok": {"type": "boolean"}, "inside": _number("requests"), "room": _number("requests")})
