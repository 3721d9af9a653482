"""Results as tables: of one run for the terminal, of many for a page."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.table import Table

from fsarbench.errors import UserError
from fsarbench.statistics import Interval, seed_interval

Result = Mapping[str, Any]

# What has to be the same for numbers to stand in one table.
SHARED = ("data_fingerprint", "episodes", "way", "shot", "queries_a_class", "episodes_seed")


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
        ("accuracy", _accuracy(result["accuracy"])),
        *((task(kind), _accuracy(kind["accuracy"])) for kind in result.get("settings", ())[1:]),
        ("task", f"{task(conditions)}, {conditions['episodes']:,} episodes"),
        ("test classes", _classes(conditions)),
        ("selected on", _selection(result)),
        ("features", _route(conditions["route"])),
        ("parameters", f"{parameters['tuned']:,} tuned of {parameters['total']:,}"),
        ("operations", _operations(gflops)),
        ("peak memory", _memory(result["memory"])),
        ("time", "  ".join(f"{name} {value:.1f} s" for name, value in seconds.items())),
    ]


def markdown_table(results: Sequence[Result], confidence: float = 0.95) -> str:
    """A row a config, as Markdown: accuracy over its seeds, tuned parameters, operations.

    The interval over seeds speaks of training anew; the one over episodes, of one trained model and
    other test episodes (the widest of the seeds).

    Raises:
        UserError: The results are not of one data set and one kind of episode, or a seed comes
            twice.
    """
    check_comparable(results)
    lines = [
        "| method | accuracy over seeds (%) | seeds | ± over episodes | tuned parameters "
        "| GFLOP an episode |",
        "|---|---|---|---|---|---|",
    ]
    order = list(dict.fromkeys(result["name"] for result in results))
    ordered = sorted(results, key=lambda result: order.index(result["name"]))
    for name, group in groupby(ordered, key=lambda result: result["name"]):
        lines.append(_row(name, list(group), confidence))
    return "\n".join(lines) + "\n"


def check_comparable(results: Sequence[Result]) -> None:
    """Refuses to put numbers side by side that were not obtained alike.

    Raises:
        UserError: A condition differs, or a config and seed come twice.
    """
    for key in SHARED:
        values = {result["conditions"][key]: result["name"] for result in results}
        if len(values) > 1:
            found = ", ".join(f"{value} ({name})" for value, name in values.items())
            raise UserError(f"These results differ in {key}: {found}. Make a table of each.")
    runs = [(result["name"], result["conditions"]["seed"]) for result in results]
    twice = {run for run in runs if runs.count(run) > 1}
    if twice:
        name, seed = min(twice)
        raise UserError(f"{name} with seed {seed} comes more than once; name each run once.")


def task(conditions: Mapping[str, Any]) -> str:
    """The kind of task in words."""
    return f"{conditions['way']}-way {conditions['shot']}-shot"


def _row(name: str, group: list[Result], confidence: float) -> str:
    over_seeds = seed_interval([result["accuracy"]["mean"] for result in group], confidence)
    widths = [result["accuracy"]["half_width"] for result in group]
    over_episodes = max((width for width in widths if width is not None), default=None)
    first = group[0]
    cells = (
        name,
        _over_seeds(over_seeds),
        str(len(group)),
        "" if over_episodes is None else f"{100 * over_episodes:.2f}",
        f"{first['parameters']['tuned']:,}",
        f"{first['gflops']['episode']:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _over_seeds(interval: Interval) -> str:
    mean = f"{100 * interval.mean:.1f}"
    # One seed says nothing of how much seeds differ.
    return mean if interval.n < 2 else f"{mean} ± {100 * interval.half_width:.1f}"


def _accuracy(accuracy: Mapping[str, Any]) -> str:
    mean = f"{accuracy['mean']:.2%}"
    if accuracy["half_width"] is None:
        return mean
    return f"{mean} ± {100 * accuracy['half_width']:.2f} ({accuracy['confidence']:.0%} interval)"


def _classes(conditions: Mapping[str, Any]) -> str:
    test = conditions["splits"]["test"]
    return f"{test['classes']} classes, {test['videos']:,} videos"


def _selection(result: Result) -> str:
    training = result["training"]
    if training["skipped"]:
        return f"nothing was trained: {training['skipped']}"
    on_test = result["conditions"]["selection"] == "test"
    return (
        f"{'the TEST' if on_test else 'validation'} classes, {training['best_val_accuracy']:.1%} "
        f"after {training['best_episode']} training episodes"
    )


def _route(route: Mapping[str, Any]) -> str:
    how = "each video encoded once" if route["cached"] else "every episode encoded anew"
    return f"{how} ({route['why']})"


def _operations(gflops: Mapping[str, Any]) -> str:
    named = {"support video": "support_video", "query video": "query_video", "episode": "episode"}
    return "  ".join(f"{name} {gflops[key]:.3g} GFLOP" for name, key in named.items())


def _memory(memory: Mapping[str, Any]) -> str:
    named = {"process": memory["process_peak_bytes"], "GPU": memory["gpu_peak_bytes"]}
    return "  ".join(f"{name} {value / 2**30:.2f} GiB" for name, value in named.items() if value)
