"""Corrections before the freeze: with provenance, all or nothing, and a log that can't be changed alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from client.encodings.leaf import Claim
from client.errors import Negative
from client.rolls import Roll, RollError, read_roll, write_roll
from client.rolls.changes import COLUMNS, Change, read_changes
from client.rolls.corrections import correct, verify_log
from tests.unit.rolls.scene import DECISION, small_roll, sub_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT = "2026-02-01T08:00:00Z"
LI, WANG, ZHAO = "E1234567", "11010519491231002X", "Z-0001"
SOURCE = "cd" * 32


@pytest.fixture
def roll() -> Roll:
    return small_roll()


def change(roll: Roll, *fields: str) -> Change:
    """Return the change of a lender's column from old to new, and of which class."""
    id_no, column, old, new, cls = (*fields, "")[:5]
    return Change(sub_of(roll, id_no), column, cls, old, new, "a slip of the pen", "Clerk Sun", SOURCE)


def after(roll: Roll, *changes: Change, log: bytes = b"") -> tuple[Roll, bytes]:
    return correct(roll, log, changes, AT, "changes.csv")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((LI, "name", "李娜", "李丽", ""), lambda entry: entry.person.name == "李丽"),
        ((LI, "phone", "10000000001", "", ""), lambda entry: entry.person.phone == ""),
        ((WANG, "email", "", "w@example.org", ""), lambda entry: entry.person.email == "w@example.org"),
        (
            (LI, "document", "passport e1234567", "other e7654", ""),
            lambda entry: entry.person.id_no == "E7654",
        ),
        (
            (LI, "claim_yuan", "1000.5", "900", "individual"),
            lambda entry: entry.leaf.claims[0] == Claim("individual", 90000),
        ),
        ((LI, "claim_yuan", "1000.50", "", "individual"), lambda entry: len(entry.leaf.claims) == 1),
        ((ZHAO, "claim_yuan", "", "5", "bonds"), lambda entry: entry.leaf.claims[0] == Claim("bonds", 500)),
        (
            (ZHAO, "class", "individual", "bonds", "individual"),
            lambda entry: entry.leaf.claims[0].cls == "bonds",
        ),
        (
            (ZHAO, "decision", "", DECISION, "individual"),
            lambda entry: entry.leaf.claims[0].decision == DECISION,
        ),
        ((LI, "decision", DECISION, "", "wealth-plan"), lambda entry: entry.leaf.claims[1].decision == ""),
        ((WANG, "excluded", "m2 m1", "m1", ""), lambda entry: entry.leaf.excluded == ("m1",)),
        ((WANG, "excluded", "m1 m2", "", ""), lambda entry: entry.leaf.excluded == ()),
    ],
)
def test_every_value_can_be_corrected(
    roll: Roll, fields: tuple[str, ...], found: Callable[[Any], bool]
) -> None:
    one = change(roll, *fields)
    corrected, log = after(roll, one)
    index = roll.place(one.sub) or 0
    assert found(corrected.entries[index])
    assert corrected.entries[:index] == roll.entries[:index]
    assert corrected.entries[index + 1 :] == roll.entries[index + 1 :]
    assert corrected.entries[index].leaf.salt == roll.entries[index].leaf.salt
    (entry,) = verify_log(corrected, log)
    assert (entry.no, entry.at, entry.line) == (1, AT, index + 2)
    assert (entry.change.reason, entry.change.who, entry.change.source) == (one.reason, one.who, SOURCE)


def test_the_log_is_appended_to_and_its_hash_is_in_the_rolls_header(roll: Roll, tmp_path: Path) -> None:
    once, log = after(roll, change(roll, ZHAO, "claim_yuan", "7.05", "8", "individual"))
    twice, longer = after(
        once,
        change(roll, ZHAO, "claim_yuan", "8", "9", "individual"),
        change(roll, ZHAO, "phone", "10000000003", "10000000004"),
        log=log,
    )
    assert longer.startswith(log)
    assert [entry.no for entry in verify_log(twice, longer)] == [1, 2, 3]
    path = tmp_path / "m.jsonl"
    write_roll(twice, path)
    header = json.loads(path.read_text().splitlines()[0])
    assert header["corrections"] == {"count": 3, "sha256": hashlib.sha256(longer).hexdigest()}
    assert header["source"] == {"sha256": "5a" * 32, "rows": 4}
    assert read_roll(path) == twice
    assert twice.summary.root != once.summary.root != roll.summary.root


