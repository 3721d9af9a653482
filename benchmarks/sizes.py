"""Sizes of the benchmarks: small for a CPU and for CI, or as in the papers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Sizes:
    """One set of sizes.

    Attributes:
        way: Classes of an episode.
        shot: Support videos a class.
        queries: Query videos a class.
        frames: Frames of a clip.
        vit: The vision transformer that adapters and training steps are measured on.
        backbones: What every registered backbone is built as.
        images: Frames of one encoding call of the backbones.
        matrix: Rows and columns of the matrix product whose speed is the device's ceiling.
    """

    way: int
    shot: int
    queries: int
    frames: int
    vit: Spec
    backbones: Mapping[str, Spec]
    images: int
    matrix: int

    @property
    def videos(self) -> int:
        """Videos of an episode."""
        return self.way * (self.shot + self.queries)


SIZES = {
    "small": Sizes(
        way=5,
        shot=1,
        queries=1,
        frames=8,
        vit={"type": "OpenClipViT", "model": "fsarbench-tiny"},
        backbones={
            "OpenClipViT": {"model": "fsarbench-tiny"},
            "OpenClipResNet": {"model": "RN50"},
            "TimmViT": {"model": "vit_tiny_patch16_224", "image_size": 64},
            "TimmCNN": {"model": "resnet18", "image_size": 64},
        },
        images=4,
        matrix=1024,
    ),
    "paper": Sizes(
        way=5,
        shot=1,
        queries=5,
        frames=8,
        vit={"type": "OpenClipViT", "model": "ViT-B-16"},
        backbones={
            "OpenClipViT": {"model": "ViT-B-16"},
            "OpenClipResNet": {"model": "RN50"},
            "TimmViT": {"model": "vit_base_patch16_224"},
            "TimmCNN": {"model": "resnet50"},
        },
        images=240,
        matrix=8192,
    ),
}
