"""Video networks of torchvision: features, time steps, weights, trainable stages, batch norms."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from fsarbench.adapters.full_fine_tuning import FullFineTuning
from fsarbench.adapters.norm_tuning import NormTuning
from fsarbench.adapters.partial_fine_tuning import PartialFineTuning
from fsarbench.adapters.st_adapter import STAdapter
from fsarbench.backbones.torchvision_video import TorchvisionVideo
from fsarbench.config.validation import part_faults
from fsarbench.errors import UserError
from fsarbench.model import trainable_parameters
from fsarbench.profiling.flop_counter import FlopCounter

# Time steps of 16 frames, feature width, stages or blocks, and image size of the weights.
SIZES = {
    "r3d_18": (2, 512, 4, 112),
    "mc3_18": (16, 512, 4, 112),
    "r2plus1d_18": (2, 512, 4, 112),
    "s3d": (2, 1024, 4, 224),
    "swin3d_t": (8, 768, 4, 224),
    "mvit_v1_b": (8, 768, 16, 224),
    "mvit_v2_s": (8, 768, 16, 224),
}
MODELS = pytest.mark.parametrize("name", SIZES)


def clips(videos: int = 1, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (videos, 16, 3, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def reference(name: str) -> Any:
    """The library's model with random weights that make clips differ."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return model


def pair(name: str, tmp_path: Path, size: int = 32) -> tuple[TorchvisionVideo, Any]:
    """A backbone with the weights of the library's model, which come from a file."""
    model = reference(name)
    path = tmp_path / "w.safetensors"
    save_file(model.state_dict(), path)
    return TorchvisionVideo(name, str(path), image_size=size).eval(), model.requires_grad_(False)


@MODELS
@torch.no_grad()
def test_the_mean_over_time_is_what_the_library_classifies(name: str, tmp_path: Path) -> None:
    # S3D pools over 7 x 7, MViT has learned positions.
    size = 224 if name.startswith(("s3d", "mvit")) else 32
    backbone, model = pair(name, tmp_path, size)
    features = backbone(clips(size=size))
    steps, dim, depth, _ = SIZES[name]
    assert features.shape == (1, steps, dim)
    assert (backbone.dim, backbone.width, backbone.depth) == (dim, dim, depth)
    assert (features[:, 0] - features[:, -1]).abs().max() > 1e-4
    normalised = backbone.normalise(clips(size=size)[0]).transpose(0, 1)[None]
    if name.startswith("mvit"):
        tokens: list[torch.Tensor] = []
        model.norm.register_forward_hook(lambda module, args, out: tokens.append(out))
        model(normalised)
        mean = tokens[0][:, 1:].mean(1)
        torch.testing.assert_close(features.mean(1), mean, rtol=1e-5, atol=1e-5)
        return
    mean = features.mean(1)
    if name == "s3d":
        scores = model.classifier(mean[..., None, None, None]).flatten(1)
    else:
        scores = (model.head if name.startswith("swin") else model.fc)(mean)
    torch.testing.assert_close(scores, model(normalised), rtol=1e-4, atol=1e-4)


@MODELS
@pytest.mark.parametrize("frames", [8, 15, 16, 17, 33])
def test_time_steps_are_those_of_the_feature_map(name: str, frames: int) -> None:
    with torch.device("meta"):
        size = 224 if name.startswith("mvit") else 64
        backbone = TorchvisionVideo(name, image_size=size)
        blank = torch.empty(1, frames, 3, size, size)
        fits = backbone.trunk.steps
        if name.startswith("mvit") and frames not in (15, 16):
            with pytest.raises(UserError, match=r"takes clips of 16 frames.*clips.frames=16"):
                fits(frames)
            return
        assert backbone(blank).shape[1] == backbone.output_frames(frames)


def test_clips_that_are_too_short_are_refused() -> None:
    with torch.device("meta"):
        backbone = TorchvisionVideo("s3d")
        with pytest.raises(UserError, match=r"clips of 4 frames are too short for 's3d'"):
            backbone.output_frames(4)


@MODELS
def test_sizes_and_normalisation_are_those_of_the_weights(name: str) -> None:
    with torch.device("meta"):
        backbone = TorchvisionVideo(name)
    assert backbone.image_size == SIZES[name][3]
    assert backbone.output_frames(16) == SIZES[name][0]
    transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    assert backbone.trunk.mean == tuple(transforms.mean)
    assert backbone.trunk.std == tuple(transforms.std)


@MODELS
@torch.no_grad()
def test_all_operations_are_counted(name: str) -> None:
    with torch.device("meta"):
        backbone = TorchvisionVideo(name).eval()
        size = backbone.image_size
        with FlopCounter() as counter:
            backbone(torch.empty(1, 16, 3, size, size))
    assert counter.not_counted == {}
    # torchvision publishes G multiply-adds of clips of other lengths or sizes.
    published = {"r3d_18": 40.7, "mc3_18": 43.3, "r2plus1d_18": 40.5, "mvit_v1_b": 70.6}
    if name in published:
        assert counter.total == pytest.approx(2e9 * published[name], rel=0.02)