def test_claims_may_move_more_than_once(roll: Roll) -> None:
    corrected, log = after(
        roll,
        change(roll, ZHAO, "decision", "", DECISION, "individual"),
        change(roll, ZHAO, "class", "individual", "bonds", "individual"),
        change(roll, ZHAO, "claim_yuan", "7.05", "6", "bonds"),
        change(roll, ZHAO, "class", "bonds", "individual", "bonds"),
        change(roll, ZHAO, "claim_yuan", "", "1", "bonds"),
        change(roll, ZHAO, "claim_yuan", "1", "", "bonds"),
    )
    assert corrected.find(ZHAO).leaf.claims == (Claim("individual", 600, DECISION),)
    assert len(verify_log(corrected, log)) == 6


def test_what_comes_after_the_header_in_a_log_never_took_effect(roll: Roll) -> None:
    once, log = after(roll, change(roll, ZHAO, "phone", "10000000003", ""))
    _, longer = after(once, change(roll, ZHAO, "phone", "", "10000000009"), log=log)
    with pytest.raises(Negative, match="doesn't follow"):
        verify_log(once, longer)
    again, anew = after(once, change(roll, ZHAO, "phone", "", "10000000008"), log=longer)
    assert anew.startswith(log)
    assert [entry.change.new for entry in verify_log(again, anew)] == ["", "10000000008"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((LI, "name", "李丽", "李娜娜", ""), "is '李娜' on the roll, not '李丽'"),
        ((LI, "name", "李娜", "", ""), "the name is missing"),
        ((LI, "phone", "10000000001", "x", ""), "telephone"),
        ((LI, "document", "passport E1234567", "resident-id 1", ""), "17 digits"),
        ((LI, "document", "passport E1234567", "idcard 1", ""), "none of resident-id"),
        ((ZHAO, "document", "other Z-0001", "passport E1234567", ""), "twice on the roll"),
        ((LI, "claim_yuan", "1000.51", "900", "individual"), "is '1000.50' on the roll"),
        ((LI, "claim_yuan", "", "900", "individual"), "is '1000.50' on the roll"),
        ((LI, "claim_yuan", "1000.50", "-900", "individual"), "negative"),
        ((LI, "claim_yuan", "", "900", "Bonds!"), "a-z"),
        ((ZHAO, "claim_yuan", "7.05", "", "individual"), "no leaf of a roll"),
        ((ZHAO, "claim_yuan", "5", "6", "bonds"), "is '' on the roll"),
        ((LI, "class", "individual", "wealth-plan", "individual"), "in the class 'wealth-plan' already"),
        ((LI, "class", "individual", "all", "individual"), "reserved"),
        ((ZHAO, "decision", "", "12", "individual"), "SHA-256"),
        ((ZHAO, "decision", "", DECISION, "bonds"), "no claim in the class 'bonds'"),
        ((WANG, "excluded", "m1", "m2", ""), "is 'm1 m2' on the roll"),
        ((WANG, "excluded", "m1 m2", "M!", ""), "names no motions"),
        ((ZHAO, "claim_yuan", "7.05", "90071992547409.91", "individual"), "90 trillion"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused_and_nothing_changes(
    roll: Roll, fields: tuple[str, ...], reason: str
) -> None:
    good = change(roll, WANG, "phone", "", "10000000009")
    with pytest.raises(RollError) as error:
        after(roll, good, change(roll, *fields))
    assert error.value.message.startswith("changes.csv: 1 mistake, nothing was corrected")
    assert reason in error.value.message


def test_a_stranger_cannot_be_corrected(roll: Roll) -> None:
    stranger = replace(change(roll, LI, "name", "李娜", "李"), sub="A" * 22)
    with pytest.raises(RollError, match=r"line 2, column sub: the pseudonym A+ is not on the roll"):
        after(roll, stranger)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sub": "x"}, "no pseudonym"),
        ({"column": "salt"}, "none of name"),
        ({"cls": "individual"}, "class has to be named"),
        ({"column": "claim_yuan"}, "class has to be named"),
        ({"new": "10000000001"}, "the same"),
        ({"reason": ""}, "reason"),
        ({"reason": "a\nb"}, "reason"),
        ({"who": "x" * 501}, "who"),
        ({"source": "x"}, "source_sha256"),
    ],
)
def test_a_change_without_grounds_is_none(roll: Roll, fields: dict[str, str], reason: str) -> None:
    good = change(roll, LI, "phone", "10000000001", "10000000002")
    with pytest.raises(ValueError, match=reason):
        replace(good, **fields)


