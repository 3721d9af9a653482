"""Built-in data set `synthact`: actions, scenes and frames."""

import hashlib
import subprocess
import sys
from collections import Counter
from dataclasses import astuple, replace

import numpy as np
import pytest

from fsarbench.data.synthetic.synthact.actions import ACTIONS, RECIPE
from fsarbench.data.synthetic.synthact.dataset import draw, plan, render
from fsarbench.data.synthetic.synthact.motions import MOTIONS
from fsarbench.data.synthetic.synthact.scene import BACKGROUNDS, COLOURS, SHAPES, TEXTURES
from fsarbench.data.synthetic.synthact.scene_setup import MANNERS, scene

# Pinned hashes of frames. If rendered frames change, increase RECIPE, so that existing folders are
# not reused, and copy the new values from the output of the failing test.
PINNED_RECIPE = "synthact-1"
PINNED = {
    0: "c6e1d02a0ac5f989",
    24: "c9d47f3a5f2c1d8c",
    45: "f0244d2906e9eb3e",
    70: "be861be90ad98935",
    85: "455b7f86f7b76520",
    99: "56fa8219eec05430",
}


def reverse_of(action):
    """The action that the reversed clips of this one show; None where there is none."""
    key = (action.motion, action.manner, not action.backwards)
    return next((a for a in ACTIONS if (a.motion, a.manner, a.backwards) == key), None)


def tracks(action, index):
    return [thing.track for thing in scene(action, index).things]


def test_splits_have_64_12_and_24_classes():
    assert Counter(a.split for a in ACTIONS) == {"train": 64, "val": 12, "test": 24}


def test_names_and_compositions_are_unique():
    assert len({a.name for a in ACTIONS}) == 100
    assert len({(a.motion, a.manner, a.backwards) for a in ACTIONS}) == 100


@pytest.mark.parametrize(("split", "least"), [("train", 8), ("test", 6)])
def test_reversed_pairs_stay_within_a_split(split, least):
    paired = [a for a in ACTIONS if a.split == split and reverse_of(a)]
    assert len(paired) >= 2 * least
    assert all(reverse_of(a).split == split for a in paired)
    assert all(reverse_of(reverse_of(a)) == a for a in paired)


@pytest.mark.parametrize("action", [a for a in ACTIONS if reverse_of(a)], ids=lambda a: a.name)
def test_a_reversed_action_is_the_same_clip_in_reverse_order(action):
    # Equal names give equal random numbers, so that only the direction of time differs.
    reversed_action = replace(reverse_of(action), name=action.name)
    pairs = zip(tracks(action, 3), tracks(reversed_action, 3), strict=True)
    for track, reversed_track in pairs:
        for curve, reverse in zip(astuple(track), astuple(reversed_track), strict=True):
            np.testing.assert_array_equal(curve, reverse[::-1])


def canonical_curves(action):
    """Curves of an action in motion coordinates, without random choices."""
    course = np.linspace(0.0, 1.0, 33)
    manner = MANNERS[action.manner]
    time = manner.course(course)
    paths = MOTIONS[action.motion].paths(time, 0.5)
    curves = np.array([astuple(manner.effect(path, course, time)) for path in paths])
    return curves[..., ::-1] if action.backwards else curves


def test_all_actions_differ_clearly():
    curves = [(action, canonical_curves(action)) for action in ACTIONS]
    for i, (action, first) in enumerate(curves):
        for other, second in curves[:i]:
            if first.shape == second.shape:
                assert np.abs(first - second).max() > 0.25, (action.name, other.name)


def test_all_manners_of_the_test_split_occur_in_training():
    train = {a.manner for a in ACTIONS if a.split == "train"}
    assert {a.manner for a in ACTIONS if a.split == "test"} <= train


def test_frames_are_pinned():
    hashes = {i: hashlib.sha256(render(ACTIONS[i], 7).tobytes()).hexdigest()[:16] for i in PINNED}
    assert (RECIPE, hashes) == (PINNED_RECIPE, PINNED)


def test_rendered_frames_equal_those_of_the_scene():
    action = ACTIONS[46]
    frames = render(action, 2)
    assert frames.shape == (32, 80, 80, 3)
    for frame in (0, 13, 31):
        np.testing.assert_array_equal(frames[frame], draw(scene(action, 2), frame))


