"""Device and sizes of the suites; ratios under pytest-benchmark's table; results as JSON."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.events import EventClock
from benchmarks.sheet import RESULTS, Row, conditions, merge, row
from benchmarks.sizes import SIZES, Sizes

# As in the command line: threads that spin while they wait take the time of others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
LINES = pytest.StashKey[dict[str, list[str]]]()
ROWS = pytest.StashKey[list[Row]]()
# Scripts, and what belongs to one of them.
collect_ignore = ["tinyclip", "train_tiny.py", "gpu_session.py", "tables.py"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suites."""
    group = parser.getgroup("fsarbench")
    group.addoption("--device", default="cpu", help="cpu, or cuda, timed by its events")
    group.addoption("--sizes", default="small", choices=SIZES, help="how large things are")
    group.addoption("--compiled", action="store_true", help="compiled blocks too: minutes more")
    group.addoption(
        "--results", nargs="?", const=RESULTS, type=Path, help="write DEVICE.json into this folder"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Use GPU events as timer on a GPU, because kernels run asynchronously."""
    if config.getoption("--device").startswith("cuda"):
        clock = EventClock()
        for item in items:
            item.add_marker(pytest.mark.benchmark(timer=clock))


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> torch.device:
    """Device of all measurements."""
    return torch.device(request.config.getoption("--device"))


@pytest.fixture(scope="session")
def sizes(request: pytest.FixtureRequest) -> Sizes:
    """Sizes of all measurements; minimal if benchmarks are disabled."""
    chosen = SIZES[request.config.getoption("--sizes")]
    off = request.config.getoption("benchmark_disable")
    return replace(chosen, frames=2, images=1) if off else chosen


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """Number of rounds of a comparison; one if benchmarks are disabled."""
    off = request.config.getoption("benchmark_disable")
    return lambda wanted: 1 if off else wanted


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Collect a line for the end of the run."""
    lines = request.config.stash.setdefault(LINES, {})
    return lines.setdefault(request.path.stem, []).append


@pytest.fixture
def record(
    request: pytest.FixtureRequest,
) -> Callable[[str, str, list[float], dict[str, Any]], None]:
    """Collect a measurement that a test made itself: group, name, seconds and further values."""

    def add(group: str, name: str, seconds: list[float], extra: dict[str, Any]) -> None:
        low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
        stats = SimpleNamespace(
            min=min(seconds), median=median, max=max(seconds), iqr=high - low, rounds=len(seconds)
        )
        rounded = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in extra.items()}
        own = row(request.path.stem, name, stats, rounded, group)
        request.config.stash.setdefault(ROWS, []).append(own)

    return add


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect the measurements of a test for the results."""
    measured = "benchmark" in request.fixturenames and request.getfixturevalue("benchmark")
    yield
    if measured and measured.stats is not None:
        own = row(
            request.path.stem,
            request.node.name,
            measured.stats.stats,
            measured.extra_info,
            measured.group,
        )
        request.config.stash.setdefault(ROWS, []).append(own)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines and write the results."""
    config = terminalreporter.config
    # Where each thing runs once, nothing is measured.
    lines = {} if config.getoption("benchmark_disable") else config.stash.get(LINES, {})
    if lines:
        terminalreporter.section("against the forms that the field uses, in this run")
    for line in (line for suite in lines.values() for line in suite):
        terminalreporter.write_line(line)
    folder, rows = config.getoption("--results"), config.stash.get(ROWS, [])
    if folder and (rows or lines):
        device = torch.device(config.getoption("--device"))
        how = conditions(device, config.getoption("--sizes"))
        merge(folder / f"{device.type}.json", rows, lines, how)
