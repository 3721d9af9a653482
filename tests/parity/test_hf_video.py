"""Features of the video backbones match transformers' own forward, bit for bit in float64.

The library's tokens are averaged here by loops over clips and time steps.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fsarbench.adapters.adapt_former import AdaptFormer
from fsarbench.adapters.lora import LoRA
from fsarbench.adapters.visual_prompts import VisualPrompts
from fsarbench.backbones.hf_video import HFVideoBackbone
from tests.helpers.tiny_video import (
    CONFIGS,
    PATCHES,
    STEPS,
    build_reference,
    randomised,
    reference_tokens,
)

JOINT = ("videomae", "vjepa2", "vivit")
MODELS = pytest.mark.parametrize("model", CONFIGS)


def pair(model: str, pool: str | None = None, **settings: Any) -> tuple[HFVideoBackbone, Any]:
    """A backbone and the library's own model with the same random weights, in float64."""
    torch.manual_seed(0)
    reference = randomised(build_reference(model, **settings)).double().eval()
    backbone = HFVideoBackbone(model, config={**CONFIGS[model], **settings}, pool=pool)
    backbone = backbone.double().eval()
    own = dict(reference.named_parameters())
    names = {name: inside(model, name) for name, _ in backbone.trunk.named_parameters()}
    for name, parameter in backbone.trunk.named_parameters():
        parameter.data.copy_(own[names[name]])
    return backbone, reference.requires_grad_(False)


def inside(model: str, name: str) -> str:
    """Name of a trunk's parameter in the library's model."""
    name = name.removeprefix("model.")
    if model == "videomae":
        return name.replace("norm.", "fc_norm.") if name.startswith("norm.") else f"videomae.{name}"
    return f"encoder.{name}" if model == "vjepa2" else name


def clips(seed: int = 0) -> Tensor:
    return torch.rand(2, 4, 3, 32, 32, generator=torch.Generator().manual_seed(seed)).double()


def normalised(backbone: HFVideoBackbone, frames: Tensor) -> Tensor:
    return (frames - backbone.mean) / backbone.std


def of_step(model: str, tokens: Tensor, video: int, step: int) -> Tensor:
    """Tokens of the patches of one time step of one video, before or after the last norm."""
    if model == "xclip":
        return tokens[video * STEPS[model] + step, 1:]
    if model == "timesformer":
        # Behind the class token the frames of a patch are neighbours.
        return torch.stack([tokens[video, 1 + p * STEPS[model] + step] for p in range(PATCHES)])
    first = (1 if model == "vivit" else 0) + step * PATCHES
    return tokens[video, first : first + PATCHES]


@MODELS
@torch.no_grad()
def test_features_are_means_of_the_librarys_tokens(model: str) -> None:
    backbone, reference = pair(model, pool="patches")
    tokens = reference_tokens(model, reference, normalised(backbone, clips()))
    features = backbone(clips())
    assert features.shape == (2, STEPS[model], 24)
    assert backbone.output_frames(4) == STEPS[model]
    for video in range(2):
        for step in range(STEPS[model]):
            patches = of_step(model, tokens, video, step)
            if model == "videomae":  # fine-tuned weights normalise the mean
                expected = reference.fc_norm(patches.mean(0))
            elif model == "xclip":
                expected = reference.post_layernorm(patches).mean(0)
            else:
                expected = patches.mean(0)
            assert torch.allclose(features[video, step], expected, rtol=0, atol=1e-14)


@MODELS
@torch.no_grad()
def test_tokens_are_the_librarys_bit_for_bit(model: str) -> None:
    backbone, reference = pair(model)
    images = normalised(backbone, clips())
    expected = reference_tokens(model, reference, images)
    if model in JOINT:
        seen: list[Tensor] = []
        plain = backbone.trunk.pool
        backbone.trunk.pool = lambda tokens: seen.append(tokens) or plain(tokens)
        backbone(clips())
        tokens = seen[0] if model == "videomae" else backbone.trunk.model.layernorm(seen[0])
        assert torch.equal(tokens, expected)
    else:
        flat = images.flatten(0, 1) if model == "xclip" else images
        assert torch.equal(backbone.trunk.model(flat).last_hidden_state, expected)


@torch.no_grad()
def test_videomae_before_fine_tuning_normalises_the_tokens() -> None:
    backbone, reference = pair("videomae", use_mean_pooling=False)
    tokens = reference.videomae(normalised(backbone, clips())).last_hidden_state
    assert reference.fc_norm is None
    expected = tokens.unflatten(1, (2, PATCHES)).mean(2)
    assert torch.equal(backbone(clips()), expected)


@torch.no_grad()
def test_class_tokens() -> None:
    for model in ("timesformer", "vivit"):
        backbone, reference = pair(model, pool="class")
        tokens = reference_tokens(model, reference, normalised(backbone, clips()))
        assert torch.equal(backbone(clips()), tokens[:, :1])
        assert backbone.output_frames(4) == 1
    backbone, reference = pair("xclip")  # the class tokens are its default
    pooled = reference(normalised(backbone, clips()).flatten(0, 1)).pooler_output
    assert torch.equal(backbone(clips()), pooled.unflatten(0, (2, 4)))
    assert backbone.output_frames(4) == 4


