"""Training at another cost: the same features, losses and gradients, and less kept in memory."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fsarbench.backbones.vit import BlockLoop
from fsarbench.config.build import build_model
from fsarbench.data.data_module import DataModule
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.training.acceleration import accelerated, block_execution, tf32_matmul
from fsarbench.training.checkpoint import trainable_state
from fsarbench.training.train import EpisodeLosses, train
from tests.helpers.combinations import adapted, episode, names, values

CLIP = {"type": "OpenClipViT", "model": "fsarbench-tiny"}
TIMM = {"type": "TimmViT", "model": "vit_tiny_patch16_224", "image_size": 64}
MAFSAR = "FineGrainedMultimodal"
Build = Callable[..., FewShotModel]
Result = tuple[dict[str, Tensor], dict[str, Tensor]]


def step(model: FewShotModel, half: bool = False, together: bool = False) -> Result:
    """Losses and gradients of one training episode."""
    task = replace(episode(), bank=torch.zeros(64, 1, 128))
    model.train().zero_grad()
    torch.manual_seed(0)
    text = model.encode_text(task)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        support, query = model.encode(task, text, together)
    outcome = model.match(support.map(Tensor.float), query.map(Tensor.float), text)
    losses = model.loss(outcome, task)
    torch.stack(list(losses.values())).sum().backward()
    tuned = trainable_parameters(model).items()
    grads = {name: p.grad.clone() for name, p in tuned if p.grad is not None}
    return {name: loss.detach() for name, loss in losses.items()}, grads


@contextmanager
def kept() -> Iterator[dict[int, int]]:
    """Bytes by address of all that is kept for the backward pass while this lasts."""
    found: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield found


def activations(model: FewShotModel) -> int:
    """Bytes that encoding keeps for the backward pass, parameters apart."""
    task = episode()
    text = model.encode_text(task)
    model.train()
    with kept() as found:
        alive = model.encode(task, text)
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    assert alive[0].frames.requires_grad
    return sum(size for place, size in found.items() if place not in weights)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("adapter", [name for name in names("adapter") if name != "Frozen"])
def test_recomputed_activations_change_nothing(adapter: str, every: int) -> None:
    model = adapted(adapter)
    plain = step(model)
    with block_execution(model.backbone, BlockLoop(recompute=every)):
        recomputed = step(model)
    torch.testing.assert_close(recomputed, plain, rtol=0, atol=0)


def test_recomputing_keeps_little_more_than_the_tokens_between_blocks() -> None:
    model = adapted(MAFSAR)
    plain = activations(model)
    with block_execution(model.backbone, BlockLoop(recompute=1)):
        assert activations(model) < plain / 5


def test_compiled_blocks_agree_and_share_their_programs() -> None:
    # In a process without the shape contracts, which the compiler cannot look through.
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "tests.helpers.compiled_steps"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # One program for the support and one for queries, over all four blocks.
    assert done.stdout.split() == ["FineGrainedMultimodal", "2", "AIM", "2"]


@pytest.mark.parametrize("adapter", ["AIM", "LoRA", "STAdapter"])
def test_support_and_queries_in_one_call_agree(adapter: str) -> None:
    model = adapted(adapter)
    torch.testing.assert_close(step(model, together=True), step(model), rtol=1e-4, atol=1e-5)


def test_support_with_text_stays_in_a_call_of_its_own() -> None:
    model = adapted(MAFSAR)
    torch.testing.assert_close(step(model, together=True), step(model), rtol=0, atol=0)


@pytest.mark.parametrize("adapter", [MAFSAR, "FullFineTuning"])
def test_losses_in_bf16_are_those_of_fp32_within_its_precision(adapter: str) -> None:
    model = adapted(adapter)
    whole, half = step(model)[0], step(model, half=True)[0]
    assert any(not torch.equal(half[name], whole[name]) for name in whole)
    torch.testing.assert_close(half, whole, rtol=0.03, atol=0.03)


def test_nothing_is_kept_below_the_lowest_tuned_parameter() -> None:
    config = values("AdaptFormer", "Mean", "MeanCosine")
    model = build_model({**config, "adapter": {"type": "AdaptFormer", "blocks": [-1]}}).train()
    backbone = model.backbone
    frames = episode().query
    with kept() as found:
        tokens = backbone.trunk.embed(backbone.normalise(frames.flatten(0, 1)))
        tokens = backbone.entry(tokens.unflatten(0, frames.shape[:2]))
        *below, last = zip(backbone.adapters, backbone.trunk.blocks, strict=True)
        for adapter, block in below:
            tokens = adapter(tokens, block, None)
        assert not found
        assert last[0](tokens, last[1], None).requires_grad
    assert found


@pytest.mark.parametrize("backbone", [CLIP, TIMM], ids=["open_clip", "timm"])
def test_a_frozen_block_keeps_what_its_gradient_needs_and_no_more(
    backbone: dict[str, object],
) -> None:
    model = build_model({**values("Frozen", "Mean", "MeanCosine"), "backbone": backbone})
    width = model.backbone.width
    tokens = torch.randn(6, 17, width, requires_grad=True)
    with kept() as found:
        out = model.backbone.trunk.blocks[0](tokens)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    total = sum(size for place, size in found.items() if place not in own)
    assert out.requires_grad
    # Inputs of both norms, queries, keys and values, the attention's output, the input of the GELU:
    # 1 + 1 + 3 + 1 + 4 widths a token, and the norms' and the attention's statistics.
    widths = total / tokens.numel() / tokens.element_size()
    assert 10 <= widths < 10.3


def test_the_text_of_a_class_is_encoded_once(build: Build, data_module: DataModule) -> None:
    model = build(uses_text=True)
    losses = EpisodeLosses(model, data_module, TrainSettings(precision="fp32"))
    way, shot, queries = (
        data_module.episodes.way,
        data_module.episodes.shot,
        data_module.episodes.queries,
    )
    blank = torch.zeros(way, shot + queries, 3, 3, 8, 8, dtype=torch.uint8)
    for _ in range(3):
        batch = {
            "support": blank[:, :shot],
            "query": blank[:, shot:].flatten(0, 1),
            "labels": torch.arange(way).repeat_interleave(queries),
            "classes": torch.arange(way),
        }
        losses(batch)
    assert model.text_encoder.calls == [len(data_module.splits["train"].classes)]


def test_settings_hold_for_the_time_of_training() -> None:
    backbone = adapted(MAFSAR).backbone
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with accelerated(backbone, TrainSettings(checkpointing=2, compile=True, tf32=True)):
        assert backbone.block_loop == BlockLoop(2, "inductor")
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32
    assert backbone.block_loop == BlockLoop()
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before
    with accelerated(backbone, TrainSettings(checkpointing=True)):
        assert backbone.block_loop == BlockLoop(1, "")


def test_without_tf32_convolutions_are_in_fp32_too() -> None:
    with tf32_matmul(tf32=False):
        assert not torch.backends.cudnn.allow_tf32


def test_a_training_asks_for_its_settings(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    settings = TrainSettings(episodes=2, checkpointing=True, workers=0)
    with pytest.raises(UserError, match=r"train\.checkpointing .* ToyBackbone has none"):
        train(build(), data_module, settings, EvaluateSettings(val_episodes=2), tmp_path)


@pytest.mark.parametrize(("together", "calls"), [(False, 4), (True, 2)])
def test_a_training_encodes_in_as_many_calls_as_it_is_told(
    build: Build, data_module: DataModule, tmp_path: Path, together: bool, calls: int
) -> None:
    model, seen = build(), []
    model.backbone.register_forward_pre_hook(
        lambda module, _: seen.append(module.training) if torch.is_grad_enabled() else None
    )
    settings = TrainSettings(episodes=2, together=together, workers=0)
    train(model, data_module, settings, EvaluateSettings(val_episodes=2, workers=0), tmp_path)
    assert len(seen) == calls
    assert trainable_state(model)


class Operations(TorchDispatchMode):
    """The names of the operations that run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("half", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("backbone", [CLIP, TIMM], ids=["open_clip", "timm"])
def test_attention_is_one_fused_kernel(backbone: dict[str, object], mode: str, half: bool) -> None:
    config = {**values("FullFineTuning", "Mean", "MeanCosine"), "backbone": backbone}
    model = build_model(config).backbone.train(mode == "train")
    frames = torch.zeros(1, 1, 3, 64, 64)
    with (
        torch.set_grad_enabled(mode == "train"),
        torch.autocast("cpu", torch.bfloat16, enabled=half),
        Operations() as seen,
    ):
        model(frames)
    fused = [name for name in seen.names if "flash_attention" in name or "native_multi" in name]
    assert len(fused) == model.depth
    assert not any("softmax" in name for name in seen.names)


def test_a_block_of_mafsar_does_not_keep_the_tokens_that_enter_it() -> None:
    backbone = adapted(MAFSAR).train().backbone
    tokens = torch.randn(2, 4, 17, backbone.width, requires_grad=True)
    with kept() as found:
        out = backbone.adapters[1](tokens, backbone.trunk.blocks[1], None)
    assert out.requires_grad
    assert tokens.untyped_storage().data_ptr() not in found
