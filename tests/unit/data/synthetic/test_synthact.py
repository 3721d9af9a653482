"""The catalogue, the scenes and the frames of `synthact`."""

import hashlib
import subprocess
import sys
from collections import Counter
from dataclasses import astuple, replace

import numpy as np
import pytest

from fsarbench.data.synthetic.synthact.actions import ACTIONS, RECIPE
from fsarbench.data.synthetic.synthact.appearance import COLOURS, SHAPES, TEXTURES
from fsarbench.data.synthetic.synthact.dataset import plan, render
from fsarbench.data.synthetic.synthact.draw import draw
from fsarbench.data.synthetic.synthact.motions import MOTIONS
from fsarbench.data.synthetic.synthact.scene import BACKGROUNDS
from fsarbench.data.synthetic.synthact.scene_setup import MANNERS, scene

# Frames of these clips, pinned: whoever changes a pixel must raise RECIPE, or finished folders
# would pass for what they are not. (Print the new values by running the test.)
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
def test_backwards_is_the_same_clip_last_frame_first(action):
    # Equal names draw equal numbers, so only the direction of time differs.
    other = replace(reverse_of(action), name=action.name)
    for one, two in zip(tracks(action, 3), tracks(other, 3), strict=True):
        for curve, reverse in zip(astuple(one), astuple(two), strict=True):
            np.testing.assert_array_equal(curve, reverse[::-1])


def canonical(action):
    """All curves of an action as it is on the stage, without any free choice."""
    course = np.linspace(0.0, 1.0, 33)
    manner = MANNERS[action.manner]
    time = manner.course(course)
    paths = MOTIONS[action.motion].paths(time, 0.5)
    done = [astuple(manner.effect(path, course, time)) for path in paths]
    curves = np.array(done)
    return curves[..., ::-1] if action.backwards else curves


def test_no_two_actions_look_the_same():
    curves = [(a, canonical(a)) for a in ACTIONS]
    for i, (one, first) in enumerate(curves):
        for two, second in curves[:i]:
            if first.shape == second.shape:
                assert np.abs(first - second).max() > 0.25, (one.name, two.name)


def test_train_holds_most_ingredients_of_test():
    train = {a.manner for a in ACTIONS if a.split == "train"}
    assert {a.manner for a in ACTIONS if a.split == "test"} <= train


def test_frames_are_pinned():
    found = {i: hashlib.sha256(render(ACTIONS[i], 7).tobytes()).hexdigest()[:16] for i in PINNED}
    assert (RECIPE, found) == (PINNED_RECIPE, PINNED)


def test_render_is_the_drawn_scene():
    action = ACTIONS[46]
    frames = render(action, 2)
    assert frames.shape == (32, 80, 80, 3)
    for frame in (0, 13, 31):
        np.testing.assert_array_equal(frames[frame], draw(scene(action, 2), frame))


def test_clips_of_a_class_differ():
    assert not np.array_equal(render(ACTIONS[0], 0), render(ACTIONS[0], 1))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.name)
def test_things_stay_in_the_frame(action):
    for index in range(6):
        for track in tracks(action, index)[: MOTIONS[action.motion].things]:
            inside = (np.abs(track.x - 0.5) < 0.5) & (np.abs(track.y - 0.5) < 0.5)
            assert inside.all() or MOTIONS[action.motion].room == "edge"
            assert inside.any()
            assert track.opacity.max() > 0.9


def test_appearance_has_the_same_law_in_every_class():
    # Looks are the first draws, so each class must show every word and none of them too often.
    for action in (ACTIONS[0], ACTIONS[46], ACTIONS[80], ACTIONS[99]):
        clips = [scene(action, index) for index in range(150)]
        looks = [clip.things[0].look for clip in clips]
        words = {
            SHAPES: [look.shape for look in looks],
            tuple(COLOURS): [look.colour for look in looks],
            TEXTURES: [look.texture for look in looks],
            BACKGROUNDS: [clip.background.kind for clip in clips],
        }
        for known, seen in words.items():
            shares = np.array([seen.count(word) for word in known]) * len(known) / len(seen)
            assert shares.min() > 0.25
            assert shares.max() < 2.0


def test_a_distractor_is_in_about_half_of_the_clips():
    count = sum(t.distractor for a in ACTIONS for i in range(4) for t in scene(a, i).things)
    assert 160 < count < 240


def test_a_draw_of_a_hidden_thing_is_the_background():
    clip = scene(ACTIONS[0], 0)
    gone = [replace(t, track=t.track.blended(opacity=0.0)) for t in clip.things]
    away = [replace(t, track=t.track.blended(dx=9.0)) for t in clip.things]
    np.testing.assert_array_equal(
        draw(replace(clip, things=tuple(gone)), 4), draw(replace(clip, things=tuple(away)), 4)
    )


def test_a_nearer_thing_hides_a_farther_one():
    clip = scene(next(a for a in ACTIONS if a.motion == "pass_front"), 0)
    assert clip.back_to_front(10)[-1] == 0
    behind = scene(next(a for a in ACTIONS if a.motion == "pass_behind"), 0)
    assert behind.back_to_front(10)[-1] == 1


def nearest_accuracy(features, labels):
    """5-way 1-shot with the nearest support, over fixed episodes."""
    bits = np.random.PCG64(np.random.SeedSequence([5])).random_raw(200 * 24).reshape(200, 24)
    right = 0
    for row in bits:
        classes = np.argsort(row)[:5]
        shots = np.array([np.flatnonzero(labels == c)[0] for c in classes])
        queries = np.array([np.flatnonzero(labels == c)[1 + int(row[c] % 3)] for c in classes])
        gaps = ((features[queries][:, None] - features[shots][None]) ** 2).sum(-1)
        right += int((gaps.argmin(1) == np.arange(5)).sum())
    return right / 1000


def whereabouts(action, index):
    """Centred courses of the one or two things, blind to looks."""
    two = [np.array(astuple(t)[:6]) for t in tracks(action, index)]
    two = [*two[: MOTIONS[action.motion].things], np.zeros((6, 32))][:2]
    two[0] = two[0] - np.pad(two[0][:2].mean(1), (0, 4))[:, None]
    return np.concatenate(two)[[0, 1, 2, 5, 6, 7, 8, 11]].ravel()


def test_appearance_does_not_solve_it_but_motion_does():
    clips = [(a, i) for a in ACTIONS if a.split == "test" for i in range(4)]
    labels = np.repeat(np.arange(24), 4)
    averages = np.array([render(*clip).mean(0).ravel() / 255 for clip in clips])
    courses = np.array([whereabouts(*clip) for clip in clips])
    assert nearest_accuracy(averages, labels) < 0.35
    assert nearest_accuracy(courses, labels) > 0.6


def test_a_video_does_not_depend_on_how_many_there_are():
    few, many = plan(1, 1, 2), plan(3, 3, 4)
    assert set(few.clips) < set(many.clips)
    assert few.hash != many.hash
    assert len(plan().clips) == 64 * 30 + 12 * 30 + 24 * 40


def test_making_videos_needs_no_torch():
    code = "import sys, fsarbench.data.synthetic.synthact.dataset; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
