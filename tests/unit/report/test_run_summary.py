import copy
import io
from typing import Any

from rich.console import Console

from fsarbench.report.run_summary import result_table

RESULT: dict[str, Any] = {
    "schema": 1,
    "name": "one",
    "accuracy": {"mean": 0.5, "half_width": 0.01, "confidence": 0.95},
    "conditions": {
        "dataset": "Toy",
        "data_fingerprint": "abc",
        "splits": {"test": {"classes": 24, "videos": 960}},
        "episodes": 10_000,
        "way": 5,
        "shot": 1,
        "queries_a_class": 1,
        "episodes_seed": 0,
        "seed": 0,
        "selection": "val",
        "route": {"cached": True, "why": "because"},
    },
    "training": {"skipped": "", "best_episode": 200, "best_val_accuracy": 0.61},
    "parameters": {"tuned": 1234567, "total": 2345678},
    "gflops": {"support_video": 1.5, "query_video": 1.25, "episode": 13.75},
    "memory": {"process_peak_bytes": 2**30, "gpu_peak_bytes": None},
    "seconds": {"train": 1.0, "val": 2.0, "encode": 3.0, "match": 4.0, "total": 10.5},
}


def make_result(name: str = "one", seed: int = 0, mean: float = 0.5, **conditions: Any) -> Any:
    result = copy.deepcopy(RESULT)
    result["name"] = name
    result["accuracy"]["mean"] = mean
    result["conditions"].update(seed=seed, **conditions)
    return result


def rendered(result: Any) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(result_table(result))
    return console.export_text()


def test_the_table_of_a_run_lists_accuracy_conditions_and_cost() -> None:
    text = rendered(make_result())
    for fact in (
        "one on Toy, seed 0",
        "50.00% ± 1.00 over episodes (95% intervals)",
        "5-way 1-shot, 10,000 episodes",
        "24 classes, 960 videos",
        "validation classes, 61.0% after 200 training episodes",
        "each video encoded once (because)",
        "1,234,567 trainable of 2,345,678",
        "episode 13.8",
        "process 1.00 GiB",
        "total 10.5 s",
    ):
        assert fact in text
    assert "GPU" not in text


def test_the_table_names_the_classes_that_left_the_training() -> None:
    assert "not trained on" not in rendered(make_result(excluded_classes=[]))
    text = rendered(make_result(excluded_classes=["run", "Pull_Up"]))
    assert "not trained on" in text
    assert "2 classes: 'run', 'Pull_Up'" in text


def test_selection_on_the_test_classes_is_printed_in_capitals() -> None:
    text = rendered(make_result(selection="test"))
    assert "the TEST classes, 61.0% after 200 training episodes" in text


def test_an_untrained_run_gives_the_reason() -> None:
    result = make_result()
    result["training"] = {"skipped": "train.episodes is 0"}
    assert "nothing, there was no training: train.episodes is 0" in rendered(result)


def test_unknown_selection_of_a_checkpoint() -> None:
    result = make_result(selection="unknown")
    result["training"] = {"skipped": "", "best_episode": 0, "best_val_accuracy": None}
    assert "unknown: the checkpoint does not record it" in rendered(result)


def test_the_interval_over_videos_comes_first() -> None:
    result = make_result()
    result["intervals"] = {"videos": {"half_width": 0.04}}
    assert "50.00% ± 4.00 over videos, ± 1.00 over episodes (95% intervals)" in rendered(result)


def test_an_unavailable_interval_gives_the_reason() -> None:
    result = make_result()
    result["accuracy"] = {**result["accuracy"], "half_width": None, "unavailable": "all are equal"}
    assert "no interval over episodes: all are equal" in rendered(result)