# Weights.


@pytest.mark.parametrize(
    ("given", "key", "message"),
    [
        ({"model": "r2plus1d_34"}, "model", "expected 'r3d_18' or 'mc3_18'"),
        ({"model": "s3d", "pretrained": "KINETICS400"}, "pretrained", "mean 'KINETICS400_V1'"),
        ({"model": "s3d", "pretrained": __file__}, "pretrained", "not a safetensors file"),
        ({"model": "mvit_v2_s", "image_size": 32}, "image_size", "takes images of 224 pixels"),
    ],
)
def test_faults_are_found_without_building(given: Any, key: str, message: str) -> None:
    found = list(part_faults("backbone", "backbone", {"type": "TorchvisionVideo", **given}))
    assert [fault.key for fault in found] == [f"backbone.{key}"]
    assert re.search(message, found[0].message), found[0].message


def test_weights_that_do_not_fit_wholly_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state = torchvision.models.get_model("r3d_18", weights=None).state_dict()
    save_file({k: v for k, v in state.items() if k != "layer3.0.conv1.0.weight"}, path)
    with pytest.raises(UserError, match=r"do not fit 'r3d_18'.*layer3\.0\.conv1\.0\.weight"):
        TorchvisionVideo("r3d_18", str(path))
    save_file(state, path)
    with pytest.raises(UserError, match="do not fit 'r2plus1d_18'"):
        TorchvisionVideo("r2plus1d_18", str(path))
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read as weights"):
        TorchvisionVideo("r3d_18", str(path))


def test_weights_of_the_library_are_found_where_it_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(UserError, match=r"'KINETICS400_V1' of 'mc3_18'.*Put mc3_18-a90a0ba3"):
        TorchvisionVideo("mc3_18", "KINETICS400_V1")
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    state = reference("mc3_18").state_dict()
    torch.save(state, tmp_path / "checkpoints" / "mc3_18-a90a0ba3.pth")
    backbone = TorchvisionVideo("mc3_18", "KINETICS400_V1")
    assert torch.equal(
        backbone.trunk.model.layer4[1].conv2[0].weight, state["layer4.1.conv2.0.weight"]
    )


# Adapters.


def test_adapters_of_tokens_are_refused() -> None:
    with torch.device("meta"):
        backbone = TorchvisionVideo("r3d_18")
        with pytest.raises(UserError, match=r"STAdapter changes .*TorchvisionVideo has none"):
            backbone.adapt([STAdapter(512) for _ in range(4)])


@MODELS
def test_every_parameter_has_a_place(name: str) -> None:
    with torch.device("meta"):
        backbone = TorchvisionVideo(name)
        names = [n for n, _ in backbone.trunk.named_parameters()]
        places = [backbone.trunk.locate(n) for n in names]
        assert {index for part, index in places if part == "block"} == set(range(backbone.depth))
        # Stages follow each other from input to output.
        order = [index for part, index in places if part == "block"]
        assert order == sorted(order)
        backbone.adapt([FullFineTuning() for _ in range(backbone.depth)])
        assert len(trainable_parameters(backbone)) == len(names)
        backbone.adapt([PartialFineTuning(backbone.depth, i) for i in range(backbone.depth)])
        last = {
            backbone.trunk.locate(n.removeprefix("trunk.")) for n in trainable_parameters(backbone)
        }
        assert last <= {("block", backbone.depth - 1), ("pool", 0)}
        assert ("block", backbone.depth - 1) in last
        backbone.adapt([NormTuning() for _ in range(backbone.depth)])
        assert trainable_parameters(backbone)


@pytest.mark.parametrize("name", [name for name in SIZES if not name.startswith("mvit")])
def test_trainable_parameters_get_gradients(name: str) -> None:
    torch.manual_seed(0)
    backbone = TorchvisionVideo(name, image_size=32)
    backbone.adapt([FullFineTuning() for _ in range(backbone.depth)])
    backbone.eval()(clips()).square().sum().backward()
    for parameter_name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name


def test_frozen_batch_norms_are_unchanged() -> None:
    torch.manual_seed(0)
    backbone = TorchvisionVideo("r3d_18", image_size=32)
    before = {n: b.clone() for n, b in backbone.trunk.named_buffers()}
    backbone.train()(clips(2))
    assert all(torch.equal(b, before[n]) for n, b in backbone.trunk.named_buffers())
    backbone.adapt([PartialFineTuning(4, i) for i in range(4)])
    backbone.train()(clips(2))
    moved = {
        n.split(".")[1] for n, b in backbone.trunk.named_buffers() if not torch.equal(b, before[n])
    }
    assert moved == {"layer4"}
    modes = [m.training for m in backbone.modules() if isinstance(m, nn.BatchNorm3d)]
    assert any(modes)
    assert not all(modes)
