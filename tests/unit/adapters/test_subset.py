"""Every adapter on every ViT backbone, on all or some blocks, and on CNNs if supported."""

import pytest
import torch

from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.config.build import build_model
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.registry import ADAPTERS
from tests.helpers.combinations import TEXT, names, values

TIMM = {"type": "TimmViT", "image_size": 32}
BACKBONES = {
    "class token": {**TIMM, "model": "test_vit"},
    "a register": {**TIMM, "model": "test_vit3"},
    "neither": {**TIMM, "model": "vit_base_patch16_siglip_224"},
    "DINOv2": {"type": "TimmViT", "model": "vit_small_patch14_reg4_dinov2", "image_size": 28},
}
NETWORKS = {
    "timm": {"type": "TimmCNN", "model": "test_resnet", "image_size": 64},
    "CLIP": {"type": "OpenClipResNet"},
}


def build(backbone: dict[str, object], adapter: str, **options: object) -> FewShotModel:
    config = values(adapter, "Mean", "MeanCosine") | {"backbone": backbone, "text_encoder": TEXT}
    config["adapter"] |= options
    config["losses"] = {}
    with torch.device("meta"):
        return build_model(config)


def clip(model: FewShotModel) -> torch.Tensor:
    size = model.backbone.image_size
    return torch.empty(2, 4, 3, size, size, dtype=torch.uint8, device="meta")


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("adapter", names("adapter"))
def test_every_adapter_runs_on_every_vit(adapter: str, backbone: str) -> None:
    model = build(BACKBONES[backbone], adapter)
    text = torch.empty(2, 128, device="meta")
    features = model.backbone.train()(clip(model), None if model.backbone.joint else text)
    assert features.shape == (2, 4, model.backbone.dim)


@pytest.mark.parametrize("adapter", [a for a in names("adapter") if a != "Frozen"])
def test_on_some_blocks_the_others_stay_frozen(adapter: str) -> None:
    model = build(BACKBONES["class token"], adapter, blocks=[-1, 2])
    kinds = [type(a).__name__ for a in model.backbone.adapters]
    assert kinds == ["Frozen", "Frozen", adapter, "Frozen", "Frozen", adapter]
    touched = {
        int(name.split(".")[at])
        for name in trainable_parameters(model.backbone)
        for start, at in (("trunk.model.blocks.", 3), ("adapters.", 1))
        if name.startswith(start)
    }
    # With one trainable block PartialFineTuning trains the last one.
    assert touched == ({5} if adapter == "PartialFineTuning" else {2, 5})


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("adapter", names("adapter"))
def test_a_cnn_supports_adapters_without_tokens(adapter: str, network: str) -> None:
    if issubclass(ADAPTERS.find(adapter), TrunkTuning):
        model = build(NETWORKS[network], adapter)
        features = model.backbone.train()(clip(model))
        assert features.shape == (2, 4, model.backbone.dim)
        assert bool(trainable_parameters(model.backbone)) == (adapter != "Frozen")
        return
    with pytest.raises(UserError, match=f"{adapter} changes the tokens"):
        build(NETWORKS[network], adapter)


def test_wrong_arguments_are_rejected() -> None:
    for adapter, options, message in (
        ("LoRA", {"projections": []}, "not empty"),
        ("LoRA", {"projections": ["q", "q"]}, "without repetition"),
        ("D2STAdapter", {"heads": 3}, "heads=3 must divide"),
        ("D2STAdapter", {"spatial": [[1, 3, 1], [1, 1, 1]]}, "exceeds the .* of patches"),
        ("DiA", {"reduction": 65}, "the bottleneck is empty"),
        ("TaskAdapter", {"last": 7}, "last=7.* 6 blocks"),
    ):
        with pytest.raises(UserError, match=message):
            build(BACKBONES["class token"], adapter, **options)
    gated = {"type": "TimmViT", "model": "vit_giant_patch14_dinov2", "image_size": 28}
    with pytest.raises(UserError, match="gated"):
        build(gated, "LoRA", projections=["mlp"])
