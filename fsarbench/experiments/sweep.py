"""`fsarbench sweep`: every row in every combination of a grid, and one table of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fsarbench.config.loading import load_config
from fsarbench.errors import UserError
from fsarbench.experiments.engine import Engine
from fsarbench.experiments.executor import Done, refuse_ranks, run_all, run_options
from fsarbench.experiments.grid import combinations, row_name
from fsarbench.experiments.job_queues import LocalQueue, SlurmQueue
from fsarbench.experiments.plan import Planned, plan_run
from fsarbench.experiments.run import RUNS
from fsarbench.experiments.sweep_file import Row, Sweep, read_sweep
from fsarbench.experiments.sweep_jobs import refuse_queued, run_jobs
from fsarbench.report.comparison.compare import LAYOUTS, comparison_of
from fsarbench.report.comparison.to_text import terminal
from fsarbench.report.run_summary import dropped
from fsarbench.report.table_layouts import layout_of
from fsarbench.results.exchange.layout import folder_name
from fsarbench.results.run_result import read_result
from fsarbench.runtime.atomic_files import require_writable, write_text
from fsarbench.runtime.folder_lock import locked_folder
from fsarbench.runtime.progress import make_console as standard_output

VERSIONS = ("fsarbench", "torch", "open_clip_torch")


def page(table: str, done: Done, sweeps: Sequence[Sweep], command: str) -> str:
    """A Markdown page around a table.

    Args:
        table: The comparison, as Markdown.
        done: The runs in it, and those that failed.
        sweeps: Their titles and descriptions.
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


@dataclass(frozen=True)
class Plan:
    """Everything that is to be run, and what cannot be.

    Attributes:
        runs: In order.
        rejected: What is wrong with the others, by name.
    """

    runs: list[Planned]
    rejected: dict[str, str]


def sweep(  # noqa: PLR0913 (one argument for each option)
    paths: Sequence[str],
    *,
    grid: Sequence[str] = (),
    overrides: Sequence[str] = (),
    name: str | None = None,
    work_dir: str | None = None,
    device: str | None = None,
    baseline: str | None = None,
    out: str | None = None,
    command: str = "",
    engine: Engine | None = None,
) -> bool:
    """Runs what is not finished, and puts all into one table; returns whether all went well.

    Args:
        paths: Configs and sweep files.
        grid: Axes, `key=value,value,...`.
        overrides: Strings `key=value`, set in every row.
        name: Pattern of the rows' names; places such as `{matcher.type}` are filled.
        work_dir: Where the runs go; None for a folder below `runs`.
        device: Name of the device of each run; None for the GPU where there is one.
        baseline: The row that the others are compared with.
        out: The file of the table; None for the terminal.
        command: The command as it was given, which a Markdown table shows.
        engine: Where the runs are computed; None for one after another on this machine.

    Raises:
        UserError: A file is missing, nothing can be run, or rows share a name.
    """
    engine = engine or Engine()
    refuse_ranks("A sweep")
    layout_of(None, out)
    sweeps = [read_sweep(path) for path in paths]
    folder = sweep_folder(work_dir, sweeps)
    require_writable(folder, "--work-dir", folder=True)
    if out is not None:
        require_writable(Path(out), "--out")
    rows = [row for one in sweeps for row in one.rows]
    with locked_folder(folder):
        plan = plan_sweep(rows, folder, grid=grid, overrides=overrides, name=name)
        done = run_plan(plan, folder, device, engine)
    if done.finished:
        write_table(done, sweeps, baseline=baseline, out=out, command=command)
    return not done.failed


def sweep_folder(work_dir: str | None, sweeps: Sequence[Sweep]) -> Path:
    """Folder of a sweep: the given one, or the one named after its first file."""
    return Path(work_dir) if work_dir else RUNS / f"sweep_{sweeps[0].name}"


def run_plan(plan: Plan, folder: Path, device: str | None, engine: Engine) -> Done:
    """Run what is planned, each run with a log of its own; returns how each ended."""
    for name, fault in plan.rejected.items():
        print(f"{name} cannot be run and is left out: {fault}")
    print(f"{len(plan.runs)} runs in {folder}", flush=True)
    options = run_options(device)
    if engine.kind == "slurm":
        done = run_jobs(plan.runs, SlurmQueue(folder, engine), options, folder)
    else:
        refuse_queued(plan.runs)
        if engine.kind == "local":
            local = LocalQueue(folder, engine, device)
            done = run_jobs(plan.runs, local, options, folder)
        else:
            done = run_all(plan.runs, options, logged=True)
    done.failed.update(plan.rejected)
    return done


def plan_sweep(
    rows: Sequence[Row],
    folder: Path,
    *,
    grid: Sequence[str],
    overrides: Sequence[str],
    name: str | None,
) -> Plan:
    """Every row in every combination, all of them checked.

    Raises:
        UserError: An axis cannot be read, or two combinations have one name.
    """
    plan, folders = Plan([], {}), set()
    for row, axes in _each(rows, grid):
        sets = [*row.overrides, *overrides, *axes]
        title = f"{row.name or row.config}{': ' if axes else ''}{', '.join(axes)}"
        try:
            loaded = load_config(row.config, sets)
            called = row_name(name or row.name, loaded, axes)
            place = folder / folder_name(called)
            runs = plan_run(called, row.config, sets, place)
        except UserError as error:
            plan.rejected[title] = str(error)
            continue
        if place in folders:
            raise UserError(f"Two rows are called '{called}'. Tell them apart by their names.")
        folders.add(place)
        for line in dropped(loaded):
            print(f"{called}: {line}")
        plan.runs.extend(runs)
    return plan


def write_table(
    done: Done, sweeps: Sequence[Sweep], *, baseline: str | None, out: str | None, command: str
) -> None:
    """The table of what is finished, in the file that was asked for or on the terminal."""
    comparison = comparison_of([run.folder for run in done.finished], baseline=baseline)
    layout = layout_of(None, out)
    if layout is None or out is None:
        standard_output().print(terminal(comparison))
        return
    text = LAYOUTS[layout](comparison)
    if layout == "markdown":
        text = page(text, done, sweeps, command)
    write_text(Path(out), text)
    print(f"written to {out}")


def _each(rows: Sequence[Row], grid: Sequence[str]) -> Iterator[tuple[Row, tuple[str, ...]]]:
    combined = combinations(grid)
    yield from ((row, axes) for row in rows for axes in combined)
