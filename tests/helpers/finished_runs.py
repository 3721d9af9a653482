"""Folders of finished runs with simulated predictions, without training."""

import copy
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from fsarbench.results.predictions import Predictions, write_predictions
from tests.helpers.simulated_benchmark import Benchmark, generator

BENCHMARK = Benchmark(classes=8, videos=12)
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
    """Write the folder of a run with a given accuracy; a video is equally hard for all runs.

    Args:
        folder: Parent of the folder of the run.
        name: Name of the run.
        right: Approximate accuracy, from 0 to 1.
        seed: Seed of the run; name and seed change the predictions a little.
        adapter: Component name of the adapter.
        prototypes: Component name of the prototype builder.
        dataset: Name of the data set.
        keep: Whether to write `episodes.npz` in addition to `episodes.csv`.
        shots: Further test shots, each with an accuracy ten points higher than the last.
        conditions: Conditions that differ from `RESULT`.
    """
    work_dir = folder / f"{name}_{seed}".replace(" ", "_")
    work_dir.mkdir(parents=True)
    result = copy.deepcopy(RESULT)
    result["name"] = name
    result["conditions"].update(seed=seed, **conditions)
    parts = slots(adapter, prototypes)
    totals = {key: sum(part[key] for part in parts) for key in ("tuned", "total")}
    result["parameters"] = {**totals, "slots": parts}
    name_argument = f"name='{dataset}', " if dataset else ""
    result["config"] = CONFIG.format(adapter=adapter, dataset=name_argument, root=folder, seed=seed)
    main = predictions(right, zlib.crc32(work_dir.name.encode()), result["conditions"])
    lines = ["episode,accuracy", *(f"{i},{a:.6g}" for i, a in enumerate(main.accuracies)), ""]
    (work_dir / "episodes.csv").write_text("\n".join(lines))
    if keep:
        write_predictions(work_dir, main)
    result["settings"] = [{"episodes_file": "episodes.npz"}]
    for number, shot in enumerate(shots, 1):
        file = f"episodes_5way_{shot}shot.npz"
        task = {"way": 5, "shot": shot, "queries_a_class": 1, "gflops_episode": 20.5}
        result["settings"].append({**task, "episodes_file": file})
        shot_seed = zlib.crc32(f"{work_dir.name} {shot}".encode())
        other = predictions(right + number / 10, shot_seed, result["conditions"])
        write_predictions(work_dir, other, file)
    (work_dir / "result.json").write_text(json.dumps(result))
    return work_dir


def predictions(right: float, seed: int, conditions: dict[str, Any]) -> Predictions:
    rng = generator(conditions["episodes_seed"])
    classes, videos = BENCHMARK.draw(rng, conditions["episodes"])
    query = videos[..., 1]
    difficulty = rng.random(BENCHMARK.classes * BENCHMARK.videos)
    noise = 0.2 * generator(seed).random(query.shape) - 0.1
    labels = np.tile(np.arange(5), (len(query), 1))
    correct = difficulty[query] + noise < right
    return Predictions(
        classes=classes,
        support=videos[..., :1],
        query=query,
        labels=labels,
        predictions=np.where(correct, labels, (labels + 1) % 5),
        video_labels=np.repeat(np.arange(BENCHMARK.classes), BENCHMARK.videos),
        video_ids=tuple(f"v{number}" for number in range(BENCHMARK.classes * BENCHMARK.videos)),
        class_names=tuple(f"class {number}" for number in range(BENCHMARK.classes)),
    )
