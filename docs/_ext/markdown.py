"""Small pieces of Markdown that the generated pages are made of."""

import re
from collections.abc import Iterable, Sequence

CODE = re.compile(r"(`[^`]*`)")


def prose(text: str) -> str:
    """Text that is no Markdown, such as a card's: nothing in it is taken for markup."""
    pieces = CODE.split(text)
    return "".join(p if p.startswith("`") else re.sub(r"([*_<\[\]\\])", r"\\\1", p) for p in pieces)


def cell(text: str) -> str:
    """A cell of a table: one line, without bars."""
    return " ".join(text.split()).replace("|", r"\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, with an empty line behind it."""
    lines = [header, ["---"] * len(header), *rows]
    return [*(f"| {' | '.join(map(cell, line))} |" for line in lines), ""]


def code(language: str, text: str) -> list[str]:
    """A fenced block."""
    return [f"```{language}", text.strip("\n"), "```", ""]


def literal(text: object) -> str:
    """A value as code."""
    return f"`{text}`"


def page(title: str, *blocks: Iterable[str]) -> str:
    """A whole page."""
    return "\n".join([f"# {title}", "", *(line for block in blocks for line in block)])


def contents(names: Iterable[str], depth: int = 1) -> list[str]:
    """The pages below this one."""
    return ["```{toctree}", f":maxdepth: {depth}", "", *names, "```", ""]
