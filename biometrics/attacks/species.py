"""The attack species: what is before the camera at each moment, given what is asked for.

A presentation is deterministic in its seed. `asked` reaches the species that a person operates (print,
mask, wrong order, face swap); recordings (replay, loop, frozen after a while) run on regardless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from biometrics.attacks.instruments import Screen, cut_out, printed, sheet_of
from biometrics.challenge import SEQUENCES, Step
from biometrics.synthesis.actor import Actor, Manner
from biometrics.synthesis.camera import Camera
from biometrics.synthesis.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


GENERATORS = "attacks-v2"  # v1 could swap faces before the challenge began, which attacks nothing

_HALF = 0.5
_MOST = 0.8
_SHEET_TURN = (24.0, 38.0)  # degrees: a sheet is turned further, to look turned
_SHEET_NOD = (20.0, 32.0)


class Presentation(Protocol):
    """What a camera sees, frame by frame."""

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time (milliseconds); `asked` is shown as step `index` just now."""
        ...


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a presentation is built from: the victim, somebody else, and the sequence that is demanded."""

    victim: Renderer
    other: Renderer
    demanded: tuple[Step, ...]
    rng: np.random.Generator


@dataclass(slots=True)
class Live:
    """A person (or an operated instrument) answers, seen by a camera."""

    renderer: Renderer
    actor: Actor
    camera: Camera

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time."""
        return self.camera.take(self.renderer.render(self.actor.perform(at, asked, index)))


@dataclass(slots=True)
class Replayed:
    """A recording of some earlier session, shown on a screen from its beginning."""

    renderer: Renderer
    actor: Actor
    schedule: tuple[tuple[int, Step], ...]
    screen: Screen
    recorder: Camera
    camera: Camera

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time; what is asked for doesn't reach a recording."""
        del asked, index
        due = [(number, step) for number, (begins, step) in enumerate(self.schedule) if at >= begins]
        number, step = due[-1] if due else (0, None)
        scene = self.recorder.take(self.renderer.render(self.actor.perform(at, step, number)))
        return self.camera.take(self.screen.show(scene, at))


@dataclass(slots=True)
class Frozen:
    """A live picture that stands still from some moment on; half of them with the camera's noise going on."""

    live: Live
    since: int
    noisy: bool
    held: NDArray[np.uint8] | None = None

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time."""
        if at < self.since:
            return self.live.frame(at, asked, index)
        if self.held is None:
            scene = self.live.renderer.render(self.live.actor.perform(at, asked, index))
            self.held = scene if self.noisy else self.live.camera.take(scene)
        return self.live.camera.take(self.held) if self.noisy else self.held


@dataclass(slots=True)
class Looped:
    """A stretch of a recording, again and again, put in place of the camera."""

    renderer: Renderer
    actor: Actor
    schedule: tuple[tuple[int, Step], ...]
    length: int
    camera: Camera
    exact: bool
    kept: dict[int, NDArray[np.uint8]]

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time."""
        del asked, index
        within = at % self.length
        if within not in self.kept:
            due = [(number, step) for number, (begins, step) in enumerate(self.schedule) if within >= begins]
            number, step = due[-1] if due else (0, None)
            scene = self.renderer.render(self.actor.perform(within, step, number))
            self.kept[within] = self.camera.take(scene) if self.exact else scene
        return self.kept[within] if self.exact else self.camera.take(self.kept[within])