def test_clips_of_a_class_differ():
    assert not np.array_equal(render(ACTIONS[0], 0), render(ACTIONS[0], 1))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.name)
def test_objects_stay_in_the_frame(action):
    for index in range(6):
        for track in tracks(action, index)[: MOTIONS[action.motion].things]:
            inside = (np.abs(track.x - 0.5) < 0.5) & (np.abs(track.y - 0.5) < 0.5)
            assert inside.all() or MOTIONS[action.motion].room == "edge"
            assert inside.any()
            assert track.opacity.max() > 0.9


def test_the_distribution_of_appearance_is_the_same_in_every_class():
    for action in (ACTIONS[0], ACTIONS[46], ACTIONS[80], ACTIONS[99]):
        clips = [scene(action, index) for index in range(150)]
        looks = [clip.things[0].look for clip in clips]
        properties = {
            SHAPES: [look.shape for look in looks],
            tuple(COLOURS): [look.colour for look in looks],
            TEXTURES: [look.texture for look in looks],
            BACKGROUNDS: [clip.background.kind for clip in clips],
        }
        for values, sampled in properties.items():
            counts = np.array([sampled.count(value) for value in values])
            relative = counts * len(values) / len(sampled)
            assert relative.min() > 0.25
            assert relative.max() < 2.0


def test_about_half_of_the_clips_have_a_distractor():
    count = sum(t.distractor for a in ACTIONS for i in range(4) for t in scene(a, i).things)
    assert 160 < count < 240


def test_invisible_objects_are_not_painted():
    clip = scene(ACTIONS[0], 0)
    transparent = [replace(t, track=t.track.blended(opacity=0.0)) for t in clip.things]
    outside = [replace(t, track=t.track.blended(dx=9.0)) for t in clip.things]
    np.testing.assert_array_equal(
        draw(replace(clip, things=tuple(transparent)), 4),
        draw(replace(clip, things=tuple(outside)), 4),
    )


def test_objects_in_front_are_painted_last():
    clip = scene(next(a for a in ACTIONS if a.motion == "pass_front"), 0)
    assert clip.back_to_front(10)[-1] == 0
    behind = scene(next(a for a in ACTIONS if a.motion == "pass_behind"), 0)
    assert behind.back_to_front(10)[-1] == 1


def nearest_neighbour_accuracy(features, labels):
    """5-way 1-shot accuracy of the nearest support video, over fixed episodes."""
    bits = np.random.PCG64(np.random.SeedSequence([5])).random_raw(200 * 24).reshape(200, 24)
    correct = 0
    for row in bits:
        classes = np.argsort(row)[:5]
        shots = np.array([np.flatnonzero(labels == c)[0] for c in classes])
        queries = np.array([np.flatnonzero(labels == c)[1 + int(row[c] % 3)] for c in classes])
        distances = ((features[queries][:, None] - features[shots][None]) ** 2).sum(-1)
        correct += int((distances.argmin(1) == np.arange(5)).sum())
    return correct / 1000


def motion_features(action, index):
    """Centred position, scale and opacity of the one or two objects, without their appearance."""
    curves = [np.array(astuple(t)[:6]) for t in tracks(action, index)]
    curves = [*curves[: MOTIONS[action.motion].things], np.zeros((6, 32))][:2]
    curves[0] = curves[0] - np.pad(curves[0][:2].mean(1), (0, 4))[:, None]
    return np.concatenate(curves)[[0, 1, 2, 5, 6, 7, 8, 11]].ravel()


def test_motion_separates_the_classes_and_appearance_does_not():
    clips = [(a, i) for a in ACTIONS if a.split == "test" for i in range(4)]
    labels = np.repeat(np.arange(24), 4)
    averages = np.array([render(*clip).mean(0).ravel() / 255 for clip in clips])
    motions = np.array([motion_features(*clip) for clip in clips])
    assert nearest_neighbour_accuracy(averages, labels) < 0.35
    assert nearest_neighbour_accuracy(motions, labels) > 0.6


def test_videos_do_not_depend_on_the_number_of_videos():
    few, many = plan(1, 1, 2), plan(3, 3, 4)
    assert set(few.clips) < set(many.clips)
    assert few.hash != many.hash
    assert len(plan().clips) == 64 * 30 + 12 * 30 + 24 * 40


def test_rendering_does_not_import_torch():
    code = "import sys, fsarbench.data.synthetic.synthact.dataset; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
