"""The result of one run as a table for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from fsarbench.catalogue.published_results import task_name
from fsarbench.config.loading import LoadedConfig
from fsarbench.profiling.parameters import Part
from fsarbench.runtime.progress import make_console


def print_parts(config: LoadedConfig, rows: Sequence[Part]) -> None:
    """Print what a config is made of, with tuned and total parameters."""
    for line in dropped(config):
        print(line)
    table = Table(title=config.name)
    for header, justify in (
        ("slot", "left"),
        ("component", "left"),
        ("tuned", "right"),
        ("total", "right"),
    ):
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(row.slot, row.component, f"{row.tuned:,}", f"{row.total:,}")
    table.add_section()
    table.add_row("all", "", f"{sum(r.tuned for r in rows):,}", f"{sum(r.total for r in rows):,}")
    make_console().print(table)


def dropped(config: LoadedConfig) -> list[str]:
    """A line for each part that the command line replaced, naming the keys that it left behind."""
    return [
        f"--set {slot}.type: dropped {', '.join(f'{slot}.{key}' for key in keys)}"
        for slot, keys in config.dropped.items()
        if keys
    ]


Result = Mapping[str, Any]
# From this share of queries on, scores that are the same for all classes are spoken of.
NEARLY_ALL = 0.99
SELECTED = {"val": "validation", "test": "the TEST"}


def result_table(result: Result) -> Table:
    """The main facts of one run, for the terminal."""
    conditions = result["conditions"]
    title = f"{result['name']} on {conditions['dataset']}, seed {conditions['seed']}"
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for name, value in facts(result):
        table.add_row(name, value)
    return table


def facts(result: Result) -> list[tuple[str, str]]:
    """The main facts of one run as pairs of name and text."""
    conditions, seconds = result["conditions"], result["seconds"]
    parameters, gflops = result["parameters"], result["gflops"]
    return [
        ("accuracy", _accuracy(result)),
        *((task(kind), _accuracy(kind)) for kind in result.get("settings", ())[1:]),
        ("task", f"{task(conditions)}, {conditions['episodes']:,} episodes"),
        ("test classes", _classes(conditions)),
        ("selected on", _selection(result)),
        ("features", _features(conditions)),
        ("parameters", f"{parameters['tuned']:,} tuned of {parameters['total']:,}"),
        ("operations", _operations(gflops)),
        ("peak memory", _memory(result["memory"])),
        ("time", "  ".join(f"{name} {value:.1f} s" for name, value in seconds.items())),
    ]


def task(conditions: Mapping[str, Any]) -> str:
    """The kind of task in words."""
    return task_name(conditions["way"], conditions["shot"])


def _accuracy(result: Mapping[str, Any]) -> str:
    # The interval over videos comes first: that over episodes shrinks with their number alone.
    over = {
        "videos": result.get("intervals", {}).get("videos"),
        "episodes": result["accuracy"],
    }
    widths = [
        f"± {100 * interval['half_width']:.2f} over {name}"
        for name, interval in over.items()
        if interval and interval["half_width"] is not None
    ]
    missing = [
        f"no interval over {name}: {interval['unavailable']}"
        for name, interval in over.items()
        if interval and interval.get("unavailable")
    ]
    mean, confidence = f"{result['accuracy']['mean']:.2%}", result["accuracy"]["confidence"]
    shown = f"{mean} {', '.join(widths)} ({confidence:.0%} intervals)" if widths else mean
    same = result.get("same_scores", 0.0)
    if same >= NEARLY_ALL:
        missing.append(f"WARNING: {same:.1%} of queries score all classes alike")
    return "; ".join([shown, *missing])


def _classes(conditions: Mapping[str, Any]) -> str:
    test = conditions["splits"]["test"]
    return f"{test['classes']} classes, {test['videos']:,} videos{_coverage(conditions)}"


def _coverage(conditions: Mapping[str, Any]) -> str:
    """Share of the published list's videos, of all splits, that the run had; empty if all."""
    listed = conditions.get("listed_videos")
    used = sum(split["videos"] for split in conditions["splits"].values())
    return f"; {used / listed:.1%} of the list's videos" if listed and used < listed else ""


def _selection(result: Result) -> str:
    training = result["training"]
    if training["skipped"]:
        return f"nothing was trained: {training['skipped']}"
    chosen = result["conditions"]["selection"]
    if chosen not in SELECTED:
        return "not known: the checkpoint does not say"
    return (
        f"{SELECTED[chosen]} classes, {training['best_val_accuracy']:.1%} after "
        f"{training['best_episode']} training episodes"
    )


def _features(conditions: Mapping[str, Any]) -> str:
    given = conditions.get("features")
    if given is None:
        return _route(conditions["route"])
    sizes = f"{given['steps']} steps of {given['dim']} values"
    return f"given, {sizes}; operations and memory leave out their computation"


def _route(route: Mapping[str, Any]) -> str:
    how = (
        "each video encoded once"
        if route["cached"]
        else "not cached: every episode encoded separately"
    )
    return f"{how} ({route['why']})"


def _operations(gflops: Mapping[str, Any]) -> str:
    named = {"support video": "support_video", "query video": "query_video", "episode": "episode"}
    shown = "  ".join(f"{name} {gflops[key]:.3g} GFLOP" for name, key in named.items())
    missing = ", ".join(gflops.get("not_counted", ()))
    return f"{shown}  and more: {missing} not counted" if missing else shown


def _memory(memory: Mapping[str, Any]) -> str:
    named = {"process": memory["process_peak_bytes"], "GPU": memory["gpu_peak_bytes"]}
    return "  ".join(f"{name} {value / 2**30:.2f} GiB" for name, value in named.items() if value)
