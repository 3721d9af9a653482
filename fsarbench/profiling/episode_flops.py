"""What a model costs in operations when it is tested."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from fsarbench.data.clips import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.episode import Episode
from fsarbench.interfaces import Backbone
from fsarbench.model import Branch, FewShotModel
from fsarbench.profiling.flop_counter import FlopCounter, RunningSlot, plain_attention

M = TypeVar("M", bound=nn.Module)

CONVENTION = (
    "1 multiply-add = 2 FLOP; matrix products, convolutions and attention; one forward pass in "
    "evaluation mode; the text of a class is encoded once and not counted"
)


@dataclass(frozen=True)
class EpisodeFlops:
    """Floating-point operations by `CONVENTION`.

    Attributes:
        support_video: Encoding one support video.
        query_video: Encoding one query video.
        episode: One whole test episode without caching.
        not_counted: Operations of torch that have no formula, so that the numbers are too small.
    """

    support_video: int
    query_video: int
    episode: int
    not_counted: tuple[str, ...] = ()


def count_flops(
    model: FewShotModel, clips: ClipSettings, episodes: EpisodeSettings
) -> EpisodeFlops:
    """Counts on a copy of the model without memory: seconds for a model of any size.

    Args:
        model: On any device; it is not changed.
        clips: Resolved for the backbone's image size.
        episodes: The kind of task.
    """
    # The text encoder stays out: it is large, and its work is not counted.
    bare = FewShotModel(
        model.backbone,
        model.prototypes,
        model.matcher,
        model.readout,
        neck=model.neck,
        branches={name: b for name, b in model.branches.items() if isinstance(b, Branch)},
        reads=model.reads,
    )
    empty = on_meta(bare).eval()
    episode = dummy_episode(model.backbone, clips, episodes, text_shape(model))
    text = None if episode.text is None else episode.text[:1]
    support = counted(lambda: empty.encode_support(episode.support[:1, :1], text))
    query = counted(lambda: empty.encode_query(episode.query[:1]))
    whole = counted(lambda: empty.scores(empty(episode)))
    missing = support.not_counted | query.not_counted | whole.not_counted
    return EpisodeFlops(support.total, query.total, whole.total, tuple(sorted(missing)))


def text_shape(model: FewShotModel) -> tuple[int, int] | None:
    """Sentences per class M and text width E; None without a text encoder."""
    encoder = model.text_encoder
    return None if encoder is None else (encoder.sentences, encoder.dim)


def video_input(backbone: Backbone, clips: ClipSettings) -> tuple[tuple[int, ...], torch.dtype]:
    """Shape and type of one video as a backbone takes it: frames or features."""
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
    """A test episode of nothing, on the meta device."""
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


def on_meta(module: M) -> M:
    """A copy of a module on the meta device, whose tensors take no memory."""
    return copied(module, lambda tensor: torch.empty_like(tensor, device="meta"))


def copied(module: M, change: Callable[[Tensor], Tensor]) -> M:
    """A copy of a module whose parameters and buffers are replaced; the originals are not copied.

    Args:
        module: It is not changed.
        change: Function from a parameter or buffer to the tensor that replaces it.
    """
    memo: dict[int, object] = {}
    for parameter in module.parameters():
        memo[id(parameter)] = nn.Parameter(change(parameter), parameter.requires_grad)
    for buffer in module.buffers():
        memo[id(buffer)] = change(buffer)
    return copy.deepcopy(module, memo)


def counted(run: Callable[[], object], model: nn.Module | None = None) -> FlopCounter:
    """The operations of a run without gradients, by the slots of a model."""
    with torch.no_grad(), plain_attention(), RunningSlot(model or nn.Identity()) as running:
        with FlopCounter(running) as counter:
            run()
        return counter
