"""The report itself: one canonical JSON value, from which the page and the PDF are drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.discrepancy import PENDING
from auditor.reporting.errors import ReportRefused
from client.encodings import jcs, times
from client.encodings.ids import is_first

if TYPE_CHECKING:
    from auditor.verdict import Audit

KIND: Final = "concordat-report"
_CLOSED: Final = frozenset({"closed", "objections", "certified"})
_MEMBERS: Final = frozenset(
    {
        "v",
        "type",
        "verdict",
        "meeting",
        "mh",
        "state",
        "genesis",
        "blocks",
        "heads",
        "ballots",
        "numbers",
        "tally",
        "outcome",
        "discrepancies",
        "alarms",
        "anchors",
        "objections",
        "pending",
        "as_of",
        "snapshot",
        "turnout",
    }
)


@dataclass(frozen=True, slots=True)
class Report:
    """A report's value, well formed, and without a choice of any meeting that isn't closed."""

    value: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse (REPORT_FORMAT, REPORT_RUNNING) what no report may be."""
        value = self.value
        if value.keys() != _MEMBERS or not is_first(value["v"]) or value["type"] != KIND:
            raise ReportRefused("REPORT_FORMAT", "missing or unknown members")
        shows = value["tally"] is not None or value["outcome"] is not None
        if shows and value["state"] not in _CLOSED:
            raise ReportRefused("REPORT_RUNNING", value["state"])

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return jcs.dumps(self.value)

    @property
    def consistent(self) -> bool:
        """Say whether nothing was found."""
        return bool(self.value["verdict"] == "consistent")

    @property
    def date(self) -> str:
        """The latest moment that the chain itself knows of; 1970 where no meeting could be read."""
        turnout = self.value["turnout"]
        return times.form(0) if turnout is None else str(turnout["last"])

    @property
    def kinds(self) -> dict[str, int]:
        """How many discrepancies there are of each kind."""
        return dict(sorted(Counter(one["kind"] for one in self.value["discrepancies"]).items()))

    def choices(self, motion: str) -> dict[str, list[int]]:
        """Return heads and fen by choice; refuse (REPORT_RUNNING) before the meeting is closed."""
        tally = self.value["tally"]
        if tally is None:
            raise ReportRefused("REPORT_RUNNING", self.value["state"])
        return {name: list(scopes["*"]) for name, scopes in tally["motions"][motion]["choices"].items()}


def report_of(audit: Audit) -> Report:
    """Return the report of an audit: of its snapshot neither place nor time, and no duration.

    `as_of` is there where the time at which the rows were read decided what is pending, and only there.
    """
    snapshot = audit.snapshot
    timed = audit.pending > 0 or any(one.kind == PENDING for one in audit.discrepancies)
    audited = audit.as_json()
    del audited["seconds"]
    return Report(
        {
            **audited,
            "v": 1,
            "type": KIND,
            "mh": audit.mh,
            "genesis": dict(audit.genesis),
            "as_of": snapshot.taken_at if snapshot and timed else None,
            "snapshot": snapshot
            and {"method": snapshot.method, "same_host": snapshot.same_host, "sha256": snapshot.sha256},
            "turnout": audit.turnout.as_json() if audit.turnout else None,
        }
    )


def parse_report(data: bytes) -> Report:
    """Return the report of a JSON file's bytes; refuse with REPORT_FORMAT or REPORT_RUNNING."""
    try:
        value = jcs.loads_canonical(data)
    except jcs.JsonError as error:
        raise ReportRefused("REPORT_FORMAT", str(error)) from error
    if not isinstance(value, dict):
        raise ReportRefused("REPORT_FORMAT", "not an object")
    return Report(value)
