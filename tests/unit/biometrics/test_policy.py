from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from biometrics.dlib_models import DlibDetector, DlibEmbedder, DlibLandmarker
from biometrics.errors import PolicyError
from biometrics.matching import Matcher
from biometrics.policy import default_policy, load_policy, parse_policy

if TYPE_CHECKING:
    from pathlib import Path

TEXT = resources.files("biometrics").joinpath("policy.toml").read_text("utf-8")


def test_the_packaged_policy_reads() -> None:
    policy = default_policy()
    assert policy.accept_at_most < policy.review_at_most
    assert policy.embedder == DlibEmbedder().name
    # The bound that the policy states follows from its own count of impostor pairs.
    pairs = policy.evaluation.impostor_pairs
    assert policy.evaluation.false_matches == 0
    assert policy.evaluation.fmr_upper_ppm == pytest.approx((1 - 0.05 ** (1 / pairs)) * 1e6, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new", "member"),
    [
        ("v = 2", "v = 3", "policy.v"),
        ('id = "face-v3"', "id = 3", "policy.id"),
        ('id = "face-v3"', 'id = ""', "policy.id"),
        ("accept_at_most = 500", "accept_at_most = 0.5", "accept_at_most"),
        ("accept_at_most = 500", "accept_at_most = true", "accept_at_most"),
        ("accept_at_most = 500", "accept_at_most = 700", "review_at_most"),
        ("frames_at_least = 1", "frames_at_least = 0", "frames_at_least"),
        ("[session]", "[session]\nforever = true", "forever"),
        ("[evaluation]", "[measurement]", "evaluation"),
        ("v = 2", "v = ", "TOML"),
    ],
)
def test_a_wrong_policy_is_refused_naming_the_member(old: str, new: str, member: str) -> None:
    assert old in TEXT
    with pytest.raises(PolicyError, match=member):
        parse_policy(TEXT.replace(old, new, 1))


def test_a_changed_policy_has_another_canonical_form() -> None:
    changed = parse_policy(TEXT.replace("accept_at_most = 500", "accept_at_most = 501"))
    assert changed.canonical != default_policy().canonical
    assert parse_policy(TEXT + "\n# a comment\n").canonical == default_policy().canonical


def test_a_policy_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.toml"):
        load_policy(tmp_path / "none.toml")


def test_thresholds_hold_for_one_embedder_only() -> None:
    policy = parse_policy(TEXT.replace("dlib-resnet-v1", "another-net"))
    with pytest.raises(PolicyError, match="another-net"):
        Matcher(DlibDetector(), DlibLandmarker(), DlibEmbedder(), policy)
