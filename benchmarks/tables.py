"""Tables of `docs/performance.md`, generated from the results of the suites.

`python -m benchmarks.tables` writes them between the page's markers, for each device that has a
file in `results/`.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sheet import RESULTS
from fsarbench.runtime.atomic_files import write_text

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BETWEEN = re.compile(r"(<!-- benchmarks -->\n).*(<!-- /benchmarks -->)", re.DOTALL)
Row = dict[str, Any]


def page_with(page: str, folder: Path) -> str:
    """The page with the tables of all devices between its markers.

    Raises:
        ValueError: It has no markers.
    """
    if not BETWEEN.search(page):
        raise ValueError(f"No '<!-- benchmarks -->' and '<!-- /benchmarks -->' in {PAGE}.")
    devices = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    text = "\n".join(line for device in devices for line in tables(device))
    return BETWEEN.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page)


def tables(device: dict[str, Any]) -> Iterator[str]:
    """Sections of one device."""
    for suite, (title, make) in SUITES.items():
        if suite in device:
            yield f"### {title}\n"
            yield conditions(device[suite]["conditions"]) + "\n"
            yield from make(device[suite]["rows"])
            yield from (f"- {line}" for line in device[suite]["lines"])
            yield ""


def conditions(how: dict[str, Any]) -> str:
    """Measurement conditions in one sentence."""
    device, load = how["device"], how["load"][0]
    threads = f", {device['threads']} thread(s)" if "threads" in device else ""
    shared = f", load {load} on {how['cores']} cores" if device["type"] == "cpu" else ""
    return (
        f"*{device['name']} ({device['type']}{threads}), torch {how['versions']['torch']}, "
        f"{how['sizes']} sizes, {how['date']}{shared}.*"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Markdown table; the first column is text, the others are numbers."""
    yield f"| {' | '.join(head)} |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def backbones(rows: list[Row]) -> Iterator[str]:
    def cells(row: Row) -> list[str]:
        extra, own = row["extra"], row["extra"].get("share of its own products")
        compiled = ", compiled" if "compiled" in row["name"] else ""
        return [
            f"{row['group']}, {extra['precision']}{compiled}",
            spread(row),
            f"{extra['frames/s']:,.0f}",
            f"{extra['FLOP/s'] / 1e9:,.0f}",
            f"{extra['share of the matrix product']:.0%}",
            "" if own is None else f"{own:.0%}",
        ]

    head = [
        "encoding pass",
        "ms",
        "frames/s",
        "GFLOP/s",
        "% of matrix product",
        "% of own products",
    ]
    yield from table(head, map(cells, rows))


def steps(rows: list[Row]) -> Iterator[str]:
    """Table of adapters, then tables of settings relative to the fp32 step."""
    head = ["adapter", "ms", "peak MiB", "trainable", "parameters"]
    every = [row for row in rows if "test_adapter" in row["name"]]
    yield from table(head, map(step, every))
    for group in dict.fromkeys(row["group"] for row in rows if "test_setting" in row["name"]):
        own = [row for row in rows if row["group"] == group and "test_setting" in row["name"]]
        yield from table(
            ["setting", "ms", "time / fp32", "peak MiB", "memory / fp32"], against(own, group)
        )


def step(row: Row) -> list[str]:
    extra = row["extra"]
    numbers = [f"{extra['tuned']:,}", f"{extra['parameters']:,}"]
    return [inside(row), spread(row), mebibytes(row), *numbers]


def against(rows: list[Row], group: str) -> Iterator[list[str]]:
    """Rows of settings, relative to the first."""
    first = rows[0]
    for row in rows:
        time = row["seconds"]["median"] / first["seconds"]["median"]
        memory = row["extra"]["peak bytes"] / first["extra"]["peak bytes"]
        name = inside(row).removeprefix(f"{group}-")
        yield [f"{group}, {name}", spread(row), f"{time:.2f}", mebibytes(row), f"{memory:.2f}"]


def times(rows: list[Row]) -> Iterator[str]:
    """Table of names and times; empty if a suite has only text lines."""
    if not rows:
        return
    yield from table(["", "ms"], ([f"{row['group']}: {inside(row)}", spread(row)] for row in rows))


def reading(rows: list[Row]) -> Iterator[str]:
    """Tables of readers, one per kind of file."""
    head = ["reader", "clips / CPU s", "all cores busy", "whole clips / CPU s", "/ torchcodec",
            "/ decord", "different frames"]  # fmt: skip
    for group in dict.fromkeys(row["group"] for row in rows):
        yield f"*{group}*\n"
        yield from table(head, (reader(row) for row in rows if row["group"] == group))


def reader(row: Row) -> list[str]:
    """One reader: clips per second, in relation to the libraries, and frames that differ."""
    extra = row["extra"]

    def number(key: str, digits: int = 0) -> str:
        value = extra.get(key)
        return "" if value is None else f"{value:,.{1 if 0 < value < 10 else digits}f}"

    ratios = [
        f"{extra[key]:,.2f}" if key in extra else ""
        for key in ("x torchcodec, seeking", "x decord, seeking")
    ]
    speeds = map(number, ("clips/s", "clips/s, all cores busy", "whole clips/s"))
    different = extra.get("different", "stored")
    right = different == "stored" or different.startswith("0 of")
    return [row["name"], *speeds, *ratios, different if right else f"**{different}: wrong**"]


def inside(row: Row) -> str:
    """What a test was run with: the part of its name in brackets."""
    return str(row["name"]).partition("[")[2].rstrip("]")


def spread(row: Row) -> str:
    """The median with half the interquartile range, in milliseconds."""
    median, wide = 1e3 * row["seconds"]["median"], 5e2 * row["seconds"]["iqr"]
    digits = 0 if median >= 100 else 1 if median >= 10 else 2
    return f"{median:,.{digits}f} ± {wide:,.{digits}f}"


def mebibytes(row: Row) -> str:
    """The peak of memory."""
    return f"{row['extra']['peak bytes'] / 2**20:,.0f}"


SUITES = {
    "bench_train_step": ("A training step", steps),
    "bench_backbones": ("Backbones", backbones),
    "bench_adapters": ("Adapters", times),
    "bench_matchers": ("Matchers", times),
    "bench_evaluate": ("Testing", times),
    "bench_reading": ("Reading", reading),
}


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    write_text(PAGE, page_with(PAGE.read_text("utf-8"), folder))
