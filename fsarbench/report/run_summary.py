"""Terminal tables of one config and of the result of one run."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from fsarbench.catalogue.published_results import task_name
from fsarbench.config.loading import LoadedConfig
from fsarbench.errors import first_names
from fsarbench.profiling.parameters import SlotParameters
from fsarbench.runtime.progress import make_console


def print_components(config: LoadedConfig, rows: Sequence[SlotParameters]) -> None:
    """Print the components of a config, with trainable and total parameters."""
    for line in dropped(config):
        print(line)
    table = Table(title=config.name)
    for header, justify in (
        ("slot", "left"),
        ("component", "left"),
        ("trainable", "right"),
        ("total", "right"),
    ):
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(row.slot, row.component, f"{row.tuned:,}", f"{row.total:,}")
    table.add_section()
    table.add_row("all", "", f"{sum(r.tuned for r in rows):,}", f"{sum(r.total for r in rows):,}")
    make_console().print(table)


def checks_table(rows: Sequence[tuple[str, str, bool]]) -> Table:
    """Table of checked configs.

    Args:
        rows: Name of each config, its fault or an empty text, and whether its videos are there.
    """
    table = Table(box=None, pad_edge=False)
    for header in ("config", "check", "videos"):
        table.add_column(header)
    for name, fault, videos in rows:
        table.add_row(name, "faults" if fault else "OK", "" if videos else "not here")
    return table


def dropped(config: LoadedConfig) -> list[str]:
    """One line per component that `--set` replaced, with the keys that were dropped."""
    return [
        f"--set {slot}.type: dropped {', '.join(f'{slot}.{key}' for key in keys)}"
        for slot, keys in config.dropped.items()
        if keys
    ]


Result = Mapping[str, Any]
# A warning is printed if at least this fraction of queries has equal scores for all classes.
NEARLY_ALL = 0.99
DECODED = "frames as decoded"
FP32 = "encoded in fp32"
SELECTED = {"val": "validation", "test": "the TEST"}


def result_table(result: Result) -> Table:
    """Table of the main results and conditions of one run."""
    conditions = result["conditions"]
    title = f"{result['name']} on {conditions['dataset']}, seed {conditions['seed']}"
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for name, value in facts(result):
        table.add_row(name, value)
    return table


def facts(result: Result) -> list[tuple[str, str]]:
    """Main results and conditions of one run, as pairs of name and text."""
    conditions, seconds = result["conditions"], result["seconds"]
    parameters, gflops = result["parameters"], result["gflops"]
    return [
        ("accuracy", _accuracy(result)),
        *((task(setting), _accuracy(setting)) for setting in result.get("settings", ())[1:]),
        ("task", f"{task(conditions)}, {conditions['episodes']:,} episodes"),
        ("test classes", _classes(conditions)),
        *_excluded(conditions),
        ("selected on", _selection(result)),
        *_frames(conditions),
        *_precision(conditions),
        ("features", _features(conditions)),
        ("parameters", f"{parameters['tuned']:,} trainable of {parameters['total']:,}"),
        ("GFLOPs", _gflops(gflops)),
        ("peak memory", _memory(result["memory"])),
        ("time", "  ".join(f"{name} {value:.1f} s" for name, value in seconds.items())),
    ]


def task(conditions: Mapping[str, Any]) -> str:
    """Way and shot in words."""
    return task_name(conditions["way"], conditions["shot"])


def _accuracy(result: Mapping[str, Any]) -> str:
    # The interval over videos is first, because that over episodes shrinks with their number.
    intervals = {
        "videos": result.get("intervals", {}).get("videos"),
        "episodes": result["accuracy"],
    }
    widths = [
        f"± {100 * interval['half_width']:.2f} over {name}"
        for name, interval in intervals.items()
        if interval and interval["half_width"] is not None
    ]
    missing = [
        f"no interval over {name}: {interval['unavailable']}"
        for name, interval in intervals.items()
        if interval and interval.get("unavailable")
    ]
    mean, confidence = f"{result['accuracy']['mean']:.2%}", result["accuracy"]["confidence"]
    accuracy = f"{mean} {', '.join(widths)} ({confidence:.0%} intervals)" if widths else mean
    same = result.get("same_scores", 0.0)
    if same >= NEARLY_ALL:
        missing.append(f"WARNING: {same:.1%} of queries have equal scores for all classes")
    return "; ".join([accuracy, *missing])


def _classes(conditions: Mapping[str, Any]) -> str:
    test = conditions["splits"]["test"]
    return f"{test['classes']} classes, {test['videos']:,} videos{_coverage(conditions)}"


def _excluded(conditions: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Classes that left the training because another data set tests them; empty without any."""
    names = conditions.get("excluded_classes")
    return [("not trained on", f"{len(names)} classes: {first_names(names)}")] if names else []


def _coverage(conditions: Mapping[str, Any]) -> str:
    """Share of the published list's videos, of all splits, that the run had; empty if all."""
    listed = conditions.get("listed_videos")
    used = sum(split["videos"] for split in conditions["splits"].values())
    return f"; {used / listed:.1%} of the list's videos" if listed and used < listed else ""


def _selection(result: Result) -> str:
    training = result["training"]
    if training["skipped"]:
        return f"nothing, there was no training: {training['skipped']}"
    selection = result["conditions"]["selection"]
    if selection not in SELECTED:
        return "unknown: the checkpoint does not record it"
    return (
        f"{SELECTED[selection]} classes, {training['best_val_accuracy']:.1%} after "
        f"{training['best_episode']} training episodes"
    )


def frames_text(stored: Mapping[str, Any] | None) -> str:
    """Where the frames of test clips are from, in words; equal texts for equal pixels."""
    if stored is None or stored["equal"]:
        return DECODED
    side = "full size" if stored["size"] is None else f"short side at most {stored['size']} pixels"
    return f"frames from a store ({stored['format']}, {side})"


def precision_text(conditions: Mapping[str, Any]) -> str:
    """Precision in which test videos were encoded, in words; older results have fp32."""
    return f"encoded in {conditions.get('precision', 'fp32')}"


def _precision(conditions: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Precision of the test if it is not fp32."""
    text = precision_text(conditions)
    return [] if text == FP32 else [("precision", text)]


def _frames(conditions: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Frames that differ from those of decoding; empty for decoded ones and their copies."""
    stored = conditions.get("frames")
    return [("frames", frames_text(stored))] if stored and not stored["equal"] else []


def _features(conditions: Mapping[str, Any]) -> str:
    given = conditions.get("features")
    if given is None:
        return _route(conditions["route"])
    sizes = f"{given['steps']} steps of {given['dim']} values"
    return f"given, {sizes}; FLOPs and memory do not include their computation"


def _route(route: Mapping[str, Any]) -> str:
    cached = "cached: each video encoded once"
    uncached = "not cached: every episode encoded separately"
    return f"{cached if route['cached'] else uncached} ({route['why']})"


def _gflops(gflops: Mapping[str, Any]) -> str:
    keys = {"support video": "support_video", "query video": "query_video", "episode": "episode"}
    counts = "  ".join(f"{name} {gflops[key]:.3g}" for name, key in keys.items())
    not_counted = ", ".join(gflops.get("not_counted", ()))
    return f"{counts}  (too low: {not_counted} not counted)" if not_counted else counts


def _memory(memory: Mapping[str, Any]) -> str:
    peaks = {"process": memory["process_peak_bytes"], "GPU": memory["gpu_peak_bytes"]}
    return "  ".join(f"{name} {value / 2**30:.2f} GiB" for name, value in peaks.items() if value)
