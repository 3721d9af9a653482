"""The model and the episodes that are measured: random weights, made-up frames."""

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
from fsarbench.data.clips import ClipSettings
from fsarbench.episode import Episode
from fsarbench.evaluation.feature_cache import trains_text_encoder
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.profiling.episode_flops import copied, dummy_episode, text_shape
from fsarbench.training.precision import forward_episode


def loss_of(
    model: FewShotModel, episode: Episode, half: bool = False, together: bool = False
) -> Float[Tensor, ""]:
    """The sum of an episode's losses.

    Args:
        model: In training mode.
        episode: On the model's device.
        half: Encode the videos in bf16.
        together: Encode support and queries in one call where that is possible.
    """
    outcome = forward_episode(model, episode, half, together)
    losses = model.loss(outcome, episode)
    return torch.stack(list(losses.values())).sum()


@torch.no_grad()
def infer_episode(model: FewShotModel, episode: Episode, half: bool) -> Float[Tensor, "Q N"]:
    """Scores of one test episode without caching."""
    return model.scores(forward_episode(model, episode, half))


M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class ProfiledModel:
    """What is measured, on the meta device: it takes no memory and has no numbers.

    Attributes:
        model: The assembly.
        settings: Its plain sections.
        clips: Sized for the backbone.
    """

    model: FewShotModel
    settings: Settings
    clips: ClipSettings

    def episode(self, stage: str) -> Episode:
        """A blank episode of `train` or `test`.

        The text features of all classes come with it, unless training changes the text encoder.
        """
        kind = self.settings.episodes.of(stage)
        text = text_shape(self.model)
        episode = dummy_episode(self.model.backbone, self.clips, kind, text)
        if text is None:
            return episode
        names = tuple(f"class {i}" for i in range(kind.way))
        if stage == "train" and trains_text_encoder(self.model):
            return replace(episode, names=names, text=None)
        bank = torch.empty(USUAL_CLASSES, *text, device="meta")
        return replace(episode, names=names, bank=bank)

    @property
    def trains(self) -> bool:
        """Whether there is anything to train."""
        return bool(trainable_parameters(self.model)) and len(self.model.losses) > 0


def build_profiled_model(values: Values) -> ProfiledModel:
    """The subject of a checked config; weights that the config names are not looked for."""
    model, settings = build_on_meta(values), build_settings(values)
    return ProfiledModel(model, settings, clips_for(settings.clips, model.backbone))


def empty_on(module: M, device: torch.device) -> M:
    """A copy of a module on another device with whatever numbers its memory holds."""
    return copied(module, lambda tensor: torch.empty_like(tensor, device=device))


def random_on(module: M, device: torch.device, seed: int = 0) -> M:
    """A copy of a module on another device with random weights, the same on every machine.

    Buffers become 1 (deviations and running variances must not be 0), so the numbers that it gives
    mean nothing; only their cost does.
    """
    generator = torch.Generator().manual_seed(seed)

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
        if not isinstance(tensor, nn.Parameter):
            return torch.ones(tensor.shape, dtype=tensor.dtype, device=device)
        numbers = torch.randn(tensor.shape, generator=generator) * 0.02
        return numbers.to(device, tensor.dtype)

    return copied(module, drawn)


def random_episode(episode: Episode, device: torch.device, seed: int = 0) -> Episode:
    """An episode of the same kind with random pixels, on a device."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(name: str, tensor: Tensor) -> Tensor:
        if tensor.dtype == torch.uint8:
            numbers = torch.randint(256, tensor.shape, generator=generator, dtype=torch.uint8)
        elif name == "labels":
            way = episode.support.shape[0]
            numbers = torch.arange(way).repeat_interleave(tensor.numel() // way)
        elif name == "classes":
            numbers = torch.arange(tensor.numel())
        else:
            numbers = torch.randn(tensor.shape, generator=generator)
        return numbers.to(device)

    return with_tensors(episode, drawn)


def with_tensors(episode: Episode, change: Callable[[str, Tensor], Tensor]) -> Episode:
    """The episode with every tensor replaced, by its name."""
    found = {field.name: getattr(episode, field.name) for field in fields(episode)}
    changed: dict[str, Any] = {
        name: change(name, value) for name, value in found.items() if isinstance(value, Tensor)
    }
    return replace(episode, **changed)


def tensors_of(episode: Episode) -> list[Tensor]:
    """All tensors of an episode."""
    found = (getattr(episode, field.name) for field in fields(episode))
    return [value for value in found if isinstance(value, Tensor)]
