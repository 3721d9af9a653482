"""Video backbones of transformers: loading, refusals, trainable parameters, counting."""

import builtins
import copy
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from fsarbench.adapters.adapt_former import AdaptFormer
from fsarbench.adapters.aim import AIM
from fsarbench.adapters.bias_tuning import BiasTuning
from fsarbench.adapters.frozen import Frozen
from fsarbench.adapters.full_fine_tuning import FullFineTuning
from fsarbench.adapters.lora import LoRA
from fsarbench.adapters.norm_tuning import NormTuning
from fsarbench.adapters.partial_fine_tuning import PartialFineTuning
from fsarbench.adapters.st_adapter import STAdapter
from fsarbench.adapters.visual_prompts import VisualPrompts
from fsarbench.backbones.hf_video import HFVideoBackbone
from fsarbench.config.build import build_component
from fsarbench.config.validation import part_faults
from fsarbench.errors import UserError
from fsarbench.model import trainable_parameters
from fsarbench.profiling.flop_counter import FlopCounter
from fsarbench.settings import TrainSettings
from fsarbench.training.acceleration import accelerated
from tests.helpers.tiny_video import CONFIGS, STEPS, build_reference, randomised, spec

MODELS = pytest.mark.parametrize("model", CONFIGS)
JOINT = ("videomae", "vjepa2", "vivit")


def clips(videos: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (videos, 4, 3, 32, 32), dtype=torch.uint8, generator=generator)


def build(model: str, **others: Any) -> HFVideoBackbone:
    torch.manual_seed(0)
    return build_component("backbone", spec(model, **others))


# Loading.


def saved(model: str, folder: Path, **settings: Any) -> Path:
    """Folder with random weights of the library's own model."""
    torch.manual_seed(1)
    randomised(build_reference(model, **settings)).save_pretrained(folder)
    return folder


@MODELS
@torch.no_grad()
def test_weights_from_a_folder_decide_architecture_and_sizes(model: str, tmp_path: Path) -> None:
    backbone = HFVideoBackbone(pretrained=str(saved(model, tmp_path))).eval()
    assert backbone.trunk.architecture == model
    assert (backbone.width, backbone.depth, backbone.image_size) == (24, 2, 32)
    assert backbone.output_frames(4) == STEPS[model]
    # The same random numbers, without a file in between.
    torch.manual_seed(1)
    reference = dict(randomised(build_reference(model)).named_parameters())
    for name, parameter in backbone.trunk.named_parameters():
        own = name.removeprefix("model.")
        same = [
            p for key, p in reference.items() if key.endswith(own) and p.shape == parameter.shape
        ]
        assert any(torch.equal(parameter, p) for p in same), name
    assert not trainable_parameters(backbone)


@torch.no_grad()
def test_the_vision_tower_of_a_whole_x_clip(tmp_path: Path) -> None:
    small = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 1}
    text = {**small, "vocab_size": 60, "intermediate_size": 30}
    vision = {**CONFIGS["xclip"], "mit_hidden_size": 24, "mit_intermediate_size": 30}
    vision |= {"mit_num_attention_heads": 2}
    settings = transformers.XCLIPConfig(
        text_config=text, vision_config=vision, projection_dim=24, prompt_num_attention_heads=2
    )
    whole = randomised(transformers.XCLIPModel(settings)).eval()
    whole.save_pretrained(tmp_path)
    backbone = HFVideoBackbone("xclip", str(tmp_path)).eval()
    images = backbone.normalise(clips()[0])
    expected = whole.vision_model(images).pooler_output
    assert torch.equal(backbone(clips())[0], expected)


