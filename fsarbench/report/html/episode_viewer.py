"""Everything that the episode viewer shows, as plain data."""

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

# Pixels of a frame's side. Larger ones would make a page heavy and show no more of a small clip.
SIDE = 96


def strip(clip: UInt8[Tensor, "T 3 H W"], quality: int = 72) -> str:
    """All frames of a clip beside each other, as a JPEG in a data URI."""
    frames = clip.float()
    if max(clip.shape[-2:]) > SIDE:
        size = (SIDE, SIDE)
        frames = F.interpolate(frames, size, mode="bilinear", align_corners=False, antialias=True)
    row = torch.cat(list(frames.round().clamp(0, 255).to(torch.uint8)), dim=-1)
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(row.permute(1, 2, 0).cpu().numpy())).save(
        out, "JPEG", quality=quality
    )
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def packed(seen: ExplainedEpisode, queries: Sequence[int]) -> dict[str, Any]:
    """Scores of some queries, and the explanation of each branch.

    Args:
        seen: All of the episode.
        queries: Those that are shown, by number.
    """
    rows = list(queries)
    return {
        "scores": _rounded(seen.scores[rows]),
        "parts": {name: _rounded(scores[rows]) for name, scores in seen.parts.items()},
        "pictures": [
            {"branch": name, **packed_picture(picture, rows)}
            for name, picture in seen.pictures.items()
        ],
    }


def packed_picture(picture: MatchExplanation, queries: list[int]) -> dict[str, Any]:
    """A picture with its numbers as bytes: one string a query, over classes and prototypes."""
    similarity = picture.similarity[queries].float().cpu()
    low, high = float(similarity.min()), float(similarity.max())
    found: dict[str, Any] = {
        "caption": picture.caption,
        "shape": list(similarity.shape[1:]),
        "low": round(low, 4),
        "high": round(high, 4),
        "similarity": [_bytes(one, low, high) for one in similarity],
        "links": [[_links(picture, q, n) for n in range(similarity.shape[1])] for q in queries],
    }
    if picture.weights is not None:
        weights = picture.weights[queries].float().cpu()
        # A weight of 1 is a whole frame; attention over many frames stays far below that.
        most = float(weights.max())
        found |= {"most": round(most, 4), "weights": [_bytes(one, 0.0, most) for one in weights]}
    return found


def _links(picture: MatchExplanation, query: int, of: int) -> list[list[Any]]:
    def plain(link: Link) -> list[Any]:
        return [list(link.query), link.prototype, list(link.frames), round(link.weight, 3)]

    return [plain(link) for link in picture.links.get((query, of), ())]


def _bytes(values: Float[Tensor, "*any"], low: float, high: float) -> str:
    share = (values - low) / max(high - low, 1e-12)
    return base64.b64encode(
        bytes((255 * share).round().clamp(0, 255).flatten().byte().tolist())
    ).decode()


def _rounded(scores: Float[Tensor, "Q N"]) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in scores.float().cpu().tolist()]


# If an episode has more queries, a page shows the first of every class in turn.
QUERIES = 10


@dataclass
class Viewer:
    """The content of the viewer of one setting.

    Attributes:
        episodes: What each is of, with its clips and what every method said.
        missing: Why methods are not in it, by name.
    """

    episodes: list[dict[str, Any]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> bool:
        """Whether there is anything to look at."""
        return any(episode["methods"] for episode in self.episodes)


def view(
    rows: Sequence[Row], chosen: Sequence[Chosen], rebuild: Rebuild, bars: ProgressBars
) -> Viewer:
    """The same episodes for every method, by the first seed of each.

    What cannot be rebuilt is left out and said.

    Args:
        rows: The methods, tested on the same episodes.
        chosen: The episodes.
        rebuild: Makes the model of a run.
        bars: Where progress is shown.
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


def shown(labels: Sequence[int], most: int = QUERIES) -> list[int]:
    """The queries that are shown: the first of every class in turn, in their order.

    Example:
        >>> shown([0, 0, 0, 1, 1, 1], 3)
        [0, 1, 3]
    """
    turns = [labels[:place].count(label) for place, label in enumerate(labels)]
    order = sorted(range(len(labels)), key=lambda place: (turns[place], place))
    return sorted(order[:most])


def _add(viewer: Viewer, row: Row, rebuild: Rebuild) -> None:
    rebuilt = rebuild(row.first)
    said = [_seen(rebuilt, row, entry) for entry in viewer.episodes]
    for entry, method in zip(viewer.episodes, said, strict=True):
        entry["methods"].append(method)


def check_same(rebuilt: ReloadedRun, row: Row, entry: dict[str, Any]) -> None:
    """Refuses an episode of other videos than the run or the other methods had.

    Raises:
        UserError: They differ.
    """
    index = rebuilt.episodes.sampler.episode(entry["number"])
    videos = [*index.support.reshape(-1).tolist(), *index.query.tolist()]
    names = [rebuilt.split.videos[video].id for video in videos]
    predictions, number = row.first.predictions, entry["number"]
    then = names
    if predictions is not None and number < len(predictions.query):
        before = [
            *predictions.support[number].reshape(-1).tolist(),
            *predictions.query[number].tolist(),
        ]
        then = [predictions.video_ids[video] for video in before]
    if names != then or names != entry.setdefault("videos", names):
        raise UserError(f"{row.first.folder}: episode {number} was of other videos.")


def _seen(rebuilt: ReloadedRun, row: Row, entry: dict[str, Any]) -> dict[str, Any]:
    check_same(rebuilt, row, entry)
    number = entry["number"]
    batch = rebuilt.episodes[number]
    labels = batch["labels"].tolist()
    queries = shown(labels)
    episode = to_episode(batch, rebuilt.split, rebuilt.text, rebuilt.data_module.device)
    seen = explain_episode(rebuilt.model, episode)
    clips = rebuilt.data_module.clips
    kind = f"{clips.frames} frames, {clips.size} px, {clips.sampling}"
    if rebuilt.model.backbone.takes_features:
        kind = f"features given, {clips.frames} steps, drawn as grey values"
    entry.setdefault("classes", [rebuilt.split.classes[i] for i in batch["classes"].tolist()])
    entry.setdefault("labels", [labels[query] for query in queries])
    entry.setdefault("queries", len(labels))
    entry.setdefault("clips", {}).setdefault(kind, _clips(batch, queries))
    said = seen.scores.argmax(-1).tolist()
    return {
        "name": row.name,
        "seed": row.first.conditions["seed"],
        "clips": kind,
        "frames": clips.frames,
        "right": round(float(np.mean([a == b for a, b in zip(said, labels, strict=True)])), 4),
        "note": _note(row, number, said),
        **packed(seen, queries),
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


def _note(row: Row, number: int, said: list[int]) -> str:
    predictions = row.first.predictions
    if predictions is None or number >= len(predictions.predictions):
        return ""
    then = predictions.predictions[number].tolist()
    changed = sum(a != b for a, b in zip(said, then, strict=True))
    # Rounding differs between machines; two scores that are nearly equal may change places.
    return f"{changed} of {len(said)} answers differ from those of the run" if changed else ""