def test_a_table_of_corrections_is_read_whole_or_not_at_all(roll: Roll) -> None:
    one = change(roll, LI, "phone", "10000000001", "10000000002")
    row = f"{one.sub},phone,,10000000001,10000000002,a slip of the pen,Clerk Sun,{SOURCE}"
    header = ",".join(COLUMNS)
    assert read_changes(f"{header}\n{row}\n".encode(), "auto", "c.csv") == (one,)
    for text, reason in (
        (f"{header}\n{row}\n{row},x\n{row.replace('phone', 'fon')}\n", r"2 mistakes.*line 3.*line 4"),
        (f"sub\n{row}\n", "columns have to be"),
        (f"{header}\n", "no corrections"),
    ):
        with pytest.raises(RollError, match=reason):
            read_changes(text.encode(), "auto", "c.csv")


def rewritten(log: bytes, number: int, **members: Any) -> bytes:
    lines = log.split(b"\n")
    value = json.loads(lines[number]) | members
    lines[number] = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return b"\n".join(lines)


def with_head(roll: Roll, log: bytes) -> Roll:
    """Let the header follow a log, as whoever alters both would."""
    head = roll.provenance.corrections
    assert head is not None
    return replace(
        roll,
        provenance=replace(
            roll.provenance, corrections=replace(head, sha256=hashlib.sha256(log).hexdigest())
        ),
    )


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"new": "9.00"}, "says that claim_yuan .* is '9.00', the roll has '8.00'"),
        ({"reason": "another"}, "entry 2 of the log doesn't follow"),
        ({"no": 2}, "number 2"),
        ({"mtg": "m-2"}, "of 'm-2'"),
        ({"v": 2}, "another version"),
        ({"more": 1}, "other members"),
        ({"line": "2"}, "another kind"),
        ({"at": "yesterday"}, "no time"),
        ({"before": "00"}, "no hash"),
        ({"before": "11" * 32}, "names one before it"),
        ({"sub": "A" * 22}, "doesn't follow|not on the roll"),
        ({"who": ""}, "who"),
    ],
)
def test_an_altered_log_is_found(roll: Roll, members: dict[str, Any], reason: str) -> None:
    corrected, log = after(
        roll,
        change(roll, ZHAO, "claim_yuan", "7.05", "8", "individual"),
        change(roll, LI, "phone", "10000000001", ""),
    )
    altered = rewritten(log, 0, **members)
    with pytest.raises(Negative, match="another hash"):
        verify_log(corrected, altered)
    if "new" in members:  # the second entry made to follow the altered first
        first = altered.split(b"\n")[0]
        altered = rewritten(altered, 1, before=hashlib.sha256(first).hexdigest())
    with pytest.raises(Negative, match=reason):
        verify_log(with_head(corrected, altered), altered)


def test_a_log_entry_is_canonical(roll: Roll) -> None:
    corrected, log = after(roll, change(roll, LI, "phone", "10000000001", ""))
    spaced = log.replace(b'":', b'": ')
    with pytest.raises(Negative, match="canonical"):
        verify_log(with_head(corrected, spaced), spaced)


def test_a_roll_without_its_changes_is_found(roll: Roll) -> None:
    corrected, log = after(roll, change(roll, ZHAO, "claim_yuan", "7.05", "8", "individual"))
    with pytest.raises(Negative, match=r"the roll has '7\.05'"):
        verify_log(replace(roll, provenance=corrected.provenance), log)
    gone = tuple(entry for entry in corrected.entries if entry.person.id_no != ZHAO)
    with pytest.raises(Negative, match="who is not on the roll"):
        verify_log(replace(corrected, entries=gone), log)


def test_a_roll_never_corrected_has_no_log(roll: Roll) -> None:
    assert verify_log(roll, b"") == ()
    with pytest.raises(Negative, match="doesn't follow"):
        verify_log(roll, b"{}\n")
