"""Pages that are generated from the code during the build, in `generated/`."""

from collections.abc import Iterator
from pathlib import Path

import cli_page
import part_pages
from markdown import contents, page
from python_pages import Pages, load
from sphinx.application import Sphinx

MEASURED = (
    "Results of runs of this repository, and their cost. Each page lists the commands that "
    "produced them."
)


def pages(docs: Path) -> Iterator[tuple[str, str]]:
    """Pairs of file name and text of all generated pages."""
    measured = [*docs.glob("performance*.md"), *docs.glob("results/*.md")]
    names = sorted(f"../{file.relative_to(docs).with_suffix('')}" for file in measured)
    yield "measured.md", page("Measured", [MEASURED, ""], contents(names))
    python = Pages(load())
    yield from python.files()
    yield from part_pages.files(python)
    yield from cli_page.files()


def write(app: Sphinx) -> None:
    """Write changed pages and remove obsolete ones, so that a second build is fast."""
    folder = Path(app.srcdir) / "generated"
    texts = {folder / name: text for name, text in pages(Path(app.srcdir))}
    for file in set(folder.rglob("*.md")) - set(texts):
        file.unlink()
    for file, text in texts.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register `write`, which runs before the sources are read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
