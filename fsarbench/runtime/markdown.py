"""Tables and escaped texts of Markdown."""

from collections.abc import Sequence


def markdown_table(
    headers: Sequence[str], aligned: Sequence[str], rows: Sequence[Sequence[str]]
) -> str:
    """Markdown table of escaped cells; `aligned` holds `---` or `---:` for each column."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (headers, aligned, *rows))


def markdown_text(text: str) -> str:
    """Escape a text for Markdown."""
    # A bar or a line break would end the cell; brackets would make links, and stars emphasis.
    escaped = "".join(f"\\{letter}" if letter in "\\`|[]*_<" else letter for letter in text)
    return " ".join(escaped.splitlines())
