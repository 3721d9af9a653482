"""Loop over frozen blocks matches the library's own forward, bit for bit."""

import open_clip
import pytest
import torch

from fsarbench.adapters.fine_grained_multimodal import FineGrainedMultimodal
from fsarbench.adapters.st_adapter import STAdapter
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.backbones.tiny_clip.register import register

MODELS = ["fsarbench-tiny", "ViT-B-32"]


@pytest.fixture(params=MODELS)
def pair(request: pytest.FixtureRequest) -> tuple[OpenClipViT, torch.nn.Module]:
    """A backbone and open_clip's own model with the same random weights, both frozen."""
    register()
    torch.manual_seed(0)
    backbone = OpenClipViT(request.param).eval()
    # Not frozen, a CLIP in evaluation mode takes another attention kernel.
    reference = open_clip.create_model(request.param).eval().requires_grad_(False)
    reference.visual.load_state_dict(backbone.trunk.visual.state_dict())
    return backbone, reference


def images(backbone: OpenClipViT) -> torch.Tensor:
    size = backbone.image_size
    return torch.randint(0, 256, (2, 3, 3, size, size), dtype=torch.uint8)


@torch.no_grad()
def encode(backbone: OpenClipViT, reference: torch.nn.Module, frames: torch.Tensor) -> torch.Tensor:
    return reference.encode_image(backbone.normalise(frames.flatten(0, 1)))


@torch.no_grad()
def test_frozen_blocks_match_encode_image(pair: tuple[OpenClipViT, torch.nn.Module]) -> None:
    backbone, reference = pair
    frames = images(backbone)
    assert torch.equal(backbone(frames).flatten(0, 1), encode(backbone, reference, frames))


@torch.no_grad()
def test_mafsar_without_extra_tokens_is_clip(pair: tuple[OpenClipViT, torch.nn.Module]) -> None:
    backbone, reference = pair
    frames = images(backbone)
    backbone.adapt(
        [
            FineGrainedMultimodal(backbone.width, frames=3, gta=False, text=False)
            for _ in range(backbone.depth)
        ]
    )
    assert backbone.eval()(frames).flatten(0, 1).equal(encode(backbone, reference, frames))


@torch.no_grad()
def test_st_adapter_starts_as_clip(pair: tuple[OpenClipViT, torch.nn.Module]) -> None:
    backbone, reference = pair
    frames = images(backbone)
    backbone.adapt([STAdapter(backbone.width) for _ in range(backbone.depth)])
    assert backbone.eval()(frames).flatten(0, 1).equal(encode(backbone, reference, frames))


@torch.no_grad()
def test_features_without_projection_are_those_after_ln_post(
    pair: tuple[OpenClipViT, torch.nn.Module],
) -> None:
    backbone, reference = pair
    frames = images(backbone)
    plain = OpenClipViT(
        "fsarbench-tiny" if backbone.dim == 128 else "ViT-B-32", project=False
    ).eval()
    state = {k: v for k, v in backbone.state_dict().items() if not k.endswith("visual.proj")}
    assert set(backbone.state_dict()) - set(state) == {"trunk.visual.proj"}
    plain.load_state_dict(state)
    features = plain(frames).flatten(0, 1)
    assert plain.dim == plain.width == features.shape[-1]
    # open_clip's own forward without the last product.
    reference.visual.proj, proj = None, reference.visual.proj
    assert torch.equal(features, encode(backbone, reference, frames))
    assert torch.equal(features @ proj, backbone(frames).flatten(0, 1))


def test_normalisation_is_that_of_clip(pair: tuple[OpenClipViT, torch.nn.Module]) -> None:
    backbone, _ = pair
    frames = images(backbone)[0]
    pixel = frames[0, :, 5, 7].double() / 255
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073], dtype=torch.float64)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711], dtype=torch.float64)
    expected = ((pixel - mean) / std).float()
    torch.testing.assert_close(backbone.normalise(frames)[0, :, 5, 7], expected)
    # Floats in [0, 1] are the same frames.
    torch.testing.assert_close(backbone.normalise(frames / 255), backbone.normalise(frames))
