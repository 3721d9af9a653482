"""Loop over the blocks of timm's vision transformers matches their own forward, bit for bit."""

import pytest
import timm
import torch
from torch import nn

from fsarbench.backbones.timm_vit import TimmTrunk
from fsarbench.backbones.vit import ViT

# Each by what is special about it, small: the paths are those of the large models.
MODELS = {
    "plain, class token": ("test_vit", {"img_size": 32}),
    "registers, layer scale (DINOv2)": (
        "vit_small_patch14_reg4_dinov2",
        {"img_size": 42, "depth": 3, "embed_dim": 48, "num_heads": 3},
    ),
    "attention pooling, no class token (SigLIP)": (
        "vit_base_patch16_siglip_224",
        {"img_size": 48, "depth": 3, "embed_dim": 48, "num_heads": 3},
    ),
    "mean of the patches, layer scale": ("test_vit2", {"img_size": 32}),
    "registers pooled by attention": ("test_vit3", {"img_size": 32}),
    "RMS norm": ("test_vit4", {"img_size": 32}),
    "CLIP's norm before the blocks": (
        "vit_base_patch32_clip_224",
        {"img_size": 64, "depth": 2, "embed_dim": 48, "num_heads": 3},
    ),
    "gated MLP": (
        "vit_giant_patch14_reg4_dinov2",
        {"img_size": 28, "depth": 2, "embed_dim": 48, "num_heads": 3},
    ),
}


@pytest.fixture(params=MODELS, ids=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    name, options = MODELS[request.param]
    built = timm.create_model(name, num_classes=0, **options).eval().requires_grad_(False)
    # At their start layer scale and the attention pool's latent hide what stands behind them.
    for parameter in built.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return built


@torch.no_grad()
def test_frozen_blocks_match_the_models_forward(model: nn.Module) -> None:
    backbone = ViT(TimmTrunk("test", model)).eval()
    size = backbone.image_size
    frames = torch.randint(0, 256, (2, 3, 3, size, size), dtype=torch.uint8)
    expected = model(backbone.normalise(frames.flatten(0, 1)))
    assert torch.equal(backbone(frames).flatten(0, 1), expected)
    assert expected.shape == (6, backbone.dim)
    # Frames differ, so that equality says something.
    assert expected.std(0).min() > 0


@torch.no_grad()
def test_registers_and_class_token_come_before_the_patches(model: nn.Module) -> None:
    backbone = ViT(TimmTrunk("test", model)).eval()
    size = backbone.image_size
    first, second = torch.rand(2, 1, 3, size, size).unbind()
    one, two = backbone.trunk.embed(first), backbone.trunk.embed(second)
    same = (one == two).all(-1)[0]
    assert same[: backbone.prefix].all()
    assert not same[backbone.prefix :].any()
