"""The pool of processes: real processes, pipes and deaths; no sockets, no clocks."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from biometrics.service.checker import CheckRequest, SentFrame
from biometrics.service.messages import fed_from_message, fed_to_message
from biometrics.service.pool import FacePool, FrameUnreadable, Overloaded, PoolSize, WorkFailed
from tests.unit.biometrics_service.stub_checker import StubCheck, jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from biometrics.service.messages import Fed
    from biometrics.service.pool import FacePlace

STUB = "tests.unit.biometrics_service.stub_checker:make"
REQUEST = CheckRequest({"v": 1, "steps": ["nod", "blink", "turn-left"]}, jpeg("reference"))


@pytest.fixture(scope="module")
def pool() -> Iterator[FacePool]:
    made = FacePool(STUB, PoolSize(workers=1, places=3, waiting=2, time_limit=30))
    yield made
    made.close()


@contextmanager
def begun(pool: FacePool) -> Iterator[FacePlace]:
    place = pool.take()
    try:
        place.begin(REQUEST)
        yield place
    finally:
        place.release()


def feed(place: FacePlace, word: str, *, last: bool = False) -> Fed:
    return place.feed([SentFrame(0, jpeg(word))], None, last=last)


def pid(place: FacePlace) -> int:
    result = feed(place, "accept", last=True).result
    assert result is not None
    found: int = result.measured["pid"]
    return found


def run(pool: FacePool, word: str = "accept") -> int:
    """Run a whole check; return the number of the process that did."""
    with begun(pool) as place:
        feed(place, word)
        return pid(place)


def test_a_process_serves_one_check_after_another(pool: FacePool) -> None:
    assert run(pool, "accept") == run(pool, "reject")


def test_checks_side_by_side_keep_their_own_state(pool: FacePool) -> None:
    with begun(pool) as first, begun(pool) as second:
        assert [feed(first, "ask").progress.asked, feed(first, "ask").progress.asked] == ["nod", "blink"]
        assert feed(second, "ask").progress.asked == "nod"
        done, going_on = feed(first, "retry", last=True).result, feed(second, "look").result
        assert done is not None
        assert (done.outcome, len(done.frame_digests), going_on) == ("retry", 3, None)
        assert feed(second, "ask").progress.index == 1


def test_a_picture_that_can_not_be_read_ends_one_check_only(pool: FacePool) -> None:
    with begun(pool) as other, begun(pool) as place:
        with pytest.raises(FrameUnreadable) as refused:
            feed(place, "unreadable")
        assert (refused.value.reason, refused.value.source) == ("IMAGE_UNREADABLE", "frame 0")
        with pytest.raises(WorkFailed):
            feed(place, "look")
        assert feed(other, "ask").progress.asked == "nod"


def test_an_unusable_reference_is_told(pool: FacePool) -> None:
    place = pool.take()
    with pytest.raises(FrameUnreadable) as refused:
        place.begin(CheckRequest(REQUEST.challenge, b"unusable"))
    place.release()
    assert refused.value.source == "reference"


def test_a_defect_tells_its_kind_and_nothing_else(pool: FacePool) -> None:
    with begun(pool) as place, pytest.raises(WorkFailed) as failed:
        feed(place, "fail")
    assert failed.value.why == "RuntimeError"
    assert "Wang" not in str(failed.value)


def test_a_process_that_dies_ends_its_checks_and_is_replaced(pool: FacePool) -> None:
    before = run(pool)
    with begun(pool) as other, begun(pool) as place:
        with pytest.raises(WorkFailed) as failed:
            feed(place, "crash")
        assert failed.value.why == "died"
        with pytest.raises(WorkFailed) as failed:
            feed(other, "look")
        assert failed.value.why == "gone"  # over another's frames
        with begun(pool) as fresh:
            assert pid(fresh) != before
        with pytest.raises(WorkFailed):
            feed(other, "look")  # not even now that there is a process again
    assert pool.inside == 0


def test_a_process_that_hangs_is_ended_and_replaced() -> None:
    pool = FacePool(STUB, PoolSize(workers=1, places=1, waiting=0, time_limit=30))
    try:
        before = run(pool)
        with begun(pool) as place:
            pool._size = PoolSize(workers=1, places=1, waiting=0, time_limit=0.2)
            with pytest.raises(WorkFailed) as failed:
                feed(place, "hang")
            assert failed.value.why == "late"
        pool._size = PoolSize(workers=1, places=1, waiting=0, time_limit=30)
        assert run(pool) != before
    finally:
        pool.close()


def test_a_process_is_replaced_after_so_many_checks_once_it_is_empty() -> None:
    pool = FacePool(STUB, PoolSize(workers=1, places=2, checks_per_worker=2, time_limit=30))
    try:
        with begun(pool) as first:
            before = run(pool)
            with pytest.raises(Overloaded):
                pool.take()
            assert pid(first) == before
        assert run(pool) != before
    finally:
        pool.close()


def test_beyond_its_places_the_pool_says_no_at_once(pool: FacePool) -> None:
    places = [pool.take() for _ in range(3)]
    assert pool.inside == 3
    with pytest.raises(Overloaded) as refused:
        pool.take()
    assert refused.value.retry_after >= 1
    for place in places:
        place.release()
        place.release()  # once more does no harm
    assert pool.inside == 0


def test_checks_go_where_there_is_most_room() -> None:
    pool = FacePool(STUB, PoolSize(workers=2, places=2))
    assert [pool.take()._worker for _ in range(4)].count(pool._workers[0]) == 2


def test_more_chunks_than_may_wait_are_refused_at_once(tmp_path: Path) -> None:
    pool = FacePool(STUB, PoolSize(workers=1, places=3, waiting=1, time_limit=60))
    gate, done = tmp_path / "gate", []
    try:
        with begun(pool) as first, begun(pool) as second, begun(pool) as third:
            threads = [
                threading.Thread(target=lambda p=place, w=word: done.append(feed(p, w)))
                for place, word in ((first, f"until {gate}"), (second, "look"))
            ]
            for thread in threads:
                thread.start()
            turn = threading.Event()
            while pool._workers[0]._room._value:
                turn.wait(0.02)
            with pytest.raises(Overloaded):
                feed(third, "look")
            gate.touch()
            for thread in threads:
                thread.join()
            assert feed(third, "ask").progress.index == 0  # nothing of what was refused was taken
        assert len(done) == 2
    finally:
        pool.close()


def test_a_released_place_is_forgotten_by_its_process(pool: FacePool) -> None:
    with begun(pool) as place:
        feed(place, "look")
    with pytest.raises(WorkFailed) as failed:
        feed(place, "look")
    assert failed.value.why == "KeyError"


def test_without_a_beginning_nothing_is_judged(pool: FacePool) -> None:
    place = pool.take()
    with pytest.raises(WorkFailed):
        feed(place, "look")
    place.release()


def message() -> dict[str, Any]:
    check = StubCheck(REQUEST)
    return fed_to_message(check.feed([SentFrame(0, jpeg("ask"))], None), check.conclude())


def test_what_a_process_says_is_read_as_it_was_meant() -> None:
    fed = fed_from_message(message())
    assert (fed.progress.asked, fed.progress.index) == ("nod", 0)
    assert fed.result is not None
    assert fed_to_message(fed.progress, fed.result) == message() | {
        "progress": fed_to_message(fed.progress, None)["progress"],
        "result": fed_to_message(fed.progress, fed.result)["result"],
    }


@pytest.mark.parametrize(
    ("part", "member", "wrong"),
    [
        ("progress", "asked", 1),
        ("progress", "index", -1),
        ("progress", "advice", [1]),
        ("progress", "over", 1),
        ("progress", "digests", [b"short"]),
        ("progress", "digests", 7),
        ("result", "outcome", "perhaps"),
        ("result", "distance", 0.5),
        ("result", "frames", ["a"]),
        ("result", "reasons", [None]),
        ("result", "basis", []),
        ("result", "reference_digest", b""),
    ],
)
def test_a_process_that_was_taken_over_says_nothing_that_is_believed(
    part: str, member: str, wrong: Any
) -> None:
    said = message()
    said[part][member] = wrong
    with pytest.raises(ValueError, match="members"):
        fed_from_message(said)
    del said[part][member]
    with pytest.raises(ValueError, match="members"):
        fed_from_message(said)
