"""The command line is a thin layer over functions with keyword arguments."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from fsarbench.cli.app import app

PACKAGE = Path(__file__).parents[2] / "fsarbench"
LONGEST = 40


def verbs(group: typer.Typer, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Name and lines of every verb, those of the groups included."""
    for command in group.registered_commands:
        assert command.callback is not None
        name = f"{prefix}{command.name or command.callback.__name__}"
        yield name, len(inspect.getsourcelines(command.callback)[0])
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from verbs(inner.typer_instance, f"{prefix}{inner.name} ")


LINES = dict(verbs(app))


def test_all_verbs_are_found() -> None:
    assert {"run", "eval", "compare", "data import"} <= LINES.keys()


@pytest.mark.parametrize("verb", LINES)
def test_a_verb_is_short(verb: str) -> None:
    assert LINES[verb] <= LONGEST, "move what it does below the command line"


def test_functions_take_keyword_arguments_and_no_options_object() -> None:
    classes = [
        f"{file.relative_to(PACKAGE)}: {node.name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name == "Options"
    ]
    assert not classes