# Adapters: the library's own model with changed weights or layers.


def linear(reference: Any, model: str, block: int, projection: str) -> nn.Linear:
    """Linear layer of a projection in the library's model."""
    if model == "videomae":
        layer = reference.videomae.encoder.layer[block]
        attention = layer.attention.attention
        return {
            "q": attention.query,
            "k": attention.key,
            "v": attention.value,
            "o": layer.attention.output.dense,
            "up": layer.intermediate.dense,
            "down": layer.output.dense,
        }[projection]
    if model == "vivit":
        layer = reference.layers[block]
        names = {"up": "fc1", "down": "fc2"}
        found = layer.mlp if projection in names else layer.attention
        return getattr(found, names.get(projection, f"{projection}_proj"))
    layer = reference.encoder.layer[block]
    names = {"q": "query", "k": "key", "v": "value", "o": "proj", "up": "fc1", "down": "fc2"}
    return getattr(
        layer.mlp if projection in ("up", "down") else layer.attention, names[projection]
    )


@pytest.mark.parametrize("model", JOINT)
def test_lora_is_the_library_with_merged_weights(model: str) -> None:
    backbone, reference = pair(model)
    width, inner = backbone.width, backbone.mlp_width
    assert inner == linear(reference, model, 0, "up").out_features
    adapters = [
        randomised(LoRA(width, inner, rank=2, projections=("q", "k", "v", "o", "mlp")).double())
        for _ in range(backbone.depth)
    ]
    plain = backbone(clips()).detach()
    backbone.adapt(adapters)
    features = backbone(clips())
    (features**2).sum().backward()
    for block, adapter in enumerate(adapters):
        for projection, change in adapter.changes.items():
            linear(reference, model, block, projection).weight += change().detach()
    expected, _ = pair(model)
    for name, parameter in expected.trunk.named_parameters():
        parameter.data.copy_(dict(reference.named_parameters())[inside(model, name)])
    torch.testing.assert_close(features, expected(clips()), rtol=0, atol=1e-12)
    assert not torch.allclose(features, plain)
    for adapter in adapters:
        assert all(p.grad is not None and p.grad.abs().max() > 0 for p in adapter.parameters())


@pytest.mark.parametrize("model", JOINT)
@torch.no_grad()
def test_adapt_former_adds_to_the_librarys_block(model: str) -> None:
    backbone, reference = pair(model)
    adapters = [randomised(AdaptFormer(backbone.width, bottleneck=5).double()) for _ in range(2)]
    backbone.adapt(adapters)
    features = backbone(clips())
    layers = {
        "videomae": lambda: reference.videomae.encoder.layer,
        "vjepa2": lambda: reference.encoder.layer,
        "vivit": lambda: reference.layers,
    }[model]()
    second_norm = "norm2" if model == "vjepa2" else "layernorm_after"
    for layer, adapter in zip(layers, adapters, strict=True):
        keep: list[Tensor] = []
        getattr(layer, second_norm).register_forward_hook(
            lambda module, args, out, keep=keep: keep.append(out)
        )

        def add(module: Any, args: Any, out: Any, keep: Any = keep, adapter: Any = adapter) -> Any:
            added = adapter.scale * adapter.up(adapter.down(keep.pop()).relu())
            return (out[0] + added, *out[1:]) if isinstance(out, tuple) else out + added

        layer.register_forward_hook(add)
    tokens = reference_tokens(model, reference, normalised(backbone, clips()))
    first = 1 if model == "vivit" else 0
    means = tokens[:, first:].unflatten(1, (2, PATCHES)).mean(2)
    expected = reference.fc_norm(means) if model == "videomae" else means
    torch.testing.assert_close(features, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", ["videomae", "vivit"])
@torch.no_grad()
def test_prompts_join_the_tokens_of_all_time_steps(model: str) -> None:
    backbone, reference = pair(model)
    adapters = [randomised(VisualPrompts(backbone.width, 3).double()) for _ in range(2)]
    backbone.adapt(adapters)
    features = backbone(clips())
    layers = reference.videomae.encoder.layer if model == "videomae" else reference.layers
    for layer, adapter in zip(layers, adapters, strict=True):
        plain = layer.forward

        def forward(
            tokens: Tensor, *args: Any, plain: Any = plain, adapter: Any = adapter, **options: Any
        ) -> Tensor:
            prompts = adapter.prompts.expand(len(tokens), -1, -1)
            return plain(torch.cat([tokens, prompts], 1), *args, **options)[:, : tokens.shape[1]]

        layer.forward = forward
    tokens = reference_tokens(model, reference, normalised(backbone, clips()))
    means = tokens[:, backbone.prefix :].unflatten(1, (2, PATCHES)).mean(2)
    expected = reference.fc_norm(means) if model == "videomae" else means
    torch.testing.assert_close(features, expected, rtol=0, atol=1e-12)