@pytest.mark.parametrize("task", ["VideoMAEForPreTraining", "VideoMAEModel"])
@torch.no_grad()
def test_videomae_of_another_task_with_its_norm(task: str, tmp_path: Path) -> None:
    settings = transformers.VideoMAEConfig(
        **CONFIGS["videomae"],
        use_mean_pooling=False,
        decoder_hidden_size=12,
        decoder_num_attention_heads=2,
        decoder_num_hidden_layers=1,
        decoder_intermediate_size=12,
    )
    randomised(getattr(transformers, task)(settings)).save_pretrained(tmp_path)
    backbone = HFVideoBackbone(pretrained=str(tmp_path))
    state = load_file(tmp_path / "model.safetensors")
    key = "layernorm.weight" if task == "VideoMAEModel" else "videomae.layernorm.weight"
    assert torch.equal(backbone.trunk.model.layernorm.weight, state[key])


def test_weights_that_lack_a_parameter_are_refused(tmp_path: Path) -> None:
    saved("videomae", tmp_path)
    path = tmp_path / "model.safetensors"
    state = load_file(path)
    absent = [key for key in state if "fc_norm" in key or "layer.1.intermediate" in key]
    rest = {key: tensor for key, tensor in state.items() if key not in absent}
    save_file(rest, path, metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lack fc_norm\.bias, .* and 1 more of VideoMAEFor"):
        HFVideoBackbone(pretrained=str(tmp_path))


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    saved("vivit", tmp_path)
    with pytest.raises(UserError, match=r"do not fit VivitModel.*Leave out settings"):
        HFVideoBackbone(pretrained=str(tmp_path), config={"num_frames": 8})
    saved("timesformer", tmp_path / "t")
    with pytest.raises(UserError, match=r"model='vivit', but .* are those of 'timesformer'"):
        HFVideoBackbone("vivit", pretrained=str(tmp_path / "t"))


@torch.no_grad()
@pytest.mark.parametrize(
    ("model", "setting"), [("videomae", "num_frames"), ("vjepa2", "frames_per_clip")]
)
def test_fixed_positions_serve_other_numbers_of_frames(
    model: str, setting: str, tmp_path: Path
) -> None:
    folder = str(saved(model, tmp_path))
    backbone = HFVideoBackbone(pretrained=folder, config={setting: 8})
    assert backbone(clips().repeat(1, 2, 1, 1, 1)).shape == (1, 4, 24)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    saved("vivit", tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"has no model\.safetensors.*save_pretrained"):
        HFVideoBackbone(pretrained=str(tmp_path))
    with torch.device("meta"):  # the settings suffice for counting
        assert HFVideoBackbone(pretrained=str(tmp_path)).dim == 24


def test_an_unreachable_hub_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    name = "MCG-NJU/videomae-base"
    with pytest.raises(UserError, match=rf"of '{name}' are not on.*pretrained=FOLDER"):
        HFVideoBackbone(pretrained=name)
    with torch.device("meta"), pytest.raises(UserError, match=r"here its config\.json"):
        HFVideoBackbone(pretrained=name)


def test_normalisation_is_that_of_the_preprocessor(tmp_path: Path) -> None:
    folder = saved("vivit", tmp_path)

    def normalised(**settings: Any) -> torch.Tensor:
        (folder / "preprocessor_config.json").write_text(json.dumps(settings))
        backbone = HFVideoBackbone(pretrained=str(folder)).double()
        return backbone.normalise(torch.tensor([0.0, 0.2, 1.0]).double().view(1, 3, 1, 1)).view(3)

    plain = torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64)
    mean, std = torch.tensor([0.4, 0.5, 0.6]).double(), torch.tensor([0.2, 0.3, 0.4]).double()
    names = {"image_mean": mean.tolist(), "image_std": std.tolist()}
    close = torch.testing.assert_close
    close(normalised(**names, rescale_factor=1 / 255), (plain - mean) / std, atol=1e-6, rtol=0)
    centred = normalised(**names, rescale_factor=1 / 127.5, offset=True)
    close(centred, (2 * plain - 1 - mean) / std, atol=1e-6, rtol=0)
    raw = normalised(**names, do_normalize=False, rescale_factor=1 / 127.5, offset=True)
    close(raw, 2 * plain - 1, atol=1e-6, rtol=0)
    (folder / "preprocessor_config.json").unlink()
    default = HFVideoBackbone(pretrained=str(folder))
    close(default.mean.view(3), torch.full((3,), 0.5))


