"""Runs as they lie in their folders, made of numbers and not of training."""

import copy
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from fsarbench.results.predictions import Predictions, write_predictions
from tests.helpers.simulated_benchmark import Field, generator

FIELD = Field(classes=8, videos=12)
EPISODES = 300
CONFIG = (
    "adapter = dict(type='{adapter}')\n"
    "backbone = dict(model='tiny', pretrained='own', type='OpenClipViT')\n"
    "dataset = dict({dataset}root='{root}')\n"
    "matcher = dict(temperature=0.1, type='OTAM')\n"
    "seed = {seed}\n"
)
RESULT: dict[str, Any] = {
    "schema": 1,
    "training": {"skipped": "", "best_episode": 200, "best_val_accuracy": 0.61},
    "gflops": {"support_video": 1.5, "query_video": 1.25, "episode": 13.75},
    "memory": {"process_peak_bytes": 2**30, "gpu_peak_bytes": None},
    "conditions": {
        "dataset": "Toy",
        "data_fingerprint": "abcdefghij",
        "skipped_videos": {},
        "episodes": EPISODES,
        "way": 5,
        "shot": 1,
        "queries_a_class": 1,
        "episodes_seed": 0,
        "clips": {"frames": 8, "size": 64, "sampling": "centre"},
        "selection": "val",
    },
}


def slots(adapter: str, prototypes: str) -> list[dict[str, Any]]:
    named = {
        "backbone": "OpenClipViT",
        "adapter": adapter,
        "prototypes": prototypes,
        "matcher": "OTAM",
    }
    tuned = {"adapter": 120_000 * (adapter != "Frozen")}
    return [
        {"slot": slot, "component": name, "tuned": tuned.get(slot, 0), "total": 10**6}
        for slot, name in named.items()
    ]


def finish(
    folder: Path,
    name: str,
    right: float = 0.6,
    seed: int = 0,
    adapter: str = "AIM",
    prototypes: str = "Mean",
    dataset: str = "",
    keep: bool = True,
    shots: tuple[int, ...] = (),
    **conditions: Any,
) -> Path:
    """A run with a share of right answers; a video hard for one run is hard for all.

    Args:
        folder: Where its folder goes.
        name: Its name.
        right: The share of right answers.
        seed: As the name, it moves answers a little.
        adapter: The component.
        prototypes: The component.
        dataset: The data set's own name.
        keep: Write `episodes.npz`; else `episodes.csv` alone.
        shots: Other shots that the run was tested with, each ten points better than the last.
        conditions: What is to be other than in `RESULT`.
    """
    place = folder / f"{name}_{seed}".replace(" ", "_")
    place.mkdir(parents=True)
    result = copy.deepcopy(RESULT)
    result["name"] = name
    result["conditions"].update(seed=seed, **conditions)
    parts = slots(adapter, prototypes)
    totals = {key: sum(part[key] for part in parts) for key in ("tuned", "total")}
    result["parameters"] = {**totals, "slots": parts}
    given = f"name='{dataset}', " if dataset else ""
    result["config"] = CONFIG.format(adapter=adapter, dataset=given, root=folder, seed=seed)
    said = predictions(right, zlib.crc32(place.name.encode()), result["conditions"])
    lines = ["episode,accuracy", *(f"{i},{a:.6g}" for i, a in enumerate(said.accuracies)), ""]
    (place / "episodes.csv").write_text("\n".join(lines))
    if keep:
        write_predictions(place, said)
    result["settings"] = [{"episodes_file": "episodes.npz"}]
    for number, shot in enumerate(shots, 1):
        file = f"episodes_5way_{shot}shot.npz"
        task = {"way": 5, "shot": shot, "queries_a_class": 1, "gflops_episode": 20.5}
        result["settings"].append({**task, "episodes_file": file})
        seeded = zlib.crc32(f"{place.name} {shot}".encode())
        write_predictions(
            place, predictions(right + number / 10, seeded, result["conditions"]), file
        )
    (place / "result.json").write_text(json.dumps(result))
    return place


def predictions(right: float, seed: int, conditions: dict[str, Any]) -> Predictions:
    rng = generator(conditions["episodes_seed"])
    classes, videos = FIELD.draw(rng, conditions["episodes"])
    query = videos[..., 1]
    hard = rng.random(FIELD.classes * FIELD.videos)
    noise = 0.2 * generator(seed).random(query.shape) - 0.1
    labels = np.tile(np.arange(5), (len(query), 1))
    correct = hard[query] + noise < right
    return Predictions(
        classes=classes,
        support=videos[..., :1],
        query=query,
        labels=labels,
        predictions=np.where(correct, labels, (labels + 1) % 5),
        video_labels=np.repeat(np.arange(FIELD.classes), FIELD.videos),
        video_ids=tuple(f"v{number}" for number in range(FIELD.classes * FIELD.videos)),
        class_names=tuple(f"class {number}" for number in range(FIELD.classes)),
    )
