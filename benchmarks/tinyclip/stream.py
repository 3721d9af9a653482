"""Endless batches of frames, captions, and their truth matrix."""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .augment import Frames, augment
from .captions import Captioner, truth
from .facts import cover, facts


class Batch(NamedTuple):
    """Pixels uint8 "N S S 3", tokens "M L", what holds of which frame "N M", cover "N G"."""

    pixels: Tensor
    tokens: Tensor
    holds: Tensor
    cover: Tensor


def batches(
    frames: Frames, captioner: Captioner, tokenizer: Any, size: int, seed: int, repeat: int = 1
) -> Iterator[Batch]:
    """Endless batches with `repeat` captions a frame."""
    encode = lru_cache(maxsize=200_000)(lambda words: tokenizer([words])[0])
    for step in itertools.count():
        generator = np.random.default_rng([seed, step])
        rows = generator.integers(len(frames.action), size=size)
        chosen = augment(frames.take(rows), generator)
        known = facts(chosen.geometry, chosen.action, chosen.phase)
        captioner.generator = generator
        captions = [captioner.caption(known, i) for i in np.tile(np.arange(size), repeat)]
        yield Batch(
            torch.from_numpy(chosen.pixels),
            torch.stack([encode(caption.words) for caption in captions]),
            torch.from_numpy(truth(known, captions)),
            torch.from_numpy(cover(chosen.geometry)),
        )