# Faults of a config.


@pytest.mark.parametrize(
    ("given", "key", "message"),
    [
        ({}, "model", "set pretrained, or model to one of videomae, vjepa2"),
        ({"model": "videomaee"}, "model", "expected 'videomae' or 'vjepa2'"),
        ({"pretrained": "no-such-folder"}, "pretrained", "neither a folder .* nor a name"),
        ({"model": "vivit", "config": {"num_frame": 4}}, "config", "Did you mean 'num_frames'"),
        ({"model": "vivit", "config": {"num_frames": "4"}}, "config", "expected int, got str"),
        ({"model": "vivit", "config": {"crop_size": 32}}, "config", "expected settings of Vivit"),
        ({"model": "vivit", "pool": "tokens"}, "pool", "expected 'patches' or 'class'"),
    ],
)
def test_faults_are_found_without_building(given: Any, key: str, message: str) -> None:
    found = list(part_faults("backbone", "backbone", {"type": "HFVideoBackbone", **given}))
    assert [fault.key for fault in found] == [f"backbone.{key}"]
    assert re.search(message, found[0].message), found[0].message


def test_a_folder_of_another_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match=r"those of 'bert'; .* supports videomae, vjepa2"):
        HFVideoBackbone(pretrained=str(tmp_path))
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(UserError, match="cannot be read as the settings"):
        HFVideoBackbone(pretrained=str(tmp_path))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name == "transformers":
            raise ImportError("not installed in this test")
        return plain(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"pip install \"fsarbench\[video\]\""):
        HFVideoBackbone("videomae")


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("videomae", {"num_frames": 5}, "num_frames=5 is no multiple of the 2 frames"),
        ("vivit", {"image_size": [32, 48]}, "only square images"),
        ("timesformer", {"attention_type": "space_only"}, "space_only"),
    ],
)
def test_sizes_that_do_not_fit(model: str, settings: dict[str, Any], message: str) -> None:
    with torch.device("meta"), pytest.raises(UserError, match=message):
        HFVideoBackbone(model, config={**CONFIGS[model], **settings})


@pytest.mark.parametrize("model", ["videomae", "vjepa2"])
def test_there_is_not_always_a_class_token(model: str) -> None:
    with torch.device("meta"), pytest.raises(UserError, match="has no class token"):
        build(model, pool="class")


@MODELS
def test_clips_of_another_length_or_size_are_refused(model: str) -> None:
    with torch.device("meta"):
        backbone = build(model)
    fixed = model in ("videomae", "vjepa2")
    setting = "frames_per_clip" if model == "vjepa2" else "num_frames"
    for call in (lambda: backbone.output_frames(8), lambda: backbone(empty(8, 32))):
        with pytest.raises(UserError, match=r"takes clips of 4 frames, got 8.*clips.frames=4") as e:
            call()
        assert (f"backbone.config.{setting}=8" in str(e.value)) == fixed
    with pytest.raises(UserError, match=r"images of 32 pixels, got 64.*clips.size=32"):
        backbone(empty(4, 64))


def empty(frames: int, size: int) -> torch.Tensor:
    return torch.empty(1, frames, 3, size, size, device="meta")


# Adapters.


@MODELS
def test_adapters_that_do_not_fit_are_refused_by_name(model: str) -> None:
    with torch.device("meta"):
        backbone = build(model)
        refused = [AIM(24, frames=4), STAdapter(24)]
        if model == "vjepa2":
            refused.append(VisualPrompts(24))
        if model not in JOINT:
            refused += [LoRA(24, 40), AdaptFormer(24), VisualPrompts(24)]
        for adapter in refused:
            name = type(adapter).__name__
            with pytest.raises(UserError, match=f"{name} needs .*: Frozen, FullFineTuning"):
                backbone.adapt([Frozen(), adapter])


