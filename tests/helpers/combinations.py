"""Small instances of every registered component, for tests of their common properties.

Adapters and the components after the backbone interact only through the features. Properties of
adapters are therefore tested on the features, those of prototype builders and matchers on given
features, and all combinations run on components that are built once.
"""

from functools import cache
from typing import Any

import torch

from fsarbench.catalogue.cards import cards
from fsarbench.config.build import build_model
from fsarbench.episode import Episode
from fsarbench.interfaces import Matcher, PrototypeBuilder
from fsarbench.model import FewShotModel, trainable_parameters

WAY, SHOT, QUERIES, FRAMES = 3, 2, 4, 4
TINY = {"type": "OpenClipViT", "model": "fsarbench-tiny"}
TEXT = {"type": "OpenClipText", "model": "fsarbench-tiny", "prompts": ["{}"]}
DIM = 128


# Losses that read an auxiliary output, which only some necks and prototype builders give.
BOUND = ("Consistency", "Reconstruction")


def names(slot: str) -> list[str]:
    """Components of a slot in the catalogue."""
    return [card.name for card in cards() if card.slot == slot]


def values(adapter: str, prototypes: str, matcher: str) -> dict[str, Any]:
    """Config of one combination, with random weights and every loss that fits any combination."""
    return {
        "dataset": {"type": "SynthAct"},
        "clips": {"frames": FRAMES},
        "episodes": {"way": WAY, "shot": SHOT, "queries": 1},
        "backbone": TINY,
        "text_encoder": TEXT,
        "adapter": {"type": adapter},
        "prototypes": {"type": prototypes},
        "matcher": {"type": matcher},
        "losses": {n: {"type": n} for n in names("losses") if n not in BOUND},
        "readout": {"type": "MatchOnly"},
    }


def perturbed(model: FewShotModel) -> FewShotModel:
    """Model with perturbed weights: zero-initialised layers would hide the layers before them."""
    with torch.no_grad():
        for parameter in trainable_parameters(model).values():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model


@cache
def adapted(adapter: str) -> FewShotModel:
    """Model with that adapter and the simplest other components."""
    torch.manual_seed(0)
    return perturbed(build_model(values(adapter, "Mean", "MeanCosine")))


@cache
def matching(prototypes: str, matcher: str) -> tuple[PrototypeBuilder, Matcher]:
    """A prototype builder and a matcher."""
    torch.manual_seed(0)
    built = perturbed(build_model(values("Frozen", prototypes, matcher)))
    return built.prototypes, built.matcher


def combined(adapter: str, prototypes: str, matcher: str) -> FewShotModel:
    """One combination, from cached components."""
    base = adapted(adapter)
    built = FewShotModel(
        base.backbone,
        *matching(prototypes, matcher),
        base.readout,
        None,
        base.text_encoder,
    )
    return built.eval()


@cache
def episode(seed: int = 0, size: int = 64) -> Episode:
    """Episode of smooth random frames, different enough that logits differ."""
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


def features(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Support, query and text features of an episode."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((WAY, SHOT, FRAMES, DIM), (QUERIES, FRAMES, DIM), (WAY, 2, DIM))
    support, query, text = (torch.randn(*shape, generator=generator) for shape in shapes)
    return support, query, text
