"""Everything that the episode viewer shows, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from fsarbench.engine.batch import to_episode
from fsarbench.errors import UserError
from fsarbench.report.comparison.rows import Row
from fsarbench.report.html.episode_selection import Chosen
from fsarbench.report.html.explanations import see
from fsarbench.report.page.packed import packed
from fsarbench.report.page.rebuilt import Rebuild, Rebuilt
from fsarbench.report.page.strips import strip
from fsarbench.runtime.progress import Bars

# Of more queries an episode, a page shows the first of every class in turn.
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


def view(rows: Sequence[Row], chosen: Sequence[Chosen], rebuild: Rebuild, bars: Bars) -> Viewer:
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


def check_same(rebuilt: Rebuilt, row: Row, entry: dict[str, Any]) -> None:
    """Refuses an episode of other videos than the run or the other methods had.

    Raises:
        UserError: They differ.
    """
    index = rebuilt.episodes.sampler.episode(entry["number"])
    videos = [*index.support.reshape(-1).tolist(), *index.query.tolist()]
    names = [rebuilt.split.videos[video].id for video in videos]
    answers, number = row.first.answers, entry["number"]
    then = names
    if answers is not None and number < len(answers.query):
        before = [*answers.support[number].reshape(-1).tolist(), *answers.query[number].tolist()]
        then = [answers.video_ids[video] for video in before]
    if names != then or names != entry.setdefault("videos", names):
        raise UserError(f"{row.first.folder}: episode {number} was of other videos.")


def _seen(rebuilt: Rebuilt, row: Row, entry: dict[str, Any]) -> dict[str, Any]:
    check_same(rebuilt, row, entry)
    number = entry["number"]
    batch = rebuilt.episodes[number]
    labels = batch["labels"].tolist()
    queries = shown(labels)
    episode = to_episode(batch, rebuilt.split, rebuilt.text, rebuilt.bench.device)
    seen = see(rebuilt.model, episode)
    clips = rebuilt.bench.clips
    kind = f"{clips.frames} frames, {clips.size} px, {clips.sampling}"
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


def _clips(batch: dict[str, Tensor], queries: list[int]) -> dict[str, Any]:
    support = [[strip(clip) for clip in shots] for shots in batch["support"]]
    return {"support": support, "query": [strip(batch["query"][query]) for query in queries]}


def _note(row: Row, number: int, said: list[int]) -> str:
    answers = row.first.answers
    if answers is None or number >= len(answers.predictions):
        return ""
    then = answers.predictions[number].tolist()
    changed = sum(a != b for a, b in zip(said, then, strict=True))
    # Rounding differs between machines; two scores that are nearly equal may change places.
    return f"{changed} of {len(said)} answers differ from those of the run" if changed else ""
