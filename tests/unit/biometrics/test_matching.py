"""The real models on the one face that needs no files, and on one box of them (marker `faces`)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageEnhance

from biometrics.decision import Outcome, decide
from biometrics.errors import FaceRefused
from biometrics.locate import locate_face
from biometrics.matching import default_matcher
from biometrics.picture import load_picture, picture_of_pixels, read_picture
from biometrics.policy import default_policy
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from biometrics.matching import Matcher
    from biometrics.picture import Picture


@pytest.fixture(scope="module")
def reference(astronaut: Image.Image) -> Picture:
    return picture_of_pixels(np.asarray(astronaut), "reference")


def coffee() -> Image.Image:
    """A real picture without a face."""
    return Image.fromarray(skimage.data.coffee())  # type: ignore[no-untyped-call]


def turned(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC)


TRANSFORMED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": lambda image: image.copy(),
    "turned": lambda image: turned(image, 8),
    "turned the other way": lambda image: turned(image, -12),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "grey": lambda image: image.convert("L"),
    "cut and enlarged": lambda image: image.crop((110, 30, 340, 260)).resize((600, 600)),
}


@pytest.mark.parametrize("name", list(TRANSFORMED))
def test_another_picture_of_the_face_is_accepted(
    matcher: Matcher, reference: Picture, astronaut: Image.Image, encode: Callable[..., bytes], name: str
) -> None:
    probe = read_picture(encode(TRANSFORMED[name](astronaut), quality=70), "probe")
    decision = matcher.match(reference, [probe])
    assert decision.outcome is Outcome.ACCEPT
    assert decision.per_mille is not None
    assert 0 < decision.per_mille <= 300


def test_several_frames_are_decided_by_their_median(
    matcher: Matcher, reference: Picture, astronaut: Image.Image, encode: Callable[..., bytes]
) -> None:
    frames = [read_picture(encode(turned(astronaut, degrees))) for degrees in (2, 5, 9)]
    frames.append(picture_of_pixels(np.asarray(coffee()), "no face"))
    decision = matcher.match(reference, frames)
    assert decision.outcome is Outcome.ACCEPT
    assert len(decision.frames) == 3
    assert decision.per_mille == sorted(decision.frames)[1]


@pytest.mark.parametrize("kind", ["PNG", "pixels"])
def test_the_reference_itself_is_no_probe(
    matcher: Matcher, reference: Picture, astronaut: Image.Image, encode: Callable[..., bytes], kind: str
) -> None:
    copy = picture_of_pixels(reference.pixels) if kind == "pixels" else read_picture(encode(astronaut, "PNG"))
    decision = matcher.match(reference, [read_picture(encode(astronaut)), copy])
    assert (decision.outcome, decision.reasons) == (Outcome.REJECT, (Reason.REPLAYED_REFERENCE,))
    assert decision.distance is None


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        (lambda image: coffee(), Reason.NO_FACE),
        (lambda image: Image.fromarray(np.hstack([np.asarray(image)] * 2)), Reason.SEVERAL_FACES),
        (lambda image: image.resize((256, 256)), Reason.FACE_TOO_SMALL),
        (lambda image: image.crop((193, 0, 512, 512)), Reason.FACE_CUT_OFF),
    ],
)
def test_an_unusable_frame_asks_for_another_try(
    matcher: Matcher,
    reference: Picture,
    encode: Callable[..., bytes],
    probe: Callable[[Image.Image], Image.Image],
    reason: Reason,
) -> None:
    shown = probe(Image.fromarray(reference.pixels))
    decision = matcher.match(reference, [read_picture(encode(shown))])
    assert (decision.outcome, decision.reasons) == (Outcome.RETRY, (reason,))


def test_an_unusable_reference_is_nobodys_retry(matcher: Matcher, reference: Picture) -> None:
    blank = picture_of_pixels(np.asarray(coffee()), "kyc")
    with pytest.raises(FaceRefused, match="kyc: no face"):
        matcher.match(blank, [reference])


def test_a_face_in_a_large_picture_is_found_where_it_is(matcher: Matcher, astronaut: Image.Image) -> None:
    canvas = Image.new("RGB", (4000, 3000))
    canvas.paste(astronaut.resize((2048, 2048)), (1900, 500))
    face = locate_face(
        picture_of_pixels(np.asarray(canvas)), matcher.detector, matcher.landmarker, width_at_least=80
    )
    assert face.box.left == pytest.approx(1900 + 4 * 179, abs=60)
    assert face.box.width == pytest.approx(4 * 87, rel=0.25)
    assert len(face.landmarks.points) == 68


def test_a_template_is_a_read_only_unit_of_128_numbers(matcher: Matcher, reference: Picture) -> None:
    template = matcher.template(reference)
    assert template.vector.shape == (128,)
    assert repr(template) == "Template()"
    with pytest.raises(ValueError, match="read-only"):
        template.vector[0] = 0.0


@pytest.mark.faces
def test_same_letter_pairs_are_accepted_and_different_never(faces: Path, matcher: Matcher) -> None:
    names = ["a1", "a2", "a3", "b1", "b2", "c1", "c2", "d1", "d2"]
    templates = {name: matcher.template(load_picture(faces / f"{name}.jpg")) for name in names}
    outcomes: dict[bool, list[Outcome]] = {True: [], False: []}
    for one, other in combinations(names, 2):
        distance = templates[one].distance(templates[other])
        outcomes[one[0] == other[0]].append(decide(default_policy(), [distance]).outcome)
    assert len(outcomes[True]) == 6
    assert outcomes[True].count(Outcome.ACCEPT) >= 4
    assert Outcome.REJECT not in outcomes[True]
    assert len(outcomes[False]) == 30
    assert set(outcomes[False]) == {Outcome.REJECT}


@pytest.mark.faces
@pytest.mark.parametrize(
    ("name", "reason"), [("a_partial", Reason.FACE_CUT_OFF), ("two_people", Reason.SEVERAL_FACES)]
)
def test_unusable_pictures_are_refused_by_name(faces: Path, name: str, reason: Reason) -> None:
    with pytest.raises(FaceRefused) as caught:
        default_matcher().template(load_picture(faces / f"{name}.jpg"))
    assert caught.value.reason is reason
