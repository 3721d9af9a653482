"""Markdown building blocks of the generated pages."""

import re
from collections.abc import Iterable, Sequence

CODE = re.compile(r"(`[^`]*`)")


def prose(text: str) -> str:
    """Escape plain text, such as a card's, so that nothing in it is read as markup."""
    pieces = CODE.split(text)
    return "".join(p if p.startswith("`") else re.sub(r"([*_<\[\]\\])", r"\\\1", p) for p in pieces)


def cell(text: str) -> str:
    """Table cell: one line, with escaped bars."""
    return " ".join(text.split()).replace("|", r"\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Table, followed by an empty line."""
    lines = [header, ["---"] * len(header), *rows]
    return [*(f"| {' | '.join(map(cell, line))} |" for line in lines), ""]


def code(language: str, text: str) -> list[str]:
    """Fenced code block."""
    return [f"```{language}", text.strip("\n"), "```", ""]


def literal(text: object) -> str:
    """Value as inline code."""
    return f"`{text}`"


def page(title: str, *blocks: Iterable[str]) -> str:
    """Page with a title."""
    return "\n".join([f"# {title}", "", *(line for block in blocks for line in block)])


def contents(names: Iterable[str], depth: int = 1) -> list[str]:
    """Table of contents of the pages below this one."""
    return ["```{toctree}", f":maxdepth: {depth}", "", *names, "```", ""]
