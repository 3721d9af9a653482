"""Card of a submitted result: `card.md`, the page that a reader of the results folder sees.

Every line comes from `result.json` and the predictions, so that a changed card is found by writing
it again.
"""

from collections.abc import Iterator

import numpy as np

from fsarbench.catalogue.published_results import task_name
from fsarbench.data.importing.known_lists import KNOWN_LISTS
from fsarbench.results.finished_runs import Run
from fsarbench.results.predictions import Predictions
from fsarbench.runtime.markdown import markdown_table, markdown_text

FORMAT = "<!-- fsarbench card 1 -->"
SELECTED = {
    "val": "validation classes",
    "test": "TEST classes: biased upwards",
    "none": "nothing, there was no training",
    "unknown": "unknown classes",
}
UNPROVEN = (
    "`fsarbench verify` computes the accuracies again from the predictions. It cannot show that "
    "these components and weights gave the predictions."
)


def card_text(run: Run) -> str:
    """Text of the card of a run in one test setting."""
    _, way, shot = run.setting
    head = f"{markdown_text(run.dataset)}, {task_name(way, shot)}"
    blocks = [
        f"{FORMAT}\n# {markdown_text(run.name)}",
        f"{head}: **{accuracy_text(run)}**",
        markdown_table(
            ("", ""), ("---", "---"), [(name, markdown_text(text)) for name, text in facts(run)]
        ),
        UNPROVEN,
    ]
    if run.predictions is not None:
        rows = class_accuracies(run.predictions)
        cells = [
            (markdown_text(name), f"{100 * hits / max(1, queries):.1f}", f"{queries:,}")
            for name, hits, queries in rows
        ]
        headers = ("class", "accuracy (%)", "queries")
        blocks.append(markdown_table(headers, ("---", "---:", "---:"), cells))
    return "\n\n".join(blocks) + "\n"


def card_bytes(run: Run) -> bytes:
    """Content of `card.md`; letters that UTF-8 does not have are escaped."""
    return card_text(run).encode("utf-8", "backslashreplace")


def accuracy_text(run: Run) -> str:
    """Accuracy with its interval over test videos, in percent."""
    interval = run.result["intervals"]["videos"]
    half = interval.get("half_width")
    level = f"{interval['confidence']:.0%} interval over test videos"
    known = "no interval over test videos" if half is None else f"± {100 * half:.2f}, {level}"
    return f"{100 * run.result['accuracy']['mean']:.2f} % ({known})"


def facts(run: Run) -> Iterator[tuple[str, str]]:
    """Name and text of each fact."""
    result, conditions = run.result, run.conditions
    test, queries = conditions["splits"]["test"], conditions["queries_a_class"]
    fingerprint = conditions["data_fingerprint"]
    slots = result["parameters"]["slots"]
    yield "submitter", run.submitter or "not named"
    yield (
        "test",
        f"{conditions['episodes']:,} episodes of seed {conditions['episodes_seed']}, "
        f"{queries} {'query' if queries == 1 else 'queries'} per class, from "
        f"{test['classes']} classes with {test['videos']:,} videos",
    )
    yield "split list", f"{fingerprint} ({KNOWN_LISTS.get(fingerprint, 'not a published one')})"
    yield "checkpoint selected on", SELECTED[conditions["selection"]]
    yield "training seed", str(conditions["seed"])
    yield "components", ", ".join(f"{slot['slot']} {slot['component']}" for slot in slots)
    yield (
        "parameters",
        f"{result['parameters']['tuned']:,} trainable of {result['parameters']['total']:,}",
    )
    yield "GFLOPs per episode", f"{result['gflops']['episode']:.2f}"
    yield "fsarbench", result["versions"]["fsarbench"]


def class_accuracies(predictions: Predictions) -> list[tuple[str, int, int]]:
    """Name, correct queries and queries of every test class."""
    true = np.take_along_axis(predictions.classes, predictions.labels, axis=1).ravel()
    correct = (predictions.labels == predictions.predictions).ravel()
    count = len(predictions.class_names)
    queries = np.bincount(true, minlength=count).tolist()
    hits = np.bincount(true[correct], minlength=count).tolist()
    return list(zip(predictions.class_names, hits, queries, strict=True))
