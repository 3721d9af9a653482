"""Clips: frame sampling, resizing, cropping and augmentation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fsarbench.data.clips import (
    ClipSettings,
    jittered,
    load_clip,
    prepare_clip,
    random_box,
    resize_short_side,
    scaled_box,
    segment_frames,
)
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import VideoReader


class Grey(VideoReader):
    """Reader without files, whose frame i has the grey value i."""

    def __init__(self, count: int, height: int = 40, width: int = 60) -> None:
        self.shape = (count, height, width)

    def count(self, path: Path) -> int:
        return self.shape[0]

    def read(self, path: Path, indices: Sequence[int]) -> np.ndarray:
        frames = np.zeros((len(indices), *self.shape[1:], 3), np.uint8)
        return frames + np.array(indices, np.uint8)[:, None, None, None]


def noise(height: int = 48, width: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, height, width), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("count", [1, 3, 8, 9, 50, 1000])
def test_random_frames_stay_in_their_segments(count: int) -> None:
    for draw in range(50):
        frames = segment_frames(count, 8, RandomStream("test", draw))
        for segment, frame in enumerate(frames):
            assert int(segment * count / 8) <= frame <= min((segment + 1) * count / 8, count - 1)


def test_random_frames_reach_all_frames() -> None:
    sampled = {
        frame for draw in range(200) for frame in segment_frames(24, 8, RandomStream("all", draw))
    }
    assert sampled == set(range(24))


def test_test_clips_have_the_segment_centres() -> None:
    clip = load_clip(Grey(32), Path("x"), ClipSettings(size=32))
    assert clip.shape == (8, 3, 32, 32)
    assert clip.dtype == torch.uint8
    assert clip[:, 0, 0, 0].tolist() == [2, 6, 10, 14, 18, 22, 26, 30]


def test_random_test_clips_only_vary_in_their_frames() -> None:
    settings = ClipSettings(size=32, sampling="random", flip=True, jitter=0.5)
    clips = [
        load_clip(Grey(200), Path("x"), settings, RandomStream("c", i), False) for i in range(3)
    ]
    assert all((clip == clip[:, :1, :1, :1]).all() for clip in clips)
    frames = [clip[:, 0, 0, 0].tolist() for clip in clips]
    assert frames[0] == segment_frames(200, 8, RandomStream("c", 0))
    assert frames[0] != frames[1]
    assert settings.stochastic
    assert not ClipSettings(jitter=0.5).stochastic


def test_equal_random_streams_give_equal_clips() -> None:
    settings = ClipSettings(size=32, flip=True, jitter=0.4, scale=(0.5, 1.0))
    first, again, other = (
        prepare_clip(noise(), settings, RandomStream("c", key)) for key in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_centre_crop_without_resizing() -> None:
    frames = noise()
    clip = prepare_clip(frames, ClipSettings(size=40, resize=48))
    assert torch.equal(clip, frames[..., 4:44, 12:52])


def test_training_crops_have_any_position() -> None:
    boxes = [random_box(50, 60, 40, RandomStream("box", key)) for key in range(300)]
    assert {box[0] for box in boxes} == set(range(11))
    assert {box[1] for box in boxes} == set(range(21))
    assert {box[2:] for box in boxes} == {(40, 40)}


def test_scaled_crops_have_the_requested_area() -> None:
    for key in range(200):
        top, left, tall, wide = scaled_box(240, 320, (0.3, 0.6), RandomStream("box", key))
        assert 0 <= top <= 240 - tall
        assert 0 <= left <= 320 - wide
        assert 0.29 < tall * wide / (240 * 320) < 0.61
        assert 0.73 < wide / tall < 1.36


def test_the_short_side_is_resized_for_landscape_and_portrait() -> None:
    settings = ClipSettings(size=32, resize=32)
    wide, tall = noise(64, 96), noise(96, 64)
    assert (
        prepare_clip(wide, settings).shape == prepare_clip(tall, settings).shape == (2, 3, 32, 32)
    )
    # Resizing keeps the mean of the middle of a frame; a crop without resizing would not.
    middle = wide[..., 16:80].float().mean()
    assert abs(prepare_clip(wide, settings).float().mean() - middle) < 1


def test_flipping_mirrors_about_half_of_the_clips() -> None:
    settings = ClipSettings(size=48, resize=48, flip=True)
    frames = noise(48, 48)
    flipped = [
        torch.equal(prepare_clip(frames, settings, RandomStream(i)), frames.flip(-1))
        for i in range(200)
    ]
    plain = [
        torch.equal(prepare_clip(frames, settings, RandomStream(i)), frames) for i in range(200)
    ]
    assert sum(plain) + sum(flipped) == 200
    assert 70 < sum(flipped) < 130


def test_jitter_changes_colours_within_its_strength() -> None:
    frames = noise().float() / 2
    factors = [jittered(frames, 0.2, RandomStream(i)).mean() / frames.mean() for i in range(50)]
    assert 0.75 < min(factors) < 0.95
    assert 1.05 < max(factors) < 1.25
    still = jittered(frames, 0.0, RandomStream(0))
    torch.testing.assert_close(still, frames, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"frames": 0}, "clips.frames"),
        ({"size": 0}, "clips.size"),
        ({"size": 224, "resize": 200}, "clips.resize"),
        ({"jitter": 1.5}, "clips.jitter"),
        ({"scale": (0.9, 0.5)}, "clips.scale"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        ClipSettings(**wrong)


def test_unresolved_settings_are_refused() -> None:
    with pytest.raises(UserError, match=r"clips\.size is not set"):
        prepare_clip(noise(), ClipSettings())
    assert ClipSettings(size=64).resolved(224).sides() == (64, 73)


@pytest.mark.parametrize("apart", [True, False], ids=["channels apart", "channels together"])
@pytest.mark.parametrize("size", [(40, 53), (300, 200), (97, 61)])
def test_frames_are_resized_as_in_one_call(size: tuple[int, int], apart: bool) -> None:
    frames = torch.randint(0, 256, (3, *size, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    frames = frames[..., 5:, 3:]
    frames = frames.contiguous() if apart else frames
    resized = resize_short_side(frames, 64)
    shape = resized.shape[-2:]
    whole = F.interpolate(
        frames.float(), shape, mode="bilinear", align_corners=False, antialias=True
    )
    assert torch.equal(resized, whole)
    assert resized.stride() == whole.stride()
