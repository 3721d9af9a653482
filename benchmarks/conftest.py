"""Ratios are printed under pytest-benchmark's table."""

from collections.abc import Callable

import pytest

ROWS = pytest.StashKey[list[str]]()


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a line for the end of the run."""
    return request.config.stash.setdefault(ROWS, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the lines."""
    rows = terminalreporter.config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("against the forms that the field uses, in this run")
    for row in rows:
        terminalreporter.write_line(row)
