"""The contrastive loss and the loop that trains it."""

import itertools
import math
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.transformer import text_global_pool
from torch import Tensor

from .augment import Frames, augment
from .captions import Captioner, truth
from .facts import facts


class Batch(NamedTuple):
    """Pixels uint8 "N S S 3", tokens "M L" and which caption is true of which frame "N M"."""

    pixels: Tensor
    tokens: Tensor
    holds: Tensor


def normalised(pixels: Tensor) -> Tensor:
    """CLIP's input of uint8 frames "N S S 3"."""
    mean, std = (torch.tensor(v) * 255 for v in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    return ((pixels.float() - mean) / std).permute(0, 3, 1, 2)


def contrast(logits: Tensor, holds: Tensor) -> Tensor:
    """CLIP's loss where a frame has many true captions and a caption many true frames.

    Each true pair competes against the false pairs of its row, and of its column.
    """
    return (_rows(logits, holds) + _rows(logits.T, holds.T)) / 2


def _rows(logits: Tensor, holds: Tensor) -> Tensor:
    false = logits.masked_fill(holds, -torch.inf).logsumexp(1, keepdim=True)
    loss = F.softplus(false - logits).masked_fill(~holds, 0)
    return (loss.sum(1) / holds.sum(1).clamp(min=1)).mean()


def encode_text(model: Any, tokens: Tensor) -> Tensor:
    """The text tower on captions cut to the longest one: causal, so the same numbers for less."""
    length = int((tokens != 0).sum(1).max())
    tokens = tokens[:, :length]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    return text_global_pool(model.ln_final(hidden), tokens) @ model.text_projection


def batches(
    frames: Frames, captioner: Captioner, tokenizer: Any, size: int, seed: int
) -> Iterator[Batch]:
    """Endless batches with two captions a frame."""
    encode = lru_cache(maxsize=200_000)(lambda words: tokenizer([words])[0])
    for step in itertools.count():
        generator = np.random.default_rng([seed, step])
        rows = generator.integers(len(frames.action), size=size)
        chosen = augment(frames.take(rows), generator)
        known = facts(chosen.geometry, chosen.action, chosen.phase)
        captioner.generator = generator
        captions = [captioner.caption(known, i) for i in np.tile(np.arange(size), 2)]
        yield Batch(
            torch.from_numpy(chosen.pixels),
            torch.stack([encode(caption.words) for caption in captions]),
            torch.from_numpy(truth(known, captions)),
        )


def groups(model: torch.nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]


def step_loss(model: Any, batch: Batch, half: bool) -> Tensor:
    """The loss of one batch; in bfloat16 where the processor has it."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        image = model.encode_image(normalised(batch.pixels))
        text = encode_text(model, batch.tokens)
    image, text = F.normalize(image.float(), dim=-1), F.normalize(text.float(), dim=-1)
    return contrast(model.logit_scale.exp() * image @ text.T, batch.holds)


def learn(
    model: Any, stream: Iterator[Batch], minutes: float, rate: float, half: bool,
    report: Callable[[int, float, float], None],
) -> int:
    """Trains for a time with warm-up and cosine decay over that time; returns the steps made."""
    optimiser = torch.optim.AdamW(groups(model, 0.05), lr=rate, betas=(0.9, 0.98))
    start, warm = time.monotonic(), 100
    for step, batch in enumerate(stream):
        done = (time.monotonic() - start) / 60 / minutes
        if done >= 1:
            return step
        pace = min(1.0, (step + 1) / warm) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = rate * pace
        loss = step_loss(model, batch, half)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
        report(step, done, float(loss.detach()))
    raise AssertionError("the stream of batches is endless")
