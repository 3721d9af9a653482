"""Every registered part, built small, for the laws that all of them obey."""

from collections.abc import Iterator
from typing import Any

import torch

from fsarbench.cards import cards
from fsarbench.episode import Episode

WAY, SHOT, QUERIES, FRAMES = 3, 2, 4, 4
TINY = {"type": "OpenClipViT", "model": "fsarbench-tiny"}
TEXT = {"type": "OpenClipText", "model": "fsarbench-tiny", "prompts": ["{}"]}


def names(slot: str) -> list[str]:
    """The components of a slot that stand in the catalogue."""
    return [card.name for card in cards() if card.slot == slot]


def combinations() -> Iterator[tuple[str, str, str]]:
    """Every adapter with every prototype builder and matcher."""
    for adapter in names("adapter"):
        for prototypes in names("prototypes"):
            for matcher in names("matcher"):
                yield adapter, prototypes, matcher


def values(adapter: str, prototypes: str, matcher: str) -> dict[str, Any]:
    """A config of one combination, with random weights and every loss."""
    return {
        "dataset": {"type": "SynthAct"},
        "clips": {"frames": FRAMES},
        "episodes": {"way": WAY, "shot": SHOT, "queries": 1},
        "backbone": TINY,
        "text_encoder": TEXT,
        "adapter": {"type": adapter},
        "prototypes": {"type": prototypes},
        "matcher": {"type": matcher},
        "losses": {name: {"type": name} for name in names("losses")},
        "readout": {"type": "MatchOnly"},
    }


def episode(seed: int = 0, size: int = 64) -> Episode:
    """An episode of smooth random frames, far enough apart that logits differ."""
    generator = torch.Generator().manual_seed(seed)

    def clips(videos: int) -> torch.Tensor:
        coarse = torch.rand(videos * FRAMES, 3, 4, 4, generator=generator)
        frames = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
        return frames.unflatten(0, (videos, FRAMES))

    return Episode(
        support=clips(WAY * SHOT).unflatten(0, (WAY, SHOT)),
        query=clips(QUERIES),
        labels=torch.tensor([0, 1, 2, 0]),
        classes=torch.arange(WAY),
        names=("moving up", "moving down", "covering something"),
    )
