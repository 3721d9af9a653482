"""Content of the episode viewer as plain data: clips, scores and explanations."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from fsarbench.data.loader import to_episode
from fsarbench.errors import UserError
from fsarbench.explanation import Link, MatchExplanation
from fsarbench.report.comparison.rows import Row
from fsarbench.report.html.episode_selection import Chosen
from fsarbench.report.html.explanations import (
    ExplainedEpisode,
    Rebuild,
    ReloadedRun,
    explain_episode,
)
from fsarbench.runtime.progress import ProgressBars

# Maximum side of a frame in pixels, to limit the size of the page.
SIDE = 96


def strip(clip: UInt8[Tensor, "T 3 H W"], quality: int = 72) -> str:
    """All frames of a clip side by side, as a JPEG image in a data URI."""
    frames = clip.float()
    if max(clip.shape[-2:]) > SIDE:
        size = (SIDE, SIDE)
        frames = F.interpolate(frames, size, mode="bilinear", align_corners=False, antialias=True)
    row = torch.cat(list(frames.round().clamp(0, 255).to(torch.uint8)), dim=-1)
    image = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(row.permute(1, 2, 0).cpu().numpy())).save(
        image, "JPEG", quality=quality
    )
    return f"data:image/jpeg;base64,{base64.b64encode(image.getvalue()).decode()}"


def packed(explained: ExplainedEpisode, queries: Sequence[int]) -> dict[str, Any]:
    """Scores of some queries and explanation of each branch, for the script of the page.

    Args:
        explained: Scores and explanations of the whole episode.
        queries: Numbers of the displayed queries.
    """
    rows = list(queries)
    return {
        "scores": _rounded(explained.scores[rows]),
        "parts": {name: _rounded(scores[rows]) for name, scores in explained.parts.items()},
        "pictures": [
            {"branch": name, **packed_match(match, rows)}
            for name, match in explained.matches.items()
        ],
        **({"branches": dict(explained.weights)} if explained.weights else {}),
    }


def packed_match(match: MatchExplanation, queries: list[int]) -> dict[str, Any]:
    """Explanation of a matcher with values as bytes, one string per query."""
    similarity = match.similarity[queries].float().cpu()
    low, high = float(similarity.min()), float(similarity.max())
    content: dict[str, Any] = {
        "caption": match.caption,
        "shape": list(similarity.shape[1:]),
        "low": round(low, 4),
        "high": round(high, 4),
        "similarity": [_bytes(of_query, low, high) for of_query in similarity],
        "links": [[_links(match, q, n) for n in range(similarity.shape[1])] for q in queries],
    }
    if match.weights is not None:
        weights = match.weights[queries].float().cpu()
        # Scaled to the largest weight, because attention weights over many frames are small.
        most = float(weights.max())
        content |= {"most": round(most, 4), "weights": [_bytes(w, 0.0, most) for w in weights]}
    return content


def _links(match: MatchExplanation, query: int, class_index: int) -> list[list[Any]]:
    def as_list(link: Link) -> list[Any]:
        return [list(link.query), link.prototype, list(link.frames), round(link.weight, 3)]

    return [as_list(link) for link in match.links.get((query, class_index), ())]


def _bytes(values: Float[Tensor, "*any"], low: float, high: float) -> str:
    scaled = (values - low) / max(high - low, 1e-12)
    return base64.b64encode(
        bytes((255 * scaled).round().clamp(0, 255).flatten().byte().tolist())
    ).decode()


def _rounded(scores: Float[Tensor, "Q N"]) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in scores.float().cpu().tolist()]


# Maximum number of displayed queries per episode.
QUERIES = 10


@dataclass
class Viewer:
    """Content of the episode viewer of one setting.

    Attributes:
        episodes: Classes, clips and the output of every method, per episode.
        missing: Reasons for missing methods, by name.
    """

    episodes: list[dict[str, Any]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> bool:
        """Whether the viewer has the output of any method."""
        return any(episode["methods"] for episode in self.episodes)


def view(
    rows: Sequence[Row], chosen: Sequence[Chosen], rebuild: Rebuild, bars: ProgressBars
) -> Viewer:
    """Create the content of the viewer: equal episodes for every method, with its first seed.

    Methods that cannot be rebuilt are listed in `missing`.

    Args:
        rows: Methods that were tested on the same episodes.
        chosen: Selected episodes.
        rebuild: Function that rebuilds the model of a run.
        bars: Progress display.
    """
    viewer = Viewer([{"number": c.number, "why": c.why, "methods": []} for c in chosen])
    with bars.task("episodes", len(rows)) as bar:
        for row in rows:
            try:
                _add(viewer, row, rebuild)
            except UserError as error:
                viewer.missing[row.name] = str(error)
            bar.advance()
    return viewer


def displayed_queries(labels: Sequence[int], limit: int = QUERIES) -> list[int]:
    """Sorted numbers of the displayed queries, chosen from the classes in turn.

    Example:
        >>> displayed_queries([0, 0, 0, 1, 1, 1], 3)
        [0, 1, 3]
    """
    turns = [labels[:number].count(label) for number, label in enumerate(labels)]
    order = sorted(range(len(labels)), key=lambda number: (turns[number], number))
    return sorted(order[:limit])


def _add(viewer: Viewer, row: Row, rebuild: Rebuild) -> None:
    rebuilt = rebuild(row.first)
    outputs = [_method_output(rebuilt, row, entry) for entry in viewer.episodes]
    for entry, output in zip(viewer.episodes, outputs, strict=True):
        entry["methods"].append(output)


def check_same(rebuilt: ReloadedRun, row: Row, entry: dict[str, Any]) -> None:
    """Check that the videos of an episode are those of the run and of the other methods.

    Raises:
        UserError: The videos differ.
    """
    index = rebuilt.episodes.sampler.episode(entry["number"])
    videos = [*index.support.reshape(-1).tolist(), *index.query.tolist()]
    names = [rebuilt.split.videos[video].id for video in videos]
    predictions, number = row.first.predictions, entry["number"]
    recorded = names
    if predictions is not None and number < len(predictions.query):
        indices = [
            *predictions.support[number].reshape(-1).tolist(),
            *predictions.query[number].tolist(),
        ]
        recorded = [predictions.video_ids[index] for index in indices]
    if names != recorded or names != entry.setdefault("videos", names):
        raise UserError(f"{row.first.folder}: episode {number} of the run had other videos.")


def _method_output(rebuilt: ReloadedRun, row: Row, entry: dict[str, Any]) -> dict[str, Any]:
    check_same(rebuilt, row, entry)
    number = entry["number"]
    batch = rebuilt.episodes[number]
    labels = batch["labels"].tolist()
    queries = displayed_queries(labels)
    episode = to_episode(batch, rebuilt.split, rebuilt.text, rebuilt.data_module.device)
    explained = explain_episode(rebuilt.model, episode)
    clips = rebuilt.data_module.clips
    clip_key = f"{clips.frames} frames, {clips.size} px, {clips.sampling}"
    if rebuilt.model.backbone.takes_features:
        clip_key = f"features given, {clips.frames} steps, drawn as grey values"
    entry.setdefault("classes", [rebuilt.split.classes[i] for i in batch["classes"].tolist()])
    entry.setdefault("labels", [labels[query] for query in queries])
    entry.setdefault("queries", len(labels))
    entry.setdefault("clips", {}).setdefault(clip_key, _clips(batch, queries))
    predicted = explained.scores.argmax(-1).tolist()
    correct = [a == b for a, b in zip(predicted, labels, strict=True)]
    return {
        "name": row.name,
        "seed": row.first.conditions["seed"],
        "clips": clip_key,
        "frames": clips.frames,
        "right": round(float(np.mean(correct)), 4),
        "note": _note(row, number, predicted),
        **packed(explained, queries),
    }


def feature_strip(features: Float[Tensor, "S D"]) -> UInt8[Tensor, "S 3 H W"]:
    """Grey values of features as frames: one frame per step, one row per group of values."""
    low, high = features.amin(), features.amax()
    grey = (features - low) / (high - low).clamp(min=torch.finfo(features.dtype).tiny)
    rows = F.adaptive_avg_pool1d(grey[:, None], SIDE)[..., None]
    return (255 * rows).round().to(torch.uint8).expand(-1, 3, -1, SIDE)


def _clips(batch: dict[str, Tensor], queries: list[int]) -> dict[str, Any]:
    if batch["query"].ndim == 3:
        shown = {key: batch[key].flatten(0, -3) for key in ("support", "query")}
        shape = batch["support"].shape[:2]
        drawn = {k: torch.stack([feature_strip(v) for v in rows]) for k, rows in shown.items()}
        batch = {"support": drawn["support"].unflatten(0, shape), "query": drawn["query"]}
    support = [[strip(clip) for clip in shots] for shots in batch["support"]]
    return {"support": support, "query": [strip(batch["query"][query]) for query in queries]}


def _note(row: Row, number: int, predicted: list[int]) -> str:
    predictions = row.first.predictions
    if predictions is None or number >= len(predictions.predictions):
        return ""
    recorded = predictions.predictions[number].tolist()
    changed = sum(a != b for a, b in zip(predicted, recorded, strict=True))
    # Rounding differs between machines, which may change the order of nearly equal scores.
    if not changed:
        return ""
    return f"{changed} of {len(predicted)} predictions differ from those of the run"
