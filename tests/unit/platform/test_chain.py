"""Transactions that another overtakes between endorsement and commit."""

from __future__ import annotations

import pytest

from client.errors import UserError
from client.platform import chain
from client.platform.chain import commit
from tests.ledger import Ledger, Stub


class Counting:
    """A chaincode that counts, and is overtaken by another's call a number of times."""

    def __init__(self, overtaken: int) -> None:
        self.ledger = Ledger({"Count": self.count, "Other": self.other})
        self.overtaken = overtaken

    def other(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        del arguments
        said = b"%d" % (int(stub.get("n") or b"0") + 1)
        stub.put("n", said)
        return said

    def count(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        said = self.other(stub, arguments)
        if self.overtaken:
            self.overtaken -= 1
            commit(self.ledger.contract(), "Other")
        return said


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_POLL_SECONDS", 0.0)


def test_what_was_overtaken_is_asked_again() -> None:
    counting = Counting(overtaken=2)
    done = commit(counting.ledger.contract(), "Count")
    assert (done.result, counting.ledger.state["n"][0]) == (b"3", b"3")
    assert [one.code_name for one in counting.ledger.settled.values()].count("MVCC_READ_CONFLICT") == 2


def test_what_is_always_overtaken_changes_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "LAG_SECONDS", 0.0)
    counting = Counting(overtaken=1)
    with pytest.raises(UserError, match="changed nothing") as caught:
        commit(counting.ledger.contract(), "Count")
    assert caught.value.code == "MVCC_READ_CONFLICT"
    assert counting.ledger.state["n"][0] == b"1"