@dataclass(slots=True)
class Reordered:
    """A living person who makes the right movements in another order."""

    live: Live
    order: tuple[Step, ...]

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time."""
        return self.live.frame(at, None if asked is None else self.order[index], index)


@dataclass(slots=True)
class Swapped:
    """Two people answer: the first until some moment after a step, then the second."""

    first: Live
    second: Live
    after: int
    delay: int
    since: int | None = None

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        """Return the frame at a time."""
        if self.since is None and index >= self.after:
            self.since = at + self.delay
        both = (self.first, self.second)
        if self.since is None or at < self.since:
            both[1].actor.perform(at, asked, index)  # answers too, unseen
            return both[0].frame(at, asked, index)
        return both[1].frame(at, asked, index)


def genuine(scenario: Scenario) -> Presentation:
    """Return the right person doing what is asked. Synthetic, like everything here."""
    rng = scenario.rng
    return Live(scenario.victim, Actor(rng), Camera(rng))


def _print(scenario: Scenario) -> Presentation:
    rng = scenario.rng
    radius = float(rng.uniform(80, 250)) if rng.random() < _HALF else None  # half are bent
    manner = Manner(turn=_SHEET_TURN, nod=_SHEET_NOD, sway=9.0, eyes=False, lips=False)
    sheet = sheet_of(printed(scenario.victim.portrait, rng), radius)
    return Live(Renderer(sheet), Actor(rng, manner), Camera(rng))


def _mask(scenario: Scenario) -> Presentation:
    rng = scenario.rng
    radius = float(rng.uniform(90, 300)) if rng.random() < _MOST else None  # worn, most are bent
    manner = Manner(turn=_SHEET_TURN, nod=_SHEET_NOD)
    sheet = sheet_of(cut_out(printed(scenario.victim.portrait, rng)), radius)
    return Live(Renderer(sheet), Actor(rng, manner), Camera(rng))


def _recording(rng: np.random.Generator, steps: tuple[Step, ...]) -> tuple[tuple[int, Step], ...]:
    """Return when an earlier session asked for its steps: calm first, then each after the one before."""
    at, schedule = int(rng.integers(1500, 3000)), []
    for step in steps:
        schedule.append((at, step))
        at += int(rng.integers(2600, 5200))
    return tuple(schedule)


def _replay_of(scenario: Scenario, steps: tuple[Step, ...]) -> Presentation:
    rng = scenario.rng
    return Replayed(
        scenario.victim, Actor(rng), _recording(rng, steps), Screen(rng), Camera(rng), Camera(rng)
    )


def _replay(scenario: Scenario) -> Presentation:
    others = [steps for steps in SEQUENCES if steps != scenario.demanded]
    return _replay_of(scenario, others[int(scenario.rng.integers(len(others)))])


def _random_replay(scenario: Scenario) -> Presentation:
    return _replay_of(scenario, SEQUENCES[int(scenario.rng.integers(len(SEQUENCES)))])


def _matching_replay(scenario: Scenario) -> Presentation:
    return _replay_of(scenario, scenario.demanded)


def _frozen(scenario: Scenario) -> Presentation:
    rng = scenario.rng
    live = Live(scenario.victim, Actor(rng), Camera(rng))
    return Frozen(live, int(rng.integers(800, 5000)), bool(rng.random() < _HALF))  # half


def _loop(scenario: Scenario) -> Presentation:
    rng = scenario.rng
    count = int(rng.integers(0, 3))
    steps = tuple(Step(name) for name in rng.permutation([step.value for step in Step])[:count])
    schedule = tuple((500 + 2600 * index, step) for index, step in enumerate(steps))
    frames = int(rng.integers(15, 30)) + 26 * count
    return Looped(
        scenario.victim, Actor(rng), schedule, frames * 100, Camera(rng), bool(rng.random() < _HALF), {}
    )


def _wrong_order(scenario: Scenario) -> Presentation:
    rng = scenario.rng
    orders = [
        steps for steps in SEQUENCES if set(steps) == set(scenario.demanded) and steps != scenario.demanded
    ]
    live = Live(scenario.victim, Actor(rng), Camera(rng))
    return Reordered(live, orders[int(rng.integers(len(orders)))])


def _face_swap(scenario: Scenario) -> Presentation:
    rng = scenario.rng
    camera = Camera(rng)
    first, second = Live(scenario.victim, Actor(rng), camera), Live(scenario.other, Actor(rng), camera)
    if rng.random() < _HALF:  # half begin with the attacker
        first, second = second, first
    return Swapped(first, second, int(rng.integers(1, 3)), int(rng.integers(0, 1500)))


# A name ends in "-matching" where the demanded sequence is shown on purpose: reported apart.
SPECIES: dict[str, Callable[[Scenario], Presentation]] = {
    "print": _print,
    "replay": _replay,
    "mask-cutout": _mask,
    "frozen": _frozen,
    "loop": _loop,
    "wrong-order": _wrong_order,
    "face-swap": _face_swap,
    "random-replay": _random_replay,
    "replay-matching": _matching_replay,
}
