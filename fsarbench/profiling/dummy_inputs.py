"""Models with random weights and random episodes for profiling."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.config.build import (
    USUAL_CLASSES,
    Settings,
    Values,
    build_on_meta,
    build_settings,
    clips_for,
)
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.episode import Episode
from fsarbench.evaluation.feature_cache import trains_text_encoder
from fsarbench.evaluation.precision import forward_episode
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.profiling.episode_flops import dummy_episode, modified_copy, text_shape


def episode_loss(
    model: FewShotModel, episode: Episode, bf16: bool = False, together: bool = False
) -> Float[Tensor, ""]:
    """Sum of the losses of an episode.

    Args:
        model: Model in training mode.
        episode: Episode on the device of the model.
        bf16: Encode the videos in bf16.
        together: Encode support and queries in one call if possible.
    """
    outcome = forward_episode(model, episode, bf16, together)
    losses = model.loss(outcome, episode)
    return torch.stack(list(losses.values())).sum()


@torch.no_grad()
def infer_episode(model: FewShotModel, episode: Episode, bf16: bool) -> Float[Tensor, "Q N"]:
    """Scores of one test episode without cached features."""
    return model.scores(forward_episode(model, episode, bf16))


M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class ProfiledModel:
    """Model to be profiled, on the meta device, where tensors have shapes but no memory.

    Attributes:
        model: Model built from the config.
        settings: Settings of the config.
        clips: Clip settings for the input of the backbone.
    """

    model: FewShotModel
    settings: Settings
    clips: ClipSettings

    def episode(self, stage: str) -> Episode:
        """Episode for the stage `train` or `test`, with tensors on the meta device.

        It holds the text features of all classes, unless the text encoder is trained.
        """
        settings = self.settings.episodes.of(stage)
        text = text_shape(self.model)
        episode = dummy_episode(self.model.backbone, self.clips, settings, text)
        if text is None:
            return episode
        names = tuple(f"class {i}" for i in range(settings.way))
        if stage == "train" and trains_text_encoder(self.model):
            return replace(episode, names=names, text=None)
        bank = torch.empty(USUAL_CLASSES, *text, device="meta")
        return replace(episode, names=names, bank=bank)

    @property
    def trains(self) -> bool:
        """Whether the model has trainable parameters and losses."""
        return bool(trainable_parameters(self.model)) and len(self.model.losses) > 0


def build_profiled_model(values: Values) -> ProfiledModel:
    """Build the model of a checked config on the meta device; no pretrained weights are loaded."""
    model, settings = build_on_meta(values), build_settings(values)
    return ProfiledModel(model, settings, clips_for(settings.clips, model.backbone))


def empty_copy(module: M, device: torch.device) -> M:
    """Copy of a module on another device with uninitialised weights."""
    return modified_copy(module, lambda tensor: torch.empty_like(tensor, device=device))


def random_copy(module: M, device: torch.device, seed: int = 0) -> M:
    """Copy of a module on another device with random weights, equal on every machine.

    Buffers are set to 1, because standard deviations and running variances must not be 0. The
    outputs are meaningless; only the cost of the computation is measured.
    """
    generator = torch.Generator().manual_seed(seed)

    def random_values(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
        if not isinstance(tensor, nn.Parameter):
            return torch.ones(tensor.shape, dtype=tensor.dtype, device=device)
        values = torch.randn(tensor.shape, generator=generator) * 0.02
        return values.to(device, tensor.dtype)

    return modified_copy(module, random_values)


def random_episode(episode: Episode, device: torch.device, seed: int = 0) -> Episode:
    """Episode with the same shapes and random values, on a device."""
    generator = torch.Generator().manual_seed(seed)

    def random_values(name: str, tensor: Tensor) -> Tensor:
        if tensor.dtype == torch.uint8:
            values = torch.randint(256, tensor.shape, generator=generator, dtype=torch.uint8)
        elif name == "labels":
            way = episode.support.shape[0]
            values = torch.arange(way).repeat_interleave(tensor.numel() // way)
        elif name == "classes":
            values = torch.arange(tensor.numel())
        else:
            values = torch.randn(tensor.shape, generator=generator)
        return values.to(device)

    return map_tensors(episode, random_values)


def map_tensors(episode: Episode, change: Callable[[str, Tensor], Tensor]) -> Episode:
    """Episode with every tensor replaced by `change(field name, tensor)`."""
    values = {field.name: getattr(episode, field.name) for field in fields(episode)}
    changed: dict[str, Any] = {
        name: change(name, value) for name, value in values.items() if isinstance(value, Tensor)
    }
    return replace(episode, **changed)


def tensors_of(episode: Episode) -> list[Tensor]:
    """All tensors of an episode."""
    values = (getattr(episode, field.name) for field in fields(episode))
    return [value for value in values if isinstance(value, Tensor)]
