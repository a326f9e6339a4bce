"""What the policy sets, by stage; every number is an integer so that the policy has one canonical form."""

from __future__ import annotations

from dataclasses import dataclass

from biometrics.tables import limit


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """When a frame is good enough to be matched. Angles in degrees, levels 0 to 255."""

    width_at_least: int = limit(40, 4000)  # pixels of the face's box
    yaw_at_most: int = limit(1, 90)
    pitch_at_most: int = limit(1, 90)
    roll_at_most: int = limit(1, 90)
    sharpness_at_least: int = limit(0, 100_000)  # thousandths, see quality.sharpness
    level_at_least: int = limit(0, 255)  # median of the face
    level_at_most: int = limit(0, 255)
    contrast_at_least: int = limit(0, 255)  # between the face's 5th and 95th percentile
    halves_differ_at_most: int = limit(0, 255)  # left from right
    covered_at_most: int = limit(0, 255)  # hue of one patch of skin against the others
    eye_light_at_least: int = limit(0, 1000)  # thousandths, eyes over cheeks


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """The movements. Times in milliseconds; angles in degrees; the rest in thousandths of own baseline."""

    frames_at_least: int = limit(5, 1000)  # good frames whose median distance decides
    frame_gap_at_most: int = limit(50, 5000)
    frames_a_second_at_least: int = limit(1, 60)
    baseline_frames: int = limit(3, 100)
    baseline_within: int = limit(1000, 120_000)
    neutral_hold: int = limit(100, 5000)
    neutral_within: int = limit(500, 120_000)
    step_within: int = limit(1000, 120_000)
    pause_at_least: int = limit(0, 10_000)
    pause_at_most: int = limit(0, 10_000)
    reaction_at_least: int = limit(0, 1000)
    hold_frames: int = limit(1, 20)
    wrong_frames: int = limit(1, 20)
    lost_frames_at_most: int = limit(0, 100)
    turn_at_least: int = limit(3, 60)
    nod_at_least: int = limit(3, 60)
    neutral_angle_at_most: int = limit(1, 30)
    mouth_at_least: int = limit(20, 1000)  # opening over pupil distance, beyond the baseline
    eyes_narrow_at_most: int = limit(100, 1000)  # aspect ratio over that of the own open eyes
    eyes_closed_at_most: int = limit(100, 950)  # mean of that ratio and of the correlation with them
    long_closure: int = limit(200, 10_000)
    overlap_at_least: int = limit(0, 1000)  # boxes of consecutive frames
    likeness_at_least: int = limit(-1000, 1000)  # correlation of consecutive aligned faces
    attempts_before_other_route: int = limit(1, 20)


@dataclass(frozen=True, slots=True)
class PassiveLimits:
    """The checks that ask nothing of the person. Thousandths unless it says otherwise."""

    texture_frames: int = limit(1, 100)
    texture_at_most: int = limit(0, 1_000_000)  # peak over its surroundings in the mean spectrum
    flat_angle_at_least: int = limit(5, 80)  # degrees of foreshortening that call for relief
    relief_at_least: int = limit(0, 2000)  # angle by relief over angle by foreshortening
    flat_frames: int = limit(1, 100)
    depth_at_least: int = limit(0, 1000)  # off-plane movement of landmarks in a turn
    parallax_at_least: int = limit(-1000, 1000)  # of the nose, over the pupil distance, in ten degrees
    parallax_at_most: int = limit(0, 1000)  # more than a nose can: the landmarks went astray
    duplicates_at_most: int = limit(0, 1000)  # frames equal to one that isn't its neighbour
    still_within: int = limit(100, 60_000)  # milliseconds that a picture may stand still
    still_at_most: int = limit(0, 100_000)  # change that counts as none, thousandths of a level
    loop_frames: int = limit(3, 200)
    loop_at_most: int = limit(0, 1000)  # distance to the earlier stretch over movement within it
