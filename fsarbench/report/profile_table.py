"""Output of `fsarbench profile`: one row per config, with ratios to the first row."""

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
    """One column of the table.

    Attributes:
        header: Column header with the unit.
        number: Function from a record to the number in this unit; None if it is missing.
    """

    header: str
    number: Callable[[Record], float | None]


def at(*path: str, unit: float = 1.0) -> Callable[[Record], float | None]:
    """Function that returns the number at a path of a record; None if it is missing."""

    def number(record: Record) -> float | None:
        value: Any = record
        for key in path:
            value = None if value is None else value.get(key)
        return None if value is None else value / unit

    return number


COLUMNS = (
    CostColumn("trainable (M)", at("parameters", "tuned", unit=1e6)),
    CostColumn("total (M)", at("parameters", "total", unit=1e6)),
    CostColumn("test GFLOPs", at("operations", "testing", "episode", unit=1e9)),
    CostColumn("step GFLOPs", at("operations", "training", "step", unit=1e9)),
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
    """Table with one row per config, and the ratios to the first row from the second row on."""
    columns = [c for c in COLUMNS if any(c.number(record) is not None for record in records)]
    headings = [Heading("config", number=False), *(Heading(column.header) for column in columns)]
    rows = [
        [escape(record["name"]), *(cell(column, record, records[0]) for column in columns)]
        for record in records
    ]
    return CutTable(headings, rows)


def cell(column: CostColumn, record: Record, first: Record) -> str:
    """Number of a config with its ratio to the number of the first config."""
    value, base = column.number(record), column.number(first)
    if value is None:
        return "-"
    text = formatted(value)
    return text if record is first or not base else f"{text} ({value / base:.2f})"


def formatted(value: float) -> str:
    """Format a number with at least four significant digits.

    Example:
        >>> formatted(0.01234), formatted(18.537), formatted(12345.6)
        ('0.01234', '18.54', '12,346')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.4g}".rstrip(".")


def slot_table(record: Record) -> Table:
    """Table of the slots of one config: parameters, and FLOPs of a test episode."""
    slots = Table(box=None, pad_edge=False)
    for header, justify in (
        ("slot", "left"),
        ("component", "left"),
        ("trainable", "right"),
        ("total", "right"),
        ("GFLOPs per test episode", "right"),
    ):
        slots.add_column(header, justify=justify)  # type: ignore[arg-type]
    operations = record["operations"]["testing"]["slots"]
    for slot in record["parameters"]["slots"]:
        gflops = operations.get(slot["slot"], 0) / 1e9
        cells = f"{slot['tuned']:,}", f"{slot['total']:,}", f"{gflops:,.2f}"
        slots.add_row(slot["slot"], slot["component"], *cells)
    return slots


def details(record: Record) -> list[str]:
    """Lines on the FLOPs, memory and timings of one config."""
    operations, memory = record["operations"], record["memory"]
    testing, training = operations["testing"], operations["training"]
    lines = [
        "test: "
        + ", ".join(
            f"{name.replace('_', ' ')} {gflops(testing[name])}"
            for name in ("text_class", "support_video", "query_video", "episode")
        )
    ]
    if training is not None:
        lines.append(
            f"training step: forward {gflops(training['forward'])}, backward "
            f"{gflops(training['weights'])} for gradients of weights, "
            f"{gflops(training['through'])} for gradients of activations"
        )
    lines += [f"{stage} memory: {split(peak)}" for stage, peak in memory.items() if peak]
    return [*lines, *timings(record["measured"] or {})]


def timings(measured: Record) -> list[str]:
    """One line per measurement: median, quartiles and rate."""
    return [
        f"{name.replace('_', ' ')}: {m['timing']['median']:.4g} s (quartiles "
        f"{m['timing']['low']:.4g} to {m['timing']['high']:.4g}, {m['timing']['repeats']} runs), "
        f"{m['rate']:.4g} per second"
        for name, m in measured.items()
    ]


def split(peak: Record) -> str:
    """Peak memory in total and by kind, largest first."""
    kinds = sorted(((v, k) for k, v in peak.items() if k != "total"), reverse=True)
    listed = ", ".join(f"{kind} {size / 2**30:.3f}" for size, kind in kinds)
    return f"{peak['total'] / 2**30:.3f} GiB: {listed}"


def gflops(operations: int) -> str:
    """Format FLOPs as GFLOPs and as multiply-adds (GMACs)."""
    return f"{operations / 1e9:,.2f} GFLOPs ({operations / 2e9:,.2f} GMACs)"


def not_counted(records: Sequence[Record]) -> list[str]:
    """One line per config with operations that have no formula, so that its FLOPs are too low."""
    lines = []
    for record in records:
        counts = record["operations"]
        missing = {
            **counts["testing"]["not_counted"],
            **(counts["training"] or {}).get("not_counted", {}),
        }
        if missing:
            names = ", ".join(sorted(missing))
            lines.append(f"{record['name']}: FLOPs too low; operations NOT COUNTED: {names}")
    return lines


def roofline_table(roofline: Record) -> Table:
    """Table of measured work relative to the ceilings of the device."""
    work = Table(box=None, pad_edge=False)
    work.add_column("work")
    for header in ("GFLOPs", "GiB moved", "s", "% of compute ceiling", "% of nearer ceiling"):
        work.add_column(header, justify="right")
    for item in roofline["work"]:
        work.add_row(
            item["name"],
            f"{item['operations'] / 1e9:,.3f}",
            f"{item['traffic'] / 2**30:,.3f}",
            f"{item['seconds']:.4g}",
            f"{item['product_share']:.1%}",
            f"{item['share']:.1%} ({item['bound']})",
        )
    return work


def show(profile: Mapping[str, Any]) -> None:
    """Print a table of all configs, and the details if there is only one."""
    console, records = make_console(), profile["configs"]
    console.print(table(records))
    if len(records) == 1:
        console.print()
        console.print(slot_table(records[0]))
        console.print(*map(escape, details(records[0])), sep="\n")
    for line in (*not_counted(records), *remarks(profile)):
        console.print(escape(line))
    if "roofline" in profile:
        ceilings = profile["roofline"]["ceilings"]
        console.print(
            f"\nceilings: {ceilings['product'] / 1e12:.3f} TFLOP/s ({ceilings['dtype']} matrix "
            f"product), {ceilings['copy'] / 1e9:.1f} GB/s (copy)"
        )
        console.print(roofline_table(profile["roofline"]))


def remarks(profile: Mapping[str, Any]) -> list[str]:
    """Notes below the table: setting, FLOP convention, memory and device."""
    first, device = profile["configs"][0], profile["device"]
    setting = first["setting"]
    task = (
        f"{task_name(setting['way'], setting['shot'])}, {setting['queries_a_class']} queries per "
        f"class ({training_task(setting)} in training), {video_text(setting)}, "
        f"{setting['precision']}"
    )
    ratios = "In brackets: ratio to the first row. " if len(profile["configs"]) > 1 else ""
    return [
        f"{ratios}First row: {task}.",
        f"FLOPs: {first['operations']['convention']}. step: forward and backward pass of one "
        "training episode.",
        "GiB: peak memory of tensors, computed from their shapes (with fused attention). "
        "allocator: peak memory measured by the GPU allocator.",
        f"Device: {', '.join(f'{key} {value}' for key, value in device.items())}.",
    ]


def video_text(setting: Mapping[str, Any]) -> str:
    """Input of one video in words; `size` is None for features.

    Example:
        >>> video_text({"frames": 8, "size": None})
        'features given (8 steps, without the FLOPs of a backbone)'
    """
    if setting["size"] is None:
        return f"features given ({setting['frames']} steps, without the FLOPs of a backbone)"
    return f"{setting['frames']} frames of {setting['size']} pixels"


def training_task(setting: Mapping[str, Any]) -> str:
    """Queries per class of a training episode, with way and shot where they differ from the test.

    Example:
        >>> training_task({"way": 5, "shot": 5, "train_shot": 1, "train_queries_a_class": 3})
        '3, 5-way 1-shot'
    """
    own = setting["way"], setting["shot"]
    task = setting.get("train_way", own[0]), setting.get("train_shot", own[1])
    different = "" if task == own else f", {task_name(*task)}"
    return f"{setting['train_queries_a_class']}{different}"
