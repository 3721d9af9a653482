"""Tiny settings of the video models of transformers, and the library's own features."""

from collections.abc import Mapping
from typing import Any

import torch
import transformers
from torch import Tensor, nn

COMMON = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
MLP = {"intermediate_size": 40}
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "videomae": {**COMMON, **MLP, "image_size": 32, "num_frames": 4},
    # The width of a head must hold a rotation of each of the three axes.
    "vjepa2": {
        **COMMON,
        "mlp_ratio": 2.0,
        "crop_size": 32,
        "frames_per_clip": 4,
        "pred_hidden_size": 12,
        "pred_num_attention_heads": 2,
        "pred_num_hidden_layers": 1,
    },
    "timesformer": {**COMMON, **MLP, "image_size": 32, "num_frames": 4},
    "vivit": {**COMMON, **MLP, "image_size": 32, "num_frames": 4},
    "xclip": {**COMMON, **MLP, "image_size": 32, "patch_size": 16, "num_frames": 4},
}
STEPS = {"videomae": 2, "vjepa2": 2, "timesformer": 4, "vivit": 2, "xclip": 4}
PATCHES = 4


def spec(model: str, **others: Any) -> dict[str, Any]:
    """Config of a tiny backbone with random weights."""
    return {"type": "HFVideoBackbone", "model": model, "config": dict(CONFIGS[model]), **others}


def randomised(module: nn.Module) -> nn.Module:
    """Module with perturbed weights: zeros and equal scales would hide the layers behind them."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def build_reference(model: str, **settings: Any) -> Any:
    """Model of transformers, as its own documentation builds it."""
    values = {**CONFIGS[model], **settings}
    if model == "videomae":
        return transformers.VideoMAEForVideoClassification(transformers.VideoMAEConfig(**values))
    if model == "vjepa2":
        return transformers.VJEPA2Model(transformers.VJEPA2Config(**values))
    if model == "timesformer":
        return transformers.TimesformerModel(transformers.TimesformerConfig(**values))
    if model == "vivit":
        return transformers.VivitModel(transformers.VivitConfig(**values), add_pooling_layer=False)
    return transformers.XCLIPVisionModel(transformers.XCLIPVisionConfig(**values))


def reference_tokens(model: str, reference: Any, clips: Tensor) -> Tensor:
    """Tokens of the library's own forward, which for X-CLIP are those of each frame."""
    if model == "videomae":
        return reference.videomae(clips).last_hidden_state
    if model == "vjepa2":
        return reference(clips, skip_predictor=True).last_hidden_state
    if model == "xclip":
        return reference(clips.flatten(0, 1)).last_hidden_state
    return reference(clips).last_hidden_state
