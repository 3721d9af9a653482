"""Size and shape of the package: modules, fragments, and the files that a job runs through.

Counts the modules of `fsarbench` (without `__init__.py`), their median length, the modules at the
root of the package, the import circles, and the files under 70 lines that one other file alone
imports. A file of a component, of a function in `functional/` or of a verb of the command line is
whole however short it is, and not counted among those. `--jobs` also trains two episodes, tests and
compares on the built-in data in this process, and counts the files of the package in which a
function was called, import time left out::

    python -m benchmarks.structure --jobs
"""

import argparse
import ast
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

PACKAGE = Path(__file__).parents[1] / "fsarbench"
FRAGMENT = 70  # lines
# One file is one component, one function or one verb here.
WHOLE = frozenset(
    (
        *("adapters", "backbones", "cli", "functional", "losses", "matchers"),
        *("prototypes", "readers", "readouts", "text_encoders"),
    )
)
TRAIN = (
    *("train.episodes=2", "train.warmup=0", "train.workers=0", "train.val_interval=2"),
    *("train.trackers=()", "evaluate.val_episodes=4"),
)
TEST = ("evaluate.episodes=4", "evaluate.workers=0")


def modules(package: Path) -> dict[str, Path]:
    """Modules by dotted name, `__init__.py` files left out."""
    paths = (path for path in sorted(package.rglob("*.py")) if path.name != "__init__.py")
    return {
        ".".join((package.name, *path.relative_to(package).with_suffix("").parts)): path
        for path in paths
    }


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the package that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names & known.keys()


def circles(graph: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Import circles, each as the modules on it."""
    done: dict[str, bool] = {}
    cycles: list[tuple[str, ...]] = []

    def visit(module: str, path: list[str]) -> None:
        done[module] = False
        for target in sorted(graph[module]):
            if done.get(target) is False:
                cycles.append(tuple(path[path.index(target) :]))
            elif target not in done:
                visit(target, [*path, target])
        done[module] = True

    for module in graph:
        if module not in done:
            visit(module, [module])
    return cycles


def shape(package: Path) -> dict[str, Any]:
    """The counts of a package."""
    known = modules(package)
    graph = {name: imports(path, known) - {name} for name, path in known.items()}
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in known.items()}
    importers = {name: [n for n, targets in graph.items() if name in targets] for name in known}
    fragments = sorted(
        name
        for name in known
        if len(importers[name]) == 1 and lines[name] < FRAGMENT and not WHOLE & {*name.split(".")}
    )
    return {
        "modules": len(known),
        "median lines": statistics.median(lines.values()),
        "longest": max(lines.values()),
        "modules at the root": sum(name.count(".") == 1 for name in known),
        "import circles": len(circles(graph)),
        f"fragments (one importer, under {FRAGMENT} lines)": fragments,
    }


def executed(job: Callable[[], Any], package: Path) -> tuple[Any, set[str]]:
    """The result of a job, and the files of the package in which it called a function."""
    seen: set[str] = set()
    root = f"{package}{os.sep}"

    def note(frame: FrameType, event: str, _argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and frame.f_code.co_name != "<module>" and file.startswith(root):
            seen.add(file.removeprefix(root))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        return job(), seen
    finally:
        sys.setprofile(before)


def jobs(package: Path) -> dict[str, set[str]]:
    """The files that a training step, training, a cached test and a comparison run through."""
    from fsarbench.cli import app
    from fsarbench.experiments import run
    from fsarbench.training import train

    files: dict[str, set[str]] = {}

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            result, seen = executed(lambda: function(*args, **options), package)
            files.setdefault(name, set()).update(seen)
            return result

        return call

    def verb(*words: str) -> None:
        with mock.patch.object(sys, "argv", ["fsarbench", *words]):
            try:
                app.main()
            except SystemExit as end:
                if end.code:
                    raise

    def settings(*keys: str) -> list[str]:
        return [word for key in keys for word in ("--set", key)]

    with (
        mock.patch.object(train, "train_step", watched("training step", train.train_step)),
        mock.patch.object(run, "train", watched("training with validation", run.train)),
        mock.patch.object(run, "evaluate_all", watched("cached test", run.evaluate_all)),
    ):
        verb("run", "mafsar_synthact_1shot", *settings(*TRAIN, *TEST))
    files["training with validation"] |= files["training step"]
    verb("run", "frozen_synthact_1shot", *settings(*TEST))
    table = ("compare", "runs", "--baseline", "frozen_synthact_1shot")
    watched("compare table", verb)(*table)
    return files


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", action="store_true", help="also count the files of three jobs")
    chosen = parser.parse_args()
    for name, value in shape(PACKAGE).items():
        text = f"{len(value)}: {', '.join(value)}" if isinstance(value, list) else value
        print(f"{name:45} {text}")
    if chosen.jobs:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for name, seen in jobs(PACKAGE).items():
                print(f"{'files of a ' + name:45} {len(seen)}: {' '.join(sorted(seen))}")


if __name__ == "__main__":
    main()
