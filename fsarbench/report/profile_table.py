"""What `fsarbench profile` prints: a row a config, with ratios to the first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from fsarbench.catalogue.published_results import task_name
from fsarbench.report.table_layouts import CutTable, Heading
from fsarbench.runtime.progress import make_console

Record = Mapping[str, Any]
GIBI = 2.0**30


@dataclass(frozen=True)
class CostColumn:
    """One number of every config.

    Attributes:
        header: Its heading with the unit.
        number: The number in that unit; None where a config has none.
    """

    header: str
    number: Callable[[Record], float | None]


def at(*path: str, unit: float = 1.0) -> Callable[[Record], float | None]:
    """The number at a place of a record, None where the place is not there."""

    def look(record: Record) -> float | None:
        value: Any = record
        for key in path:
            value = None if value is None else value.get(key)
        return None if value is None else value / unit

    return look


COLUMNS = (
    CostColumn("tuned (M)", at("parameters", "tuned", unit=1e6)),
    CostColumn("all (M)", at("parameters", "total", unit=1e6)),
    CostColumn("test GFLOP", at("operations", "testing", "episode", unit=1e9)),
    CostColumn("step GFLOP", at("operations", "training", "step", unit=1e9)),
    CostColumn("test GiB", at("memory", "testing", "total", unit=GIBI)),
    CostColumn("step GiB", at("memory", "training", "total", unit=GIBI)),
    CostColumn(
        "test GiB, allocator", at("measured", "test_episode", "memory", "tensors", unit=GIBI)
    ),
    CostColumn("step GiB, allocator", at("measured", "train_step", "memory", "tensors", unit=GIBI)),
    CostColumn("videos/s", at("measured", "encode", "rate")),
    CostColumn("test episodes/s", at("measured", "test_episode", "rate")),
    CostColumn("step s", at("measured", "train_step", "timing", "median")),
)


def table(records: Sequence[Record]) -> CutTable:
    """A row a config; behind each number, from the second row on, its ratio to the first row's."""
    shown = [c for c in COLUMNS if any(c.number(record) is not None for record in records)]
    headings = [Heading("config", number=False), *(Heading(column.header) for column in shown)]
    rows = [
        [escape(record["name"]), *(cell(column, record, records[0]) for column in shown)]
        for record in records
    ]
    return CutTable(headings, rows)


def cell(column: CostColumn, record: Record, first: Record) -> str:
    """A number with its ratio to the first config's."""
    value, base = column.number(record), column.number(first)
    if value is None:
        return "-"
    text = figure(value)
    return text if record is first or not base else f"{text} ({value / base:.2f})"


