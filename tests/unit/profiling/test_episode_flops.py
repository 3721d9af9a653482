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
from fsarbench.profiling.episode_flops import EpisodeFlops, count_flops, meta_copy
from fsarbench.profiling.operations import count_testing

Build = Callable[..., FewShotModel]


def plain_vit(model: FewShotModel, name: str) -> FewShotModel:
    with torch.device("meta"):
        model.backbone = OpenClipViT(name)
    return model


def by_hand(patch: int, tokens: int, width: int = 768, layers: int = 12, out: int = 512) -> int:
    """FLOPs of a ViT-B for one frame of 224 pixels."""
    stem = (tokens - 1) * 3 * patch**2 * width
    projections = tokens * width**2 * (4 + 8)
    attention = 2 * tokens**2 * width
    return 2 * (stem + layers * (projections + attention) + width * out)


@pytest.mark.parametrize(
    ("name", "patch", "gigas"), [("ViT-B-16", 16, 35.1), ("ViT-B-32", 32, 8.82)]
)
def test_flops_of_a_plain_vit_equal_a_calculation_by_hand(
    build: Build, name: str, patch: int, gigas: float
) -> None:
    model = plain_vit(build(), name)
    clips = ClipSettings(frames=1).resolved(224)
    flops = count_flops(model, clips, EpisodeSettings(way=2, shot=3, queries=2))
    assert flops.query_video == by_hand(patch, (224 // patch) ** 2 + 1)
    assert flops.query_video == pytest.approx(gigas * 1e9, rel=0.01)
    # Prototypes and matcher of the toy model have no matrix products.
    assert flops.episode == (2 * 3 + 2 * 2) * flops.query_video


def test_flops_of_an_episode_are_the_sum_over_its_videos(
    build: Build, data_module: DataModule
) -> None:
    # Per frame: 3 x 6 for the trunk, 6 x 6 for the adapter; 3 frames; 4 x 2 supports, 8 queries.
    video = 2 * 3 * (3 * 6 + 6 * 6)
    flops = count_flops(build(uses_text=True), data_module.clips, data_module.episodes)
    assert flops == EpisodeFlops(video, video, 16 * video)


@pytest.mark.parametrize("method", ["strm", "molo", "tsfsar", "cpm2c", "clipspm", "mpl"])
def test_necks_and_branches_are_counted(method: str) -> None:
    values = load_config(f"{method}_synthact_1shot").values
    model, settings = build_on_meta(values), build_settings(values)
    flops = count_flops(model, clips_for(settings.clips, model.backbone), settings.episodes)
    by_slot = count_testing(build_profiled_model(values))
    assert (flops.query_video, flops.episode) == (by_slot.query_video, by_slot.episode)
    assert flops.episode > by_slot.slots["backbone"]


class FourierMatcher(Matcher):
    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        return torch.fft.fft(query[:, None] - prototypes[:, :, 0]).real.sum((-1, -2))


def test_operations_without_a_formula_are_listed(build: Build, data_module: DataModule) -> None:
    model = build()
    model.matcher = FourierMatcher()
    flops = count_flops(model, data_module.clips, data_module.episodes)
    assert flops.not_counted == ("aten._fft_r2c",)


def test_a_meta_copy_leaves_the_original_unchanged() -> None:
    original = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    original[0].weight.requires_grad_(False)
    copy = meta_copy(original)
    assert {value.device.type for value in copy.state_dict().values()} == {"meta"}
    assert not copy[0].weight.requires_grad
    assert copy[0].bias.requires_grad
    assert {value.device.type for value in original.state_dict().values()} == {"cpu"}
