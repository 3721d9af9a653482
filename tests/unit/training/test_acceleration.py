"""Speed and memory options: same losses and gradients with less memory or time."""

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


def step(model: FewShotModel, bf16: bool = False, together: bool = False) -> Result:
    """Losses and gradients of one training episode."""
    task = replace(episode(), bank=torch.zeros(64, 1, 128))
    model.train().zero_grad()
    torch.manual_seed(0)
    text = model.encode_text(task)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        support, query = model.encode(task, text, together)
    outcome = model.match(support.map(Tensor.float), query.map(Tensor.float), text)
    losses = model.loss(outcome, task)
    torch.stack(list(losses.values())).sum().backward()
    trainable = trainable_parameters(model).items()
    grads = {name: p.grad.clone() for name, p in trainable if p.grad is not None}
    return {name: loss.detach() for name, loss in losses.items()}, grads


@contextmanager
def saved_storages() -> Iterator[dict[int, int]]:
    """Bytes by address of the tensors that are saved for the backward pass in a `with` block."""
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved


def saved_activations(model: FewShotModel) -> int:
    """Bytes that encoding saves for the backward pass, without parameters."""
    task = episode()
    text = model.encode_text(task)
    model.train()
    with saved_storages() as saved:
        features = model.encode(task, text)
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    assert features[0].frames.requires_grad
    return sum(size for address, size in saved.items() if address not in weights)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("adapter", [name for name in names("adapter") if name != "Frozen"])
def test_activation_checkpointing_keeps_losses_and_gradients(adapter: str, every: int) -> None:
    model = adapted(adapter)
    plain = step(model)
    with block_execution(model.backbone, BlockLoop(recompute=every)):
        recomputed = step(model)
    torch.testing.assert_close(recomputed, plain, rtol=0, atol=0)


def test_activation_checkpointing_saves_memory() -> None:
    model = adapted(MAFSAR)
    plain = saved_activations(model)
    with block_execution(model.backbone, BlockLoop(recompute=1)):
        assert saved_activations(model) < plain / 5


def test_compiled_blocks_agree_and_share_compiled_code() -> None:
    # In a process without shape checks, which the compiler does not support.
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "tests.helpers.compiled_steps"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Two compilations for all four blocks: one for the support, one for the queries.
    assert done.stdout.split() == ["FineGrainedMultimodal", "2", "AIM", "2"]


@pytest.mark.parametrize("adapter", ["AIM", "LoRA", "STAdapter"])
def test_support_and_queries_in_one_call_agree(adapter: str) -> None:
    model = adapted(adapter)
    torch.testing.assert_close(step(model, together=True), step(model), rtol=1e-4, atol=1e-5)


def test_support_with_text_is_encoded_in_a_separate_call() -> None:
    model = adapted(MAFSAR)
    torch.testing.assert_close(step(model, together=True), step(model), rtol=0, atol=0)


@pytest.mark.parametrize("adapter", [MAFSAR, "FullFineTuning"])
def test_losses_in_bf16_agree_with_fp32(adapter: str) -> None:
    model = adapted(adapter)
    fp32, bf16 = step(model)[0], step(model, bf16=True)[0]
    assert any(not torch.equal(bf16[name], fp32[name]) for name in fp32)
    torch.testing.assert_close(bf16, fp32, rtol=0.03, atol=0.03)


def test_nothing_is_saved_below_the_first_trainable_parameter() -> None:
    config = values("AdaptFormer", "Mean", "MeanCosine")
    model = build_model({**config, "adapter": {"type": "AdaptFormer", "blocks": [-1]}}).train()
    backbone = model.backbone
    frames = episode().query
    with saved_storages() as saved:
        tokens = backbone.trunk.embed(backbone.normalise(frames.flatten(0, 1)))
        tokens = backbone.entry(tokens.unflatten(0, frames.shape[:2]))
        *below, last = zip(backbone.adapters, backbone.trunk.blocks, strict=True)
        for adapter, block in below:
            tokens = adapter(tokens, block, None)
        assert not saved
        assert last[0](tokens, last[1], None).requires_grad
    assert saved


@pytest.mark.parametrize("backbone", [CLIP, TIMM], ids=["open_clip", "timm"])
def test_a_frozen_block_saves_only_tensors_needed_for_its_gradient(
    backbone: dict[str, object],
) -> None:
    model = build_model({**values("Frozen", "Mean", "MeanCosine"), "backbone": backbone})
    width = model.backbone.width
    tokens = torch.randn(6, 17, width, requires_grad=True)
    with saved_storages() as saved:
        out = model.backbone.trunk.blocks[0](tokens)
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    total = sum(size for address, size in saved.items() if address not in weights)
    assert out.requires_grad
    # Inputs of both norms; queries, keys and values; output of the attention; input of the GELU:
    # 1 + 1 + 3 + 1 + 4 widths per token, and the statistics of norms and attention.
    widths = total / tokens.numel() / tokens.element_size()
    assert 10 <= widths < 10.3


def test_class_texts_are_encoded_once(build: Build, data_module: DataModule) -> None:
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


def test_options_are_applied_in_the_block_and_then_restored() -> None:
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


def test_without_tf32_convolutions_run_in_fp32() -> None:
    with tf32_matmul(tf32=False):
        assert not torch.backends.cudnn.allow_tf32


def test_a_training_applies_the_options(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    settings = TrainSettings(episodes=2, checkpointing=True, workers=0)
    with pytest.raises(UserError, match=r"train\.checkpointing .* ToyBackbone has none"):
        train(build(), data_module, settings, EvaluateSettings(val_episodes=2), tmp_path)


@pytest.mark.parametrize(("together", "calls"), [(False, 4), (True, 2)])
def test_number_of_encoder_calls_in_training(
    build: Build, data_module: DataModule, tmp_path: Path, together: bool, calls: int
) -> None:
    model, training_calls = build(), []
    model.backbone.register_forward_pre_hook(
        lambda *_: training_calls.append(1) if torch.is_grad_enabled() else None
    )
    settings = TrainSettings(episodes=2, together=together, workers=0)
    train(model, data_module, settings, EvaluateSettings(val_episodes=2, workers=0), tmp_path)
    assert len(training_calls) == calls
    assert trainable_state(model)


class Operations(TorchDispatchMode):
    """Recorder of the names of operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("backbone", [CLIP, TIMM], ids=["open_clip", "timm"])
def test_attention_is_one_fused_kernel(backbone: dict[str, object], mode: str, bf16: bool) -> None:
    config = {**values("FullFineTuning", "Mean", "MeanCosine"), "backbone": backbone}
    model = build_model(config).backbone.train(mode == "train")
    frames = torch.zeros(1, 1, 3, 64, 64)
    with (
        torch.set_grad_enabled(mode == "train"),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
        Operations() as recorder,
    ):
        model(frames)
    operations = recorder.names
    fused = [name for name in operations if "flash_attention" in name or "native_multi" in name]
    assert len(fused) == model.depth
    assert not any("softmax" in name for name in operations)


def test_a_block_of_mafsar_does_not_save_its_input() -> None:
    backbone = adapted(MAFSAR).train().backbone
    tokens = torch.randn(2, 4, 17, backbone.width, requires_grad=True)
    with saved_storages() as saved:
        out = backbone.adapters[1](tokens, backbone.trunk.blocks[1], None)
    assert out.requires_grad
    assert tokens.untyped_storage().data_ptr() not in saved
