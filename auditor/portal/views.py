"""What a meeting's page and its JSON show: one value for both, with nothing of a running vote but turnout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.parts import Parts


def status_view(parts: Parts) -> dict[str, Any]:
    """Return how far the service is, and every meeting in short."""
    facts = parts.watcher.facts
    return {
        "v": 1,
        "at": facts.at,
        "blocks": dict(facts.blocks),
        "heads": dict(facts.heads),
        "behind": parts.watcher.behind,
        "trouble": bool(facts.trouble),
        "findings": {name: [one.as_json() for one in found] for name, found in facts.findings.items()},
        "meetings": [_short(one) for _, one in sorted(facts.meetings.items())],
    }


def meeting_view(parts: Parts, facts: MeetingFacts) -> dict[str, Any]:
    """Return everything public about one meeting."""
    heads = parts.logged.heads(facts)
    alarms = (*facts.alarms, *(parts.door.words.alarms(facts) if parts.door is not None else ()))
    record = facts.meeting
    return _short(facts) | {
        "mh": record.mh,
        "opens_at": record.opens_at,
        "closes_at": record.closes_at,
        "objections_until": record.objections_until,
        "documents": [{"name": one.name, "sha256": one.sha256} for one in record.documents],
        "agenda": [
            {"id": one.id, "title": one.title, "choices": list(one.choices)} for one in record.motions
        ],
        "revote": record.revote,
        "motions": None if facts.motions is None else list(facts.motions),
        "findings": [one.as_json() for one in facts.findings],
        "alarms": [one.as_json() for one in alarms],
        "anchored": facts.anchored,
        "heads": [one.head.as_json() for one in heads],
        "second_door": {
            "accepted_on_chain": facts.second_door,
            **(parts.door.counts(facts) if parts.door is not None else {}),
        },
        "anchors": list(facts.anchors),
        "objections": list(facts.objections),
    }


def _short(facts: MeetingFacts) -> dict[str, Any]:
    return {
        "institution": facts.channel.removeprefix("arbitration-"),
        "mtg": facts.mtg,
        "title": facts.meeting.title,
        "channel": facts.channel,
        "state": facts.state,
        "verified": not facts.findings,
        "turnout": facts.turnout.as_json(),
    }
