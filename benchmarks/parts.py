"""Benchmark subjects: backbones with adapters, models, episodes; weights are random."""

import torch

from benchmarks.sizes import Sizes
from fsarbench.catalogue.cards import cards
from fsarbench.config.build import adapt, build_component
from fsarbench.episode import Episode
from fsarbench.interfaces import Backbone
from fsarbench.model import FewShotModel


def registered(slot: str) -> list[str]:
    """Names of all components of a slot."""
    return [card.name for card in cards() if card.slot == slot]


def frames(count: int, backbone: Backbone, device: torch.device) -> torch.Tensor:
    """Random frames, as bytes."""
    size = backbone.image_size
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    return drawn.to(device)


def adapted(adapter: str, sizes: Sizes, device: torch.device) -> Backbone:
    """Vision transformer with one type of adapter on all blocks."""
    torch.manual_seed(0)
    backbone = build_component("backbone", sizes.vit)
    offered = {
        "width": backbone.width,
        "prefix": backbone.prefix,
        "grid": backbone.grid,
        "mlp_width": backbone.mlp_width,
        "block_count": backbone.depth,
        "frames": sizes.frames,
        "text_dim": backbone.dim,
    }
    adapt(backbone, {"type": adapter}, offered)
    return backbone.to(device)


def model(adapter: str, sizes: Sizes, device: torch.device) -> FewShotModel:
    """Model with any adapter and MA-FSAR's prototypes and matcher; text features are given."""
    backbone = adapted(adapter, sizes, device)
    dim = backbone.dim
    offered = {"dim": dim, "text_dim": dim, "frames": sizes.frames}
    built = FewShotModel(
        backbone,
        build_component("prototypes", {"type": "TextGuided"}, offered),
        build_component("matcher", {"type": "OTAM"}, offered),
        build_component("readout", {"type": "MatchOnly"}),
        {"match": build_component("losses", {"type": "EpisodeCrossEntropy"}, offered)},
    )
    return built.to(device)


def episode(built: FewShotModel, sizes: Sizes, device: torch.device) -> Episode:
    """One training episode on the device."""
    videos = frames(sizes.videos * sizes.frames, built.backbone, device)
    videos = videos.unflatten(0, (sizes.videos, sizes.frames))
    support = videos[: sizes.way * sizes.shot].unflatten(0, (sizes.way, sizes.shot))
    text = torch.randn(sizes.way, 1, built.backbone.dim, generator=torch.Generator().manual_seed(0))
    return Episode(
        support=support,
        query=videos[sizes.way * sizes.shot :],
        labels=torch.arange(sizes.way).repeat_interleave(sizes.queries).to(device),
        classes=torch.arange(sizes.way).to(device),
        text=text.to(device),
    )
