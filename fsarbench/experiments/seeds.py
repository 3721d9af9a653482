"""Runs of a config with one or several training seeds."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from fsarbench.config.loading import load_config
from fsarbench.experiments.executor import Done, refuse_ranks, run_all, run_options
from fsarbench.experiments.plan import plan_run
from fsarbench.experiments.run import run, work_folder
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.comparison.to_csv_json import json_text
from fsarbench.report.comparison.to_text import markdown, terminal
from fsarbench.runtime.atomic_files import write_text
from fsarbench.runtime.progress import make_console

TABLE = "table"


def run_seeds(  # noqa: PLR0913 (one argument per option)
    config: str,
    overrides: Sequence[str] = (),
    *,
    name: str | None = None,
    work_dir: str | None = None,
    device: str | None = None,
    resume: bool = False,
    quiet: bool = False,
    launcher: str | None = None,
    cache_frames: bool = False,
) -> bool:
    """Train and test a config once, or once for each of its `seeds`.

    Each of several seeds has a separate run in `<folder>/seed_<n>`; finished runs are not repeated.
    Their table is printed, and written to the folder as `table.md` and `table.json`. The arguments
    are those of `fsarbench.experiments.run.run`.

    Returns:
        Whether all runs succeeded.

    Raises:
        UserError: As in `fsarbench.experiments.run.run`, or a folder contains another run.
    """
    loaded = load_config(config, overrides)
    if not loaded.values.get("seeds"):
        run(
            config,
            overrides,
            name=name,
            work_dir=work_dir,
            device=device,
            resume=resume,
            quiet=quiet,
            launcher=launcher,
            cache_frames=cache_frames,
        )
        return True
    refuse_ranks("A config with several seeds")
    name = name or loaded.name
    with ExitStack() as stack:
        folder = work_folder(name, stack, work_dir=work_dir, resume=resume)
        planned = plan_run(name, config, overrides, folder)
        done = run_all(planned, run_options(device, quiet, cache_frames), logged=False)
        if done.finished:
            print_table(done, folder)
    for title, reason in done.failed.items():
        print(f"{title} failed: {reason}")
    print(f"written to {folder}")
    return not done.failed


def print_table(done: Done, folder: Path) -> None:
    """Print and write the table of the finished seeds, which has a single row."""
    comparison = comparison_of([run.folder for run in done.finished])
    make_console().print(terminal(comparison))
    write_text(folder / f"{TABLE}.md", markdown(comparison))
    write_text(folder / f"{TABLE}.json", json_text(comparison))
