"""`fsarbench sweep`: every row in every combination of a grid, and one table of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.config import load
from fsarbench.errors import UserError
from fsarbench.files import write_text
from fsarbench.job import RUNS
from fsarbench.report.compare import LAYOUTS, comparison_of
from fsarbench.report.compare import Options as TableOptions
from fsarbench.report.compare_text import terminal
from fsarbench.report.parts import dropped
from fsarbench.report.table_layouts import layout_of
from fsarbench.report.terminal import terminal as standard_output
from fsarbench.sweep.file import Row, Sweep, read_sweep
from fsarbench.sweep.grid import combinations
from fsarbench.sweep.launch import refuse_ranks
from fsarbench.sweep.names import folder_name, row_name
from fsarbench.sweep.page import page
from fsarbench.sweep.plan import Planned, plan_run
from fsarbench.sweep.runs import Done, run_all


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        grid: Axes, `key=value,value,...`.
        overrides: What is set in every row.
        name: What rows are called; places such as `{matcher.type}` are filled.
        work_dir: Where the runs go; None for a folder below `runs`.
        run: Further options of each `fsarbench run`.
        baseline: The row that the others are compared with.
        out: The file of the table; None for the terminal.
        command: The command as it was given, to be said in the table.
    """

    grid: Sequence[str] = ()
    overrides: Sequence[str] = ()
    name: str | None = None
    work_dir: str | None = None
    run: Sequence[str] = ()
    baseline: str | None = None
    out: str | None = None
    command: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that is to be run, and what cannot be.

    Attributes:
        runs: In order.
        rejected: What is wrong with the others, by name.
    """

    runs: list[Planned]
    rejected: dict[str, str]


def sweep(paths: Sequence[str], options: Options) -> bool:
    """Runs what is not finished, and puts all into one table; returns whether all went well.

    Args:
        paths: Configs and sweep files.
        options: What the command line says.

    Raises:
        UserError: A file is missing, nothing can be run, or rows share a name.
    """
    refuse_ranks("A sweep")
    table = TableOptions(baseline=options.baseline, out=options.out)
    layout_of(table.layout, table.out)
    sweeps = [read_sweep(path) for path in paths]
    folder = Path(options.work_dir) if options.work_dir else RUNS / f"sweep_{sweeps[0].name}"
    plan = plan_sweep([row for one in sweeps for row in one.rows], folder, options)
    for name, fault in plan.rejected.items():
        print(f"{name} cannot be run and is left out: {fault}")
    print(f"{len(plan.runs)} runs in {folder}", flush=True)
    done = run_all(plan.runs, list(options.run), logged=True)
    done.failed.update(plan.rejected)
    if done.finished:
        write_table(done, sweeps, table, options.command)
    return not done.failed


def plan_sweep(rows: Sequence[Row], folder: Path, options: Options) -> Plan:
    """Every row in every combination, all of them checked.

    Raises:
        UserError: An axis cannot be read, or two combinations have one name.
    """
    plan, folders = Plan([], {}), set()
    for row, axes in _each(rows, options.grid):
        overrides = [*row.overrides, *options.overrides, *axes]
        title = f"{row.name or row.config}{': ' if axes else ''}{', '.join(axes)}"
        try:
            loaded = load(row.config, overrides)
            name = row_name(options.name or row.name, loaded, axes)
            place = folder / folder_name(name)
            runs = plan_run(name, row.config, overrides, place)
        except UserError as error:
            plan.rejected[title] = str(error)
            continue
        if place in folders:
            raise UserError(f"Two rows are called '{name}'. Tell them apart by their names.")
        folders.add(place)
        for line in dropped(loaded):
            print(f"{name}: {line}")
        plan.runs.extend(runs)
    return plan


def write_table(done: Done, sweeps: Sequence[Sweep], table: TableOptions, command: str) -> None:
    """The table of what is finished, in the file that was asked for or on the terminal."""
    comparison = comparison_of([run.folder for run in done.finished], table)
    layout = layout_of(table.layout, table.out)
    if layout is None or table.out is None:
        standard_output().print(terminal(comparison))
        return
    text = LAYOUTS[layout](comparison)
    if layout == "markdown":
        text = page(text, done, sweeps, command)
    write_text(Path(table.out), text)
    print(f"written to {table.out}")


def _each(rows: Sequence[Row], grid: Sequence[str]) -> Iterator[tuple[Row, tuple[str, ...]]]:
    combined = combinations(grid)
    yield from ((row, axes) for row in rows for axes in combined)