def figure(value: float) -> str:
    """Four digits at the least.

    Example:
        >>> figure(0.01234), figure(18.537), figure(12345.6)
        ('0.01234', '18.54', '12,346')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.4g}".rstrip(".")


def slot_table(record: Record) -> Table:
    """The slots of one config: parameters, and the operations of a test episode."""
    made = Table(box=None, pad_edge=False)
    for header, justify in (
        ("slot", "left"),
        ("component", "left"),
        ("tuned", "right"),
        ("total", "right"),
        ("GFLOP of a test episode", "right"),
    ):
        made.add_column(header, justify=justify)  # type: ignore[arg-type]
    operations = record["operations"]["testing"]["slots"]
    for slot in record["parameters"]["slots"]:
        counted = operations.get(slot["slot"], 0) / 1e9
        cells = f"{slot['tuned']:,}", f"{slot['total']:,}", f"{counted:,.2f}"
        made.add_row(slot["slot"], slot["component"], *cells)
    return made


def details(record: Record) -> list[str]:
    """Lines on one config: what its operations and its memory are made of."""
    operations, memory = record["operations"], record["memory"]
    testing, training = operations["testing"], operations["training"]
    lines = [
        "test: "
        + ", ".join(
            f"{name.replace('_', ' ')} {giga(testing[name])}"
            for name in ("text_class", "support_video", "query_video", "episode")
        )
    ]
    if training is not None:
        lines.append(
            f"training step: forward {giga(training['forward'])}, backward "
            f"{giga(training['weights'])} for trainable weights, "
            f"{giga(training['through'])} passed on"
        )
    lines += [f"{stage} memory: {split(peak)}" for stage, peak in memory.items() if peak]
    return [*lines, *timings(record["measured"] or {})]


def timings(measured: Record) -> list[str]:
    """A line a measured piece of work: median and quartiles."""
    return [
        f"{name.replace('_', ' ')}: {m['timing']['median']:.4g} s (quartiles "
        f"{m['timing']['low']:.4g} to {m['timing']['high']:.4g}, {m['timing']['repeats']} runs), "
        f"{m['rate']:.4g} a second"
        for name, m in measured.items()
    ]


def split(peak: Record) -> str:
    """The kinds of a peak, largest first."""
    kinds = sorted(((v, k) for k, v in peak.items() if k != "total"), reverse=True)
    parts = ", ".join(f"{kind} {size / 2**30:.3f}" for size, kind in kinds)
    return f"{peak['total'] / 2**30:.3f} GiB: {parts}"


def giga(operations: int) -> str:
    """Operations in GFLOP, and in multiply-adds."""
    return f"{operations / 1e9:,.2f} GFLOP ({operations / 2e9:,.2f} GMAC)"


def not_counted(records: Sequence[Record]) -> list[str]:
    """One line a config with operations that have no formula: its numbers are too small."""
    lines = []
    for record in records:
        counts = record["operations"]
        missing = {
            **counts["testing"]["not_counted"],
            **(counts["training"] or {}).get("not_counted", {}),
        }
        if missing:
            named = ", ".join(sorted(missing))
            lines.append(f"{record['name']}: NOT COUNTED, so too few operations: {named}")
    return lines


def roofline_table(found: Record) -> Table:
    """The work beside the ceilings."""
    made = Table(box=None, pad_edge=False)
    made.add_column("work")
    for header in ("GFLOP", "GiB moved", "s", "of the product's ceiling", "of the nearer ceiling"):
        made.add_column(header, justify="right")
    for piece in found["work"]:
        made.add_row(
            piece["name"],
            f"{piece['operations'] / 1e9:,.3f}",
            f"{piece['traffic'] / 2**30:,.3f}",
            f"{piece['seconds']:.4g}",
            f"{piece['product_share']:.1%}",
            f"{piece['share']:.1%} ({piece['bound']})",
        )
    return made


def show(found: Mapping[str, Any]) -> None:
    """Prints one table of all configs; of a single one also what it is made of."""
    console, records = make_console(), found["configs"]
    console.print(table(records))
    if len(records) == 1:
        console.print()
        console.print(slot_table(records[0]))
        console.print(*map(escape, details(records[0])), sep="\n")
    for line in (*not_counted(records), *remarks(found)):
        console.print(escape(line))
    if "roofline" in found:
        ceilings = found["roofline"]["ceilings"]
        console.print(
            f"\nceilings: {ceilings['product'] / 1e12:.3f} TFLOP/s ({ceilings['dtype']} product), "
            f"{ceilings['copy'] / 1e9:.1f} GB/s (copy)"
        )
        console.print(roofline_table(found["roofline"]))


def remarks(found: Mapping[str, Any]) -> list[str]:
    """What the numbers are of."""
    first, device = found["configs"][0], found["device"]
    setting = first["setting"]
    task = (
        f"{task_name(setting['way'], setting['shot'])}, {setting['queries_a_class']} queries a "
        f"class ({of_training(setting)} in training), {video_text(setting)}, "
        f"{setting['precision']}"
    )
    ratios = "In brackets: over the first row. " if len(found["configs"]) > 1 else ""
    return [
        f"{ratios}First row: {task}.",
        f"Operations: {first['operations']['convention']}. step: forward and backward.",
        "GiB: most that tensors held at once, computed from their shapes (with fused attention); "
        "allocator: of the GPU, measured.",
        f"Device: {', '.join(f'{key} {value}' for key, value in device.items())}.",
    ]


def video_text(setting: Mapping[str, Any]) -> str:
    """Input of one video in words; `size` is None for features.

    Example:
        >>> video_text({"frames": 8, "size": None})
        'features given (8 steps, no operations of a backbone)'
    """
    if setting["size"] is None:
        return f"features given ({setting['frames']} steps, no operations of a backbone)"
    return f"{setting['frames']} frames of {setting['size']} pixels"


def of_training(setting: Mapping[str, Any]) -> str:
    """Queries per class of a training episode, with way and shot where they differ from the test.

    Example:
        >>> of_training({"way": 5, "shot": 5, "train_shot": 1, "train_queries_a_class": 3})
        '3, 5-way 1-shot'
    """
    own = setting["way"], setting["shot"]
    task = setting.get("train_way", own[0]), setting.get("train_shot", own[1])
    different = "" if task == own else f", {task_name(*task)}"
    return f"{setting['train_queries_a_class']}{different}"
