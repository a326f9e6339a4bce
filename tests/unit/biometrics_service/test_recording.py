from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from biometrics.service.evidence import open_evidence, session_record
from biometrics.service.recording import NotRecorded, Recording
from biometrics.terms.binding import Binding, Lender
from client.encodings import base64url
from tests.unit.biometrics_service.doubles import INSTITUTION, MEETING, NOON, LedgerDouble, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.service.evidence import EvidenceOpening
    from client.encodings.records import Session
    from tests.unit.biometrics_service.conftest import World
    from tests.unit.biometrics_service.doubles import Written


def passed() -> tuple[Session, EvidenceOpening]:
    lender = Lender(INSTITUTION, base64url.encode(os.urandom(16)))
    binding = Binding(lender, base64url.encode(os.urandom(32)), MEETING)
    opening = open_evidence({"v": 2}, os.urandom)
    ses = base64url.encode(os.urandom(16))
    return session_record(ses, binding, "face-v1", opening, now=NOON, valid_for=60), opening


def test_checks_that_pass_together_share_a_transaction() -> None:
    ledger = LedgerDouble()
    recording = Recording(ledger, linger=60, largest=8)  # full long before the minute is over
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: recording.record(*passed()), range(8)))
    assert ledger.batches == [8]


def test_while_one_batch_is_written_the_next_one_fills() -> None:
    entered, go = threading.Event(), threading.Event()

    class Slow(LedgerDouble):
        def record_many(self, checks: Sequence[tuple[Session, EvidenceOpening]], /) -> list[Written]:
            entered.set()
            go.wait()
            return super().record_many(checks)

    ledger = Slow()
    recording = Recording(ledger, linger=0)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(recording.record, *passed())
        entered.wait()
        others = [pool.submit(recording.record, *passed()) for _ in range(5)]
        while len(recording._waiting) < 5:
            threading.Event().wait(0.005)
        go.set()
        for done in (first, *others):
            done.result()
    assert ledger.batches == [1, 5]


def test_nobody_is_left_waiting_when_the_ledger_fails() -> None:
    ledger = LedgerDouble()
    ledger.down = True
    recording = Recording(ledger, linger=60, largest=3)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(recording.record, *passed()) for _ in range(3)]:
            with pytest.raises(NotRecorded) as failed:
                done.result()
            assert failed.value.code is None


def test_one_refusal_is_nobody_elses() -> None:
    ledger = LedgerDouble()
    ledger.refuses = "KEY_REVOKED"
    with pytest.raises(NotRecorded) as failed:
        Recording(ledger, linger=0).record(*passed())
    assert failed.value.code == "KEY_REVOKED"


def test_of_many_that_send_at_once_one_uses_the_check(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    uploads = [lender.frames("accept") for _ in range(6)]
    webs = [world.web] * 3 + [world.another_process() for _ in range(3)]

    def upload(number: int) -> str:
        frames = uploads[number]
        body = send(webs[number], opened["ses"], lender.prove(opened, frames), frames).get_json()
        return str(body.get("code") or body["state"])

    with ThreadPoolExecutor(6) as pool:
        results = sorted(pool.map(upload, range(6)))
    assert results.count("recorded") == 1
    assert set(results) <= {"recorded", "OVERLOADED", "CHECK_USED", "CHECK_ELSEWHERE"}
    assert len(world.ledger.sessions) == 1
