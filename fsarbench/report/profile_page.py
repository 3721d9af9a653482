"""The terminal page of `fsarbench profile`."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from fsarbench.report.profile_table import (
    details,
    not_counted,
    roofline_table,
    slot_table,
    table,
)
from fsarbench.runtime.console import terminal


def show(found: Mapping[str, Any]) -> None:
    """Prints one table of all configs; of a single one also what it is made of."""
    console, records = terminal(), found["configs"]
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
        f"{setting['way']}-way {setting['shot']}-shot, {setting['queries_a_class']} queries a "
        f"class ({setting['train_queries_a_class']} in training), {setting['frames']} frames of "
        f"{setting['size']} pixels, {setting['precision']}"
    )
    ratios = "In brackets: over the first row. " if len(found["configs"]) > 1 else ""
    return [
        f"{ratios}First row: {task}.",
        f"Operations: {first['operations']['convention']}. step: forward and backward.",
        "GiB: most that tensors held at once, computed from their shapes (with fused attention); "
        "allocator: of the GPU, measured.",
        f"Device: {', '.join(f'{key} {value}' for key, value in device.items())}.",
    ]
