"""Adapters that only make trunk parameters trainable."""

import pytest
import torch

from fsarbench.adapters.bias_tuning import BiasTuning
from fsarbench.adapters.full_fine_tuning import FullFineTuning
from fsarbench.adapters.norm_tuning import NormTuning
from fsarbench.adapters.partial_fine_tuning import PartialFineTuning
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter
from fsarbench.model import trainable_parameters

DEPTH = 4


def trainable(*adapters: Adapter, project: bool = True) -> set[str]:
    with torch.device("meta"):
        backbone = OpenClipViT("fsarbench-tiny", project=project)
        backbone.adapt(adapters)
    return {name.removeprefix("trunk.visual.") for name in trainable_parameters(backbone)}


def partial(last: int) -> list[PartialFineTuning]:
    return [PartialFineTuning(DEPTH, i, last) for i in range(DEPTH)]


def test_full_fine_tuning_trains_everything() -> None:
    names = trainable(*[FullFineTuning() for _ in range(DEPTH)])
    assert {"conv1.weight", "class_embedding", "positional_embedding", "proj"} <= names
    assert len(names) == len(dict(OpenClipViT("fsarbench-tiny").trunk.named_parameters()))


def test_an_unused_projection_is_not_trainable() -> None:
    everything = [FullFineTuning() for _ in range(DEPTH)]
    assert trainable(*everything) - trainable(*everything, project=False) == {"proj"}
    names = trainable(*partial(0), project=False)
    assert names == {"ln_post.weight", "ln_post.bias"}


@pytest.mark.parametrize(("last", "blocks"), [(0, set()), (1, {3}), (4, {0, 1, 2, 3})])
def test_partial_fine_tuning_trains_the_last_blocks(last: int, blocks: set[int]) -> None:
    names = trainable(*partial(last))
    assert {int(n.split(".")[2]) for n in names if "resblocks" in n} == blocks
    assert {n for n in names if "resblocks" not in n} == {"ln_post.weight", "ln_post.bias", "proj"}


@pytest.mark.parametrize("last", [-1, 5])
def test_partial_fine_tuning_rejects_more_blocks_than_the_trunk_has(last: int) -> None:
    with pytest.raises(
        UserError, match=rf"last(={last}.* 4 blocks| is {last}, expected int at least 0)"
    ):
        partial(last)


def test_norm_tuning_trains_the_norms() -> None:
    names = trainable(*[NormTuning() for _ in range(DEPTH)])
    layers = {name.rpartition(".")[0] for name in names}
    blocks = {f"transformer.resblocks.{i}.{ln}" for i in range(DEPTH) for ln in ("ln_1", "ln_2")}
    assert layers == {"ln_pre", "ln_post"} | blocks
    assert len(names) == 2 * len(layers)


def test_bias_tuning_trains_the_biases() -> None:
    names = trainable(*[BiasTuning() for _ in range(DEPTH)])
    block = {"ln_1.bias", "attn.in_proj_bias", "attn.out_proj.bias", "ln_2.bias"}
    block |= {"mlp.c_fc.bias", "mlp.c_proj.bias"}
    blocks = {f"transformer.resblocks.{i}.{name}" for i in range(DEPTH) for name in block}
    assert names == {"ln_pre.bias", "ln_post.bias"} | blocks