@MODELS
def test_every_parameter_has_a_place(model: str) -> None:
    with torch.device("meta"):
        backbone = build(model)
        everything = {name for name, _ in backbone.named_parameters()}
        backbone.adapt([FullFineTuning() for _ in range(2)])
        assert set(trainable_parameters(backbone)) == everything
        places = {
            name: backbone.trunk.locate(name) for name, _ in backbone.trunk.named_parameters()
        }
        blocks = {place for place in places.values() if place[0] == "block"}
        assert blocks == {("block", 0), ("block", 1)}
        pool = {name for name, place in places.items() if place[0] == "pool"}
        assert {name.rpartition(".")[2] for name in pool} == {"weight", "bias"}
        assert len(pool) == 2
        backbone.adapt([PartialFineTuning(2, i) for i in range(2)])
        last = set(trainable_parameters(backbone))
        assert {backbone.trunk.locate(n.removeprefix("trunk.")) for n in last} == {
            ("block", 1),
            ("pool", 0),
        }
        backbone.adapt([NormTuning() for _ in range(2)])
        norms = set(trainable_parameters(backbone))
        assert norms
        assert all("norm" in name or "message_ln" in name for name in norms)
        backbone.adapt([BiasTuning() for _ in range(2)])
        assert all(name.endswith("bias") for name in trainable_parameters(backbone))


@MODELS
def test_trainable_parameters_get_gradients(model: str) -> None:
    backbone = build(model)
    randomised(backbone)
    backbone.adapt([FullFineTuning() for _ in range(2)])
    features = backbone.train()(clips(2))
    generator = torch.Generator().manual_seed(0)
    (features * torch.randn(features.shape, generator=generator)).sum().backward()
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, name
        # A key's bias moves all scores of a softmax alike.
        assert parameter.grad.abs().max() > 0 or "key.bias" in name or "k_proj.bias" in name, name


@pytest.mark.parametrize("model", JOINT)
def test_checkpointing_changes_no_gradient(model: str) -> None:
    backbone = build(model)
    backbone.adapt([randomised(LoRA(24, backbone.mlp_width)) for _ in range(2)])

    def gradients(checkpointing: int) -> list[torch.Tensor]:
        backbone.zero_grad()
        with accelerated(backbone, TrainSettings(checkpointing=checkpointing)):
            backbone(clips()).square().sum().backward()
        return [p.grad.clone() for p in trainable_parameters(backbone).values()]

    for plain, again in zip(gradients(0), gradients(1), strict=True):
        assert torch.equal(plain, again)


def test_models_that_are_run_as_a_whole_have_no_checkpointing() -> None:
    backbone = build("xclip")
    with (
        pytest.raises(UserError, match="HFVideoBackbone has none that are run one by one"),
        accelerated(backbone, TrainSettings(checkpointing=1)),
    ):
        pass


@MODELS
@torch.no_grad()
def test_a_copy_has_blocks_of_its_own(model: str) -> None:
    backbone = build(model).eval()
    copied = copy.deepcopy(backbone)
    assert torch.equal(copied(clips()), backbone(clips()))
    randomised(backbone)
    assert not torch.allclose(copied(clips()), backbone(clips()))


# Counting.


@MODELS
@torch.no_grad()
def test_all_operations_are_counted(model: str) -> None:
    with torch.device("meta"):
        backbone = build(model).eval()
        with FlopCounter() as counter:
            backbone(empty(4, 32))
    assert counter.not_counted == {}
    tokens = {"videomae": 8, "vjepa2": 8, "vivit": 9}
    if model in tokens:
        length, width, inner = tokens[model], 24, backbone.mlp_width
        attention = 4 * length * width * width + 2 * length * length * width
        embed = 8 * width * 3 * 2 * 16 * 16
        blocks = 2 * (attention + 2 * length * width * inner)
        assert counter.total == 2 * (embed + blocks)
