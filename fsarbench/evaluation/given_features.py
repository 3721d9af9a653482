"""Few-shot evaluation of features that were computed elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from fsarbench.backbones.precomputed import Precomputed
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.episode import FRAMES
from fsarbench.errors import UserError
from fsarbench.evaluation.cache_policy import GIVEN, CachePolicy
from fsarbench.evaluation.episode_arrays import Evaluation, draw_episode_arrays
from fsarbench.evaluation.feature_cache import Features
from fsarbench.evaluation.matching import compute_per_video, match_episodes
from fsarbench.interfaces import Matcher, PrototypeBuilder
from fsarbench.model import FewShotModel
from fsarbench.prototypes.mean import Mean
from fsarbench.readouts.match_only import MatchOnly
from fsarbench.runtime.progress import ProgressBars
from fsarbench.video import Split, Video


def feature_tensor(features: object) -> Float[Tensor, "V S D"]:
    """Features as a float32 tensor "V S D"; an array "V D" is one frame per video.

    Raises:
        UserError: The array has another number of axes, or a value that is not finite.
    """
    values = torch.as_tensor(np.asarray(features) if not isinstance(features, Tensor) else features)
    if values.ndim == 2:
        values = values[:, None]
    if values.ndim != 3:
        raise UserError(
            f"features have the shape {tuple(values.shape)}; expected (videos, frames, width), or "
            "(videos, width) for one feature per video."
        )
    values = values.to(torch.float32)
    wrong = (~values.isfinite()).flatten(1).any(dim=1).nonzero().flatten().tolist()
    if wrong:
        raise UserError(
            f"features of {len(wrong)} videos are not finite, the first at row {wrong[0]}."
        )
    return values


def split_of_labels(
    labels: Sequence[object] | np.ndarray, video_ids: Sequence[str] | None, count: int
) -> Split:
    """A test split of one class per distinct label, in sorted order.

    Raises:
        UserError: The number of labels or names is not the number of videos.
    """
    given = np.asarray(labels)
    names = [str(k) for k in range(count)] if video_ids is None else [str(v) for v in video_ids]
    for what, number in (("labels", given.size), ("video_ids", len(names))):
        if number != count:
            raise UserError(f"{number} {what} for {count} videos; expected one per video.")
    classes, index = np.unique(given.reshape(-1), return_inverse=True)
    titles = tuple(str(name) for name in classes)
    videos = (Video(name, Path(name), int(k)) for name, k in zip(names, index, strict=True))
    return Split("test", titles, titles, tuple(videos))


@torch.no_grad()
def evaluate_given(
    features: Float[Tensor, "V S D"],
    split: Split,
    task: EpisodeSettings,
    matcher: Matcher,
    prototypes: PrototypeBuilder | None = None,
    text: Float[Tensor, "A M E"] | None = None,
    episodes: int = 10_000,
    seed: int = 0,
) -> Evaluation:
    """Test prototypes and a matcher on given features, on the same episodes as any other method.

    Args:
        features: One row per video of the split.
        split: Classes and videos.
        task: Way, shot and queries per class.
        matcher: Scores queries against prototypes.
        prototypes: Prototype builder; None for the mean of the shots.
        text: Text features of each class of the split, for builders that read text.
        episodes: Number of test episodes.
        seed: Seed of the episodes.

    Raises:
        UserError: A class has too few videos, or there are too few classes.
    """
    model = FewShotModel(
        backbone=Precomputed(features.shape[-1], features.shape[1]),
        prototypes=prototypes or Mean(),
        matcher=matcher,
        readout=MatchOnly(),
    ).to(features.device)
    model.eval()
    drawn = draw_episode_arrays(EpisodeSampler(split, task, seed), episodes)
    named = {FRAMES: features}
    rows = Features(support=named, query=named)
    labels: Int64[np.ndarray, " V"] = np.array([v.label for v in split.videos], dtype=np.int64)
    per_video = compute_per_video(model, rows, [drawn], labels, text)
    with ProgressBars(quiet=True).task("match", episodes) as bar:
        scores = match_episodes(model, rows, drawn, text, 32, bar, per_video)
    policy = CachePolicy(True, GIVEN)
    arrays = (drawn.labels, drawn.classes, drawn.support, drawn.query)
    return Evaluation(task, scores.float().cpu().numpy(), *arrays, policy, 0.0, 0.0)
