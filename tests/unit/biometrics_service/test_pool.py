"""The pool of processes: real processes, pipes and deaths; no sockets, no clocks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from biometrics.service.checker import CheckRequest, SentFrame
from biometrics.service.pool import FacePool, FrameUnreadable, Overloaded, PoolSize, WorkFailed
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = "tests.unit.biometrics_service.stub_checker:make"


def request(word: str) -> CheckRequest:
    return CheckRequest({"v": 1, "steps": []}, (SentFrame(0, jpeg(word)),), jpeg("reference"))


@pytest.fixture(scope="module")
def pool() -> Iterator[FacePool]:
    made = FacePool(STUB, PoolSize(workers=1, waiting=2, time_limit=30, requests_per_worker=6))
    yield made
    made.close()


def run(pool: FacePool, word: str) -> int:
    with pool.reserve() as ticket:
        pid: int = ticket.run(request(word)).measured["pid"]
        return pid


def test_a_process_serves_one_request_after_another(pool: FacePool) -> None:
    assert run(pool, "accept") == run(pool, "reject")


def test_a_picture_that_can_not_be_read_leaves_the_process_alive(pool: FacePool) -> None:
    before = run(pool, "accept")
    with pool.reserve() as ticket, pytest.raises(FrameUnreadable) as refused:
        ticket.run(request("unreadable"))
    assert (refused.value.reason, refused.value.source) == ("IMAGE_UNREADABLE", "frame 0")
    assert run(pool, "accept") == before


def test_a_defect_tells_its_kind_and_nothing_else(pool: FacePool) -> None:
    with pool.reserve() as ticket, pytest.raises(WorkFailed) as failed:
        ticket.run(request("fail"))
    assert failed.value.why == "RuntimeError"
    assert "Wang" not in str(failed.value)


def test_a_process_that_dies_is_replaced(pool: FacePool) -> None:
    before = run(pool, "accept")
    with pool.reserve() as ticket, pytest.raises(WorkFailed) as failed:
        ticket.run(request("crash"))
    assert failed.value.why == "died"
    assert run(pool, "accept") != before


def test_a_process_that_hangs_is_ended_and_replaced() -> None:
    pool = FacePool(STUB, PoolSize(workers=1, waiting=0, time_limit=30))
    try:
        before = run(pool, "accept")
        pool._size = PoolSize(workers=1, waiting=0, time_limit=0.2)
        with pool.reserve() as ticket, pytest.raises(WorkFailed) as failed:
            ticket.run(request("hang"))
        assert failed.value.why == "late"
        pool._size = PoolSize(workers=1, waiting=0, time_limit=30)
        assert run(pool, "accept") != before
    finally:
        pool.close()


def test_a_process_is_replaced_after_so_many_requests(pool: FacePool) -> None:
    assert len({run(pool, "accept") for _ in range(7)}) > 1


def test_beyond_its_room_the_pool_says_no_at_once(pool: FacePool) -> None:
    tickets = [pool.reserve() for _ in range(3)]
    assert pool.inside == 3
    with pytest.raises(Overloaded) as refused:
        pool.reserve()
    assert refused.value.retry_after >= 1
    for ticket in tickets:
        with ticket:
            pass
    assert pool.inside == 0
    with pool.reserve():
        assert pool.inside == 1


def test_more_threads_than_processes_are_all_served(pool: FacePool) -> None:
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(run(pool, "accept"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3
    assert pool.inside == 0
