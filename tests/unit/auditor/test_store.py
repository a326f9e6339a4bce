"""State on disk answers as a dictionary does, whatever is asked of it, in whatever order."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.store import TEXT, Store, read_ahead

if TYPE_CHECKING:
    from pathlib import Path

KEYS = st.sampled_from([f"key-{number}" for number in range(12)])
STEPS = st.lists(st.tuples(st.sampled_from(["set", "delete", "ask", "ahead", "flush"]), KEYS))


@given(STEPS, st.sampled_from([2, 16_000]))
def test_a_table_answers_as_a_dictionary_does(steps: list[tuple[str, str]], at_hand: int) -> None:
    naive: dict[str, str] = {}
    with patch("auditor.store._READ", at_hand), closing(Store()) as store:
        table = store.table("t", TEXT)
        for number, (what, key) in enumerate(steps):
            if what == "set":
                table[key] = naive[key] = str(number)
            elif what == "delete":
                assert table.pop(key, None) == naive.pop(key, None)
            elif what == "flush":
                store.flush()
            elif what == "ahead":
                read_ahead(table, [key, "key-1", "never", key])
            else:
                assert (table.get(key), key in table) == (naive.get(key), key in naive)
        assert (dict(table), len(table)) == (naive, len(naive))


def test_what_an_earlier_process_wrote_is_found(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with closing(Store(path)) as store:
        store.table("t", TEXT)["old"] = "1"
        store.commit(b"")
    with closing(Store(path)) as store:
        table = store.table("t", TEXT)
        assert (table.get("old"), "old" in table, table.get("new")) == ("1", True, None)


def test_a_reader_sees_what_another_writes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with closing(Store(path)) as writer:
        writer.table("t", TEXT)
        writer.commit(b"")
        with closing(Store(path, read_only=True)) as reader:
            table = reader.table("t", TEXT)
            with pytest.raises(KeyError):
                table["late"]
            writer.table("t", TEXT)["late"] = "1"
            writer.commit(b"")
            reader.renew()
            assert table["late"] == "1"


def test_more_keys_than_a_query_takes_are_read_ahead(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with closing(Store(path)) as store:
        store.table("t", TEXT).update({str(number): f"value {number}" for number in range(1200)})
        store.commit(b"")
    with closing(Store(path)) as store:
        table = store.table("t", TEXT)
        read_ahead(table, map(str, range(1300)))
        assert [table.get(str(number)) for number in range(1300)] == [
            f"value {number}" if number < 1200 else None for number in range(1300)
        ]
