from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from biometrics.attacks.statistics import Rate, upper_bound
from biometrics.det_plot import draw_det
from biometrics.evaluation import equal_error_rate, evaluate, rates
from biometrics.pairs import PairsRefused, read_pairs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from biometrics.matching import Matcher

DISTANCES = st.lists(st.floats(0, 1.2, allow_nan=False), min_size=1, max_size=20)


@pytest.mark.parametrize("trials", [1, 20, 262, 300])
def test_without_errors_the_bound_has_a_closed_form(trials: int) -> None:
    assert upper_bound(0, trials) == pytest.approx(1 - 0.05 ** (1 / trials))


def test_bounds_against_published_values() -> None:
    # Clopper and Pearson, one-sided 95 %, from tables of the binomial distribution.
    assert upper_bound(1, 20) == pytest.approx(0.2161, abs=1e-4)
    assert upper_bound(5, 100) == pytest.approx(0.1022, abs=1e-3)
    assert (upper_bound(3, 3), upper_bound(0, 0), Rate(0, 0).rate) == (1.0, 1.0, None)


def test_more_errors_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="2 errors"):
        Rate(2, 1)


@given(DISTANCES, DISTANCES)
def test_rates_move_one_way_with_the_threshold(genuine: list[float], impostor: list[float]) -> None:
    points = rates(genuine, impostor)
    for before, after in pairwise(points):
        assert (before.fmr or 0) <= (after.fmr or 0) <= after.fmr_upper
        assert (before.fnmr or 0) >= (after.fnmr or 0)
    eer = equal_error_rate(genuine, impostor)
    assert eer is not None
    assert 0 <= eer <= 1


def test_equal_error_rate() -> None:
    assert equal_error_rate([0.3, 0.4], [0.7, 0.8]) == 0
    assert equal_error_rate([0.3, 0.7], [0.4, 0.8]) == 0.5
    assert equal_error_rate([], [0.4]) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file_x is missing"),
        ("file_x,Decision\n", "file_y is missing"),
        ("file_x,file_y,Decision\n", "no pair"),
        ("file_x,file_y,Decision\na,b,Maybe\n", "line 2"),
        ("file_x,file_y,Decision\na\n", "line 2"),
        ("file_x,file_y,Decision\na,../b,No\n", "leads out"),
        ("file_x,file_y,Decision\na,/etc/b,No\n", "leads out"),
        ('file_x,file_y,Decision\na,"b,No\n', "can't be read"),
    ],
)
def test_a_bad_list_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(PairsRefused, match=said) as caught:
        read_pairs(tmp_path / "pairs.csv", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_picture_that_fails_fails_its_pairs(
    tmp_path: Path, matcher: Matcher, astronaut: Image.Image, encode: Callable[..., bytes]
) -> None:
    (tmp_path / "a.png").write_bytes(encode(astronaut, "PNG"))
    (tmp_path / "b.jpg").write_bytes(encode(astronaut.rotate(7), quality=80))
    (tmp_path / "c.jpg").write_bytes(b"")
    (tmp_path / "pairs.csv").write_text(
        "file_x,file_y,Decision\na.png,b.jpg,Yes\na.png,c.jpg,No\na.png,d,No\n"
    )
    answer = evaluate(matcher, read_pairs(tmp_path / "pairs.csv", tmp_path)).to_json("p")
    assert (answer["pairs"], answer["genuine"], answer["failed"]) == (3, 1, 2)
    assert [one["reason"] for one in answer["failures"]] == ["IMAGE_EMPTY", "FILE_UNREADABLE"]
    assert answer["eer"] is None


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    (tmp_path / "det.png").write_bytes(draw_det(rates([0.3, 0.6], [0.5, 0.9]), "two of each"))
    with Image.open(tmp_path / "det.png") as image:
        assert (image.format, image.size) == ("PNG", (720, 720))
