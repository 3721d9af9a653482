"""Reference page of the command line, generated from the commands."""

from collections.abc import Iterator
from typing import Any

import typer
from markdown import code, page, prose, table

from fsarbench.cli.app import app

GUIDE = (
    "A verb ends with exit status 0, or with 2 and one message after an error that the user can "
    "fix; `fsarbench data check` ends with 1 if a video is bad, `fsarbench verify` if a result is. "
    "Tables go to standard output, progress and messages to standard error."
)


def files() -> Iterator[tuple[str, str]]:
    """File name and text of the page."""
    yield (
        "cli.md",
        page("Command line", [GUIDE, ""], *verbs(typer.main.get_command(app), "fsarbench")),
    )


def verbs(command: Any, name: str) -> Iterator[Iterator[str]]:
    """One section for every verb, including those of groups."""
    for key, verb in command.commands.items():
        if hasattr(verb, "commands"):
            yield from verbs(verb, f"{name} {key}")
        else:
            yield section(verb, f"{name} {key}")


def section(verb: Any, name: str) -> Iterator[str]:
    """Description, usage and options of a verb."""
    yield from [f"## {name}", "", prose(verb.help or ""), ""]
    arguments = [p for p in verb.params if p.param_type_name == "argument"]
    options = [p for p in verb.params if p.param_type_name == "option"]
    yield from code("text", " ".join([name, "[OPTIONS]", *(shown(a) for a in arguments)]))
    rows = [(f"`{shown(p)}`", described(p)) for p in [*arguments, *options]]
    yield from table(("", "meaning"), rows) if rows else []


def shown(parameter: Any) -> str:
    """An argument in capitals, in brackets if optional; an option with its value."""
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return name if parameter.required else f"[{name}]"
    value = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
    return ", ".join(parameter.opts) + value


def described(parameter: Any) -> str:
    """Help text of a parameter, with its default unless that is trivial."""
    default = parameter.default
    plain = default not in (None, False, True, ()) and not callable(default)
    more = f" Default: `{default}`." if plain and parameter.param_type_name == "option" else ""
    return prose(parameter.help or "") + more
