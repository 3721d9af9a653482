"""AIM's temporal embedding before CLIP's first norm, as in its released code."""

from collections.abc import Callable

import pytest
import timm
import torch
from torch import Tensor

from fsarbench.adapters.aim import AIM
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.backbones.timm_vit import TimmTrunk
from fsarbench.backbones.vit import ViT
from tests.helpers.naive_vit import norm

V, T = 2, 3


def open_clip_vit() -> ViT:
    return OpenClipViT("fsarbench-tiny")


def timm_clip_vit() -> ViT:
    options = {"img_size": 64, "depth": 2, "embed_dim": 48, "num_heads": 3}
    model = timm.create_model("vit_base_patch32_clip_224", num_classes=0, **options)
    return ViT(TimmTrunk("test", model))


def timm_vit() -> ViT:
    return ViT(TimmTrunk("test", timm.create_model("test_vit", num_classes=0, img_size=32)))


def adapted(backbone: ViT, as_released: bool) -> ViT:
    adapters = [AIM(backbone.width, T, as_released=as_released) for _ in range(backbone.depth)]
    torch.manual_seed(0)
    for adapter in adapters:
        for parameter in adapter.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    backbone.adapt(adapters)
    torch.nn.init.normal_(backbone.entry.embedding)
    return backbone.double().eval()


def images(backbone: ViT) -> Tensor:
    size = backbone.image_size
    generator = torch.Generator().manual_seed(0)
    return torch.rand(V, T, 3, size, size, generator=generator, dtype=torch.float64)


def tokens_of_open_clip(backbone: ViT, frame: Tensor) -> Tensor:
    """Patches, class token and positions of one image, patch by patch, before the norm."""
    visual = backbone.trunk.visual
    weight, size = visual.conv1.weight, visual.conv1.kernel_size[0]
    rows = [visual.class_embedding]
    for top in range(0, frame.shape[1], size):
        for left in range(0, frame.shape[2], size):
            patch = frame[:, top : top + size, left : left + size]
            rows.append((weight * patch).sum((1, 2, 3)))
    return torch.stack(rows) + visual.positional_embedding


def test_features_equal_the_naive_form_in_value_and_gradient() -> None:
    backbone = adapted(open_clip_vit(), as_released=True)
    frames = images(backbone)
    got = backbone(frames)
    pixels, videos = backbone.normalise(frames.flatten(0, 1)).unflatten(0, (V, T)), []
    for video in pixels:
        embedded = [
            tokens_of_open_clip(backbone, frame) + backbone.entry.embedding[t]
            for t, frame in enumerate(video)
        ]
        videos.append(norm(backbone.trunk.visual.ln_pre, torch.stack(embedded)))
    tokens = torch.stack(videos)
    for adapter, block in zip(backbone.adapters, backbone.trunk.blocks, strict=True):
        tokens = adapter(tokens, block, None)
    want = backbone.trunk.pool(tokens.flatten(0, 1)).unflatten(0, (V, T))
    torch.testing.assert_close(got, want, rtol=0, atol=1e-11)
    inputs = [p for p in backbone.parameters() if p.requires_grad]
    weights = torch.randn_like(got)
    ours = torch.autograd.grad((got * weights).sum(), inputs)
    theirs = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("make", [open_clip_vit, timm_clip_vit])
@torch.no_grad()
def test_the_place_of_the_embedding_matters_where_there_is_a_norm(
    make: Callable[[], ViT],
) -> None:
    torch.manual_seed(0)
    backbone = make()
    frames = images(backbone)
    before, after = (adapted(backbone, place)(frames) for place in (True, False))
    assert (before - after).abs().max() > 1e-3
    # An embedding of zero gives the same numbers in both places, bit for bit.
    torch.nn.init.zeros_(backbone.entry.embedding)
    after = backbone(frames)
    torch.nn.init.zeros_(adapted(backbone, as_released=True).entry.embedding)
    assert torch.equal(backbone(frames), after)


@torch.no_grad()
def test_trunks_without_that_norm_are_unaffected() -> None:
    torch.manual_seed(0)
    backbone = timm_vit()
    frames = images(backbone)
    assert torch.equal(
        adapted(backbone, as_released=True)(frames), adapted(backbone, as_released=False)(frames)
    )


def test_names_of_parameters_do_not_depend_on_the_place() -> None:
    backbone = open_clip_vit()
    names = [list(adapted(backbone, place).state_dict()) for place in (True, False)]
    assert names[0] == names[1]


def test_initialisation_of_the_released_code() -> None:
    torch.manual_seed(0)
    adapter = AIM(768, 8, temporal=2, as_released=True)
    parts = (adapter.before_time, adapter.time, adapter.space, adapter.joint_adaptation)
    for part in parts:
        assert part.down.weight.std().item() == pytest.approx(0.02, rel=0.02)
        assert part.down.bias.count_nonzero() == 0
        assert part.up.weight.count_nonzero() == 0
