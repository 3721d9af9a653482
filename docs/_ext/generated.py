"""Pages that are made of the code when the site is built, into `generated/`."""

from collections.abc import Iterator
from pathlib import Path

import cli_page
import part_pages
from markdown import contents, page
from python_pages import Pages, load
from sphinx.application import Sphinx

MEASURED = (
    "What the runs of this repository gave, and what they cost. The commands that made them stand "
    "on each page."
)


def pages(docs: Path) -> Iterator[tuple[str, str]]:
    """All of them, as pairs of a file's name and its text."""
    found = [*docs.glob("performance*.md"), *docs.glob("results/*.md")]
    names = sorted(f"../{file.relative_to(docs).with_suffix('')}" for file in found)
    yield "measured.md", page("Measured", [MEASURED, ""], contents(names))
    python = Pages(load())
    yield from python.files()
    yield from part_pages.files(python)
    yield from cli_page.files()


def write(app: Sphinx) -> None:
    """Write what changed, and take away what is no more, so that a second build is short."""
    folder = Path(app.srcdir) / "generated"
    made = {folder / name: text for name, text in pages(Path(app.srcdir))}
    for file in set(folder.rglob("*.md")) - set(made):
        file.unlink()
    for file, text in made.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Before the sources are read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
