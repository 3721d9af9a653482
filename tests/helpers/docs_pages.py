"""The blocks of a page of the documentation, and what its marks say of them.

A fenced block is one of these; what a mark in an HTML comment above it says comes first:

- a file: its first line is `# NAME`, or the mark is `file NAME`;
- `bash`: commands, run line by line; marked `fails`, the last ends with exit status 2;
- `text`: what the commands before printed, `...` standing for anything; marked `example`, numbers
  of a real run, which the tests cannot afford;
- `python`: run as it is;
- marked `skip, REASON`: not run, since a machine may lack what it needs.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?:^<!-- test: (?P<mark>[^\n]*) -->\n)?^```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NAMED = re.compile(r"# (\S+\.(?:py|toml))\n")
BOXES = re.compile(r"[│┃┏┓┗┛┡┩├┤└┘┌┐━─┳┻╇┴┬┼╭╮╰╯]+")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: What stands behind the fence.
        text: What stands inside.
        mark: What the comment above says.
        line: Of the page.
    """

    language: str
    text: str
    mark: str
    line: int

    @property
    def file(self) -> str | None:
        """The name of the file that the block is."""
        if self.mark.startswith("file "):
            return self.mark.removeprefix("file ")
        found = NAMED.match(self.text)
        return found[1] if found else None

    @property
    def directive(self) -> bool:
        """Whether it is no example but the site's own, such as a list of pages."""
        return self.language.startswith("{")

    @property
    def skipped(self) -> bool:
        """Whether it says why it is not run."""
        return self.mark.startswith("skip, ")

    def commands(self) -> list[str]:
        """The lines of a shell, those that end in a backslash put together."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in joined.splitlines() if line.strip() and line[0] != "#"]


def blocks(page: Path) -> list[Block]:
    """All blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(m["language"], m["text"], m["mark"] or "", text.count("\n", 0, m.start()) + 1)
        for m in FENCE.finditer(text)
    ]


def pages() -> list[Path]:
    """README and the site's pages, save those made from the code and from runs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def plain(text: str) -> str:
    """Printed text without the lines of tables, and with single spaces."""
    return " ".join(BOXES.sub(" ", text).split())


def printed(expected: str, output: str) -> bool:
    """Whether a line, in which `...` stands for anything, was printed."""
    pieces = (re.escape(plain(piece)) for piece in expected.split("..."))
    return re.search(".*".join(pieces), plain(output)) is not None
