"""The coverage map of the platform's rows: which column of which row is held by which finding.

Data, from which the second table of docs/coverage.md is made, and against which the tests tamper with rows.
A column of a row in flight is not here: until the chain has it, only its acknowledgement holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.discrepancy import ALTERED, EXTRA, LATE, MISCOUNTED, MISSING, WITHOUT_SESSION

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPTED, REFUSED = "ballots, of an accepted ballot", "ballots, of a refused one"
USED, UNUSED = "sessions, used by an accepted ballot", "sessions, others"
MEETINGS, RESULTS = "meetings", "results"

Finding = tuple[str, str]  # kind and field


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one kind of row. Another value in it gives one of `findings`; none: nothing holds it."""

    rows: str
    name: str
    findings: tuple[Finding, ...]
    why: str


def _each(rows: str, names: str, why: str, prefix: str = "") -> Iterator[Column]:
    return (Column(rows, name, ((ALTERED, f"{prefix}{name}"),), why) for name in names.split())


_SIGNED = "the ballot's own, and its digest's"
_CHECK = "`identity` has the check, member by member"
COLUMNS: Final = (
    Column(ACCEPTED, "id", (), "the database's own number"),
    Column(ACCEPTED, "mtg", ((MISSING, "row"),), "the meeting lacks the row"),
    *_each(ACCEPTED, "sub seq jws choices claims ses", _SIGNED),
    *_each(ACCEPTED, "door ack_no ack_time", "the batch on the chain has them"),
    *_each(ACCEPTED, "tx block", "where the chain has the ballot"),
    *_each(ACCEPTED, "digest", "the row's other columns show whose it is"),
    *_each(ACCEPTED, "ack_jws", "the door's signature"),
    *_each(ACCEPTED, "status", "an accepted ballot is committed"),
    Column(ACCEPTED, "code", (), "a refusal's; on an accepted ballot it says nothing"),
    Column(REFUSED, "id", (), "the database's own number"),
    Column(REFUSED, "mtg", (), "nobody is owed a row of a refusal"),
    *_each(REFUSED, "sub seq choices ses", "what the digest covers"),
    Column(REFUSED, "digest", ((LATE, "status"),), "no verdict has that digest"),
    Column(REFUSED, "status", ((LATE, "status"),), "the chain did not accept it"),
    *_each(REFUSED, "code", "the chain's refusal"),
    *_each(REFUSED, "door ack_no ack_time", "the door's signature"),
    Column(
        REFUSED,
        "ack_jws",
        ((ALTERED, "ack_jws"), (ALTERED, "door")),
        "the door's signature; one of a door that brought nothing can't be checked, and is of another door",
    ),
    *(
        Column(REFUSED, name, (), "a refusal may come again; what its last bringer claimed is not compared")
        for name in ("jws", "claims", "tx", "block")
    ),
    Column(USED, "ses", ((EXTRA, "session"), (WITHOUT_SESSION, "session")), "the ballot names its session"),
    Column(USED, "mtg", ((WITHOUT_SESSION, "session"),), "the meeting lacks the row"),
    Column(UNUSED, "ses", ((EXTRA, "session"), (MISSING, "session")), _CHECK),
    Column(UNUSED, "mtg", ((MISSING, "session"),), "the meeting lacks the row"),
    *(
        column
        for rows in (USED, UNUSED)
        for column in _each(
            rows,
            "sub x5t institution method outcome commitment issued_at expires_at act status",
            _CHECK,
            "session ",
        )
    ),
    Column(MEETINGS, "mtg", ((MISSING, "meeting"),), "the platform lacks the meeting"),
    *_each(MEETINGS, "record mh channel", "the frozen record"),
    Column(MEETINGS, "state", (), "a copy that may lag behind; no finding rests on it"),
    Column(RESULTS, "mtg", (), "a result that is not shown is no false one"),
    Column(RESULTS, "result", ((MISCOUNTED, "result"),), "the count of the ballots"),
)

_HEAD = """
## The platform's rows

Made from `auditor/coverage_rows.py`. Another value in a column gives one of the findings named (kind, field:
[verification.md](verification.md#reconciliation-design-6-row-by-row)) once the meeting is closed; where none
is named, nothing is compared. Columns that the audit does not read, it cannot vouch for. `tests/tampering`
tampers with rows, blocks, receipts, tree heads, rolls, certificates, evidence packages and reports at random
against both tables; `CONCORDAT_TAMPERINGS` says how often.

| rows | column | finding | why |
| --- | --- | --- | --- |
"""


def render() -> str:
    """Return the second part of docs/coverage.md."""
    return _HEAD + "".join(
        f"| {one.rows} | {one.name} | {_named(one.findings)} | {one.why} |\n" for one in COLUMNS
    )


def _named(findings: tuple[Finding, ...]) -> str:
    return ", or ".join(f"{kind}: {field}" for kind, field in findings) or "none"
