"""A toy benchmark: no files, no pretrained weights, classes told apart by colour."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float, Num, UInt8
from torch import Tensor, nn

from fsarbench.data.clips import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.episode import Episode, Outcome
from fsarbench.interfaces import (
    Adapter,
    Backbone,
    Loss,
    Matcher,
    PrototypeBuilder,
    Readout,
    TextEncoder,
)
from fsarbench.model import FewShotModel
from fsarbench.video import Split, SplitName, Video, VideoReader


class ColourReader(VideoReader):
    """Twelve frames of noise around the colour of the class, which the path's folder names."""

    def count(self, path: Path) -> int:
        return 12

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        draw = np.random.default_rng(zlib.crc32(str(path).encode()))
        noise = draw.integers(0, 120, size=(12, 8, 8, 3))
        colour = np.random.default_rng(zlib.crc32(path.parent.name.encode())).integers(0, 24, 3)
        return (noise + colour).astype(np.uint8)[list(indices)]


class ToyTrunk(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.pixels = nn.Linear(3, dim)
        self.pixels.requires_grad_(False)


class ToyAdapter(nn.Module):
    def __init__(self, dim: int, uses_text: bool, joint: bool) -> None:
        super().__init__()
        self.uses_text = uses_text
        self.joint = joint
        self.scale = nn.Linear(dim, dim)
        self.drop = nn.Dropout(0.2)


class ToyBackbone(Backbone):
    width = dim = 6
    image_size = 8
    prefix = 0
    depth = 1

    def __init__(self, uses_text: bool, joint: bool) -> None:
        super().__init__()
        self.trunk = ToyTrunk(self.dim)
        self.adapter = ToyAdapter(self.dim, uses_text, joint)
        self.uses_text = uses_text
        self.joint = joint

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        raise NotImplementedError

    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V T D"]:
        colours = frames.float().mean(dim=(-1, -2)) / 255 - 0.5
        features = self.trunk.pixels(colours * 4)
        features = features + self.adapter.drop(self.adapter.scale(features))
        if text is not None and self.adapter.uses_text:
            features = features + text[:, None] / 10
        return features


def code(text: str) -> float:
    return zlib.crc32(text.encode()) % 100 / 50 - 1


class ToyText(TextEncoder):
    dim = 6

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def forward(self, names: Sequence[str]) -> Float[Tensor, "N M E"]:
        self.calls.append(len(names))
        return torch.tensor([[[code(f"{name} {k}") for k in range(6)]] for name in names])


class ToyMean(PrototypeBuilder):
    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]:
        return support.mean(dim=1)[None, :, None], query


class ToyMatcher(Matcher):
    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        return -(query[:, None, None] - prototypes).square().sum(dim=(2, 3, 4))


class ToyLoss(Loss):
    weight = 1.0

    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        return nn.functional.cross_entropy(outcome.logits, episode.labels)


class ToyReadout(Readout):
    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        return outcome.logits


def toy_split(name: SplitName, classes: int, videos: int) -> Split:
    names = tuple(f"{name} {k}" for k in range(classes))
    return Split(
        name,
        names,
        names,
        tuple(
            Video(f"{n}/{v}", Path(f"/nowhere/{n}/{v}.mp4"), k)
            for k, n in enumerate(names)
            for v in range(videos)
        ),
    )


def toy_data_module() -> DataModule:
    return DataModule(
        splits={
            "train": toy_split("train", 8, 6),
            "val": toy_split("val", 5, 6),
            "test": toy_split("test", 6, 5),
        },
        reader=ColourReader(),
        clips=ClipSettings(frames=3).resolved(8),
        episodes=EpisodeSettings(way=4, shot=2, queries=2),
        seed=3,
        device=torch.device("cpu"),
    )


def toy_model(uses_text: bool = False, joint: bool = False) -> FewShotModel:
    """The same weights at each call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FewShotModel(
            ToyBackbone(uses_text, joint),
            ToyMean(),
            ToyMatcher(),
            ToyReadout(),
            {"episode": ToyLoss()},
            ToyText() if uses_text else None,
        )


@pytest.fixture
def data_module() -> DataModule:
    return toy_data_module()


@pytest.fixture
def build() -> Callable[..., FewShotModel]:
    return toy_model
