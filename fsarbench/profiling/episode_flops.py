"""FLOPs of a model per test episode and per video."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.episode import Episode
from fsarbench.interfaces import Backbone
from fsarbench.model import Branch, FewShotModel
from fsarbench.profiling.flop_counter import FlopCounter, SlotTracker, unfused_attention

M = TypeVar("M", bound=nn.Module)

CONVENTION = (
    "1 multiply-add = 2 FLOP; matrix products, convolutions and attention; one forward pass in "
    "evaluation mode; the text of a class is encoded once and not counted"
)


@dataclass(frozen=True)
class EpisodeFlops:
    """Floating-point operations, counted by `CONVENTION`.

    Attributes:
        support_video: FLOPs of encoding one support video.
        query_video: FLOPs of encoding one query video.
        episode: FLOPs of one whole test episode without cached features.
        not_counted: Operations of torch without a formula; if there are any, the FLOPs are too low.
    """

    support_video: int
    query_video: int
    episode: int
    not_counted: tuple[str, ...] = ()


def count_flops(
    model: FewShotModel, clips: ClipSettings, episodes: EpisodeSettings
) -> EpisodeFlops:
    """Count the FLOPs on a copy of the model on the meta device; takes seconds.

    Args:
        model: Model on any device; it is not changed.
        clips: Clip settings for the image size of the backbone.
        episodes: Way, shot and number of queries.
    """
    # The text encoder is large and its FLOPs are not counted, so it is not copied.
    without_text = FewShotModel(
        model.backbone,
        model.prototypes,
        model.matcher,
        model.readout,
        neck=model.neck,
        branches={name: b for name, b in model.branches.items() if isinstance(b, Branch)},
        reads=model.reads,
    )
    empty = meta_copy(without_text).eval()
    episode = dummy_episode(model.backbone, clips, episodes, text_shape(model))
    text = None if episode.text is None else episode.text[:1]
    support = count_operations(lambda: empty.encode_support(episode.support[:1, :1], text))
    query = count_operations(lambda: empty.encode_query(episode.query[:1]))
    whole = count_operations(lambda: empty.scores(empty(episode)))
    missing = support.not_counted | query.not_counted | whole.not_counted
    return EpisodeFlops(support.total, query.total, whole.total, tuple(sorted(missing)))


def text_shape(model: FewShotModel) -> tuple[int, int] | None:
    """Sentences per class M and text width E; None without a text encoder."""
    encoder = model.text_encoder
    return None if encoder is None else (encoder.sentences, encoder.dim)


def video_input(backbone: Backbone, clips: ClipSettings) -> tuple[tuple[int, ...], torch.dtype]:
    """Shape and dtype of one video as input of a backbone: frames or given features."""
    if backbone.takes_features:
        return (backbone.output_frames(clips.frames), backbone.dim), torch.float32
    size, _ = clips.sides()
    return (clips.frames, 3, size, size), torch.uint8


def dummy_episode(
    backbone: Backbone,
    clips: ClipSettings,
    episodes: EpisodeSettings,
    text: tuple[int, int] | None,
) -> Episode:
    """Test episode on the meta device."""
    shape, dtype = video_input(backbone, clips)
    queries = episodes.way * episodes.queries
    with torch.device("meta"):
        return Episode(
            support=torch.empty(episodes.way, episodes.shot, *shape, dtype=dtype),
            query=torch.empty(queries, *shape, dtype=dtype),
            labels=torch.empty(queries, dtype=torch.int64),
            classes=torch.empty(episodes.way, dtype=torch.int64),
            text=None if text is None else torch.empty(episodes.way, *text),
        )


def meta_copy(module: M) -> M:
    """Copy of a module on the meta device, where tensors take no memory."""
    return modified_copy(module, lambda tensor: torch.empty_like(tensor, device="meta"))


def modified_copy(module: M, change: Callable[[Tensor], Tensor]) -> M:
    """Copy a module with replaced parameters and buffers; the original tensors are not copied.

    Args:
        module: Module to copy; it is not changed.
        change: Function from a parameter or buffer to the tensor that replaces it.
    """
    memo: dict[int, object] = {}
    for parameter in module.parameters():
        memo[id(parameter)] = nn.Parameter(change(parameter), parameter.requires_grad)
    for buffer in module.buffers():
        memo[id(buffer)] = change(buffer)
    return copy.deepcopy(module, memo)


def count_operations(run: Callable[[], object], model: nn.Module | None = None) -> FlopCounter:
    """Count the FLOPs of a function call without gradients, by slot of a model."""
    with torch.no_grad(), unfused_attention(), SlotTracker(model or nn.Identity()) as slots:
        with FlopCounter(slots) as counter:
            run()
        return counter
