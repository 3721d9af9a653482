"""The table of a sweep as a page: how it was made, and what each row is."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from fsarbench.experiments.executor import Done
from fsarbench.experiments.plan import Planned
from fsarbench.experiments.sweep_file import Sweep
from fsarbench.results.run_result import read_result

VERSIONS = ("fsarbench", "torch", "open_clip_torch")


def page(table: str, done: Done, sweeps: Sequence[Sweep], command: str) -> str:
    """A Markdown page around a table.

    Args:
        table: The comparison, as Markdown.
        done: The runs in it, and those that failed.
        sweeps: What is said of them.
        command: What makes the page.
    """
    about = [sweep.about for sweep in sweeps if sweep.about]
    title = "" if about else f"# {', '.join(sweep.name for sweep in sweeps)}"
    if about:
        head, _, rest = about[0].partition("\n")
        title, about[0] = f"# {head.rstrip('.')}", rest.strip()
    blocks = [title, *about, "Made by", f"    {command}", "\n".join(_computed(done)), table.strip()]
    blocks += ["## The rows", _rows(done.finished)]
    if done.failed:
        blocks += ["## Not in the table", "\n".join(_failed(done))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _computed(done: Done) -> Iterator[str]:
    results = [read_result(run.folder) for run in done.finished]
    spent = timedelta(seconds=round(sum(result["seconds"]["total"] for result in results)))
    yield f"- {len(results)} runs, {spent} in all."
    prints = {r["conditions"]["data_fingerprint"]: r["conditions"]["dataset"] for r in results}
    for found, dataset in prints.items():
        yield f"- Videos, classes and their partition: {dataset}, hash `{found}`."
    with_ = [", ".join(f"{k} {r['versions'].get(k, '')}" for k in VERSIONS) for r in results]
    devices = [" ".join(f"{k} {v}" for k, v in r["device"].items()) for r in results]
    for where in dict.fromkeys(zip(with_, devices, strict=True)):
        yield f"- Computed with {where[0]}; {where[1]}."


def _rows(runs: Sequence[Planned]) -> str:
    lines = ["| row | config | set over it | seeds | hash of the config |", "|---|---|---|---|---|"]
    named: dict[str, list[Planned]] = {}
    for run in runs:
        named.setdefault(run.name, []).append(run)
    for name, group in named.items():
        first = group[0]
        seeds = ", ".join(str(run.loaded.values.get("seed", 0)) for run in group)
        sets = ", ".join(f"`{override}`" for override in first.overrides)
        cells = (name, f"`{first.config}`", sets, seeds, f"`{first.hash}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _failed(done: Done) -> Iterator[str]:
    for title, reason in done.failed.items():
        yield f"- {title}: {' '.join(reason.split())}"
