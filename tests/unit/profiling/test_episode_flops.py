from collections.abc import Callable

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.config.build import build_on_meta, build_settings, clips_for
from fsarbench.config.loading import load_config
from fsarbench.data.clips import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.interfaces import Matcher
from fsarbench.model import FewShotModel
from fsarbench.profiling.dummy_inputs import build_profiled_model
from fsarbench.profiling.episode_flops import EpisodeFlops, count_flops, on_meta
from fsarbench.profiling.operations import count_testing

Build = Callable[..., FewShotModel]


def plain_vit(model: FewShotModel, name: str) -> FewShotModel:
    with torch.device("meta"):
        model.backbone = OpenClipViT(name)
    return model


def by_hand(patch: int, tokens: int, width: int = 768, layers: int = 12, out: int = 512) -> int:
    """Multiply-adds of one 224-pixel frame through a ViT-B, doubled."""
    stem = (tokens - 1) * 3 * patch**2 * width
    projections = tokens * width**2 * (4 + 8)
    attention = 2 * tokens**2 * width
    return 2 * (stem + layers * (projections + attention) + width * out)


@pytest.mark.parametrize(
    ("name", "patch", "gigas"), [("ViT-B-16", 16, 35.1), ("ViT-B-32", 32, 8.82)]
)
def test_a_plain_vit_costs_what_a_hand_calculation_gives(
    build: Build, name: str, patch: int, gigas: float
) -> None:
    model = plain_vit(build(), name)
    clips = ClipSettings(frames=1).resolved(224)
    counted = count_flops(model, clips, EpisodeSettings(way=2, shot=3, queries=2))
    assert counted.query_video == by_hand(patch, (224 // patch) ** 2 + 1)
    assert counted.query_video == pytest.approx(gigas * 1e9, rel=0.01)
    # The toy's prototypes and matcher have no matrix products.
    assert counted.episode == (2 * 3 + 2 * 2) * counted.query_video


def test_an_episode_is_its_videos(build: Build, data_module: DataModule) -> None:
    # Per frame: 3 x 6 for the trunk, 6 x 6 for the adapter; 3 frames; 4 x 2 supports, 8 queries.
    video = 2 * 3 * (3 * 6 + 6 * 6)
    counted = count_flops(build(uses_text=True), data_module.clips, data_module.episodes)
    assert counted == EpisodeFlops(video, video, 16 * video)


@pytest.mark.parametrize("config", ["strm_synthact_1shot", "molo_synthact_1shot"])
def test_necks_and_branches_are_counted(config: str) -> None:
    values = load_config(config).values
    model, settings = build_on_meta(values), build_settings(values)
    counted = count_flops(model, clips_for(settings.clips, model.backbone), settings.episodes)
    by_slot = count_testing(build_profiled_model(values))
    assert (counted.query_video, counted.episode) == (by_slot.query_video, by_slot.episode)
    assert counted.episode > sum(n for slot, n in by_slot.slots.items() if slot == "backbone")


class Strange(Matcher):
    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        return torch.fft.fft(query[:, None] - prototypes[:, :, 0]).real.sum((-1, -2))


def test_what_cannot_be_counted_is_named(build: Build, data_module: DataModule) -> None:
    model = build()
    model.matcher = Strange()
    counted = count_flops(model, data_module.clips, data_module.episodes)
    assert counted.not_counted == ("aten._fft_r2c",)


def test_the_copy_has_no_memory_and_the_original_stays() -> None:
    original = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    original[0].weight.requires_grad_(False)
    copied = on_meta(original)
    assert {value.device.type for value in copied.state_dict().values()} == {"meta"}
    assert not copied[0].weight.requires_grad
    assert copied[0].bias.requires_grad
    assert {value.device.type for value in original.state_dict().values()} == {"cpu"}
