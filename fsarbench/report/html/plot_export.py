"""From plots to files, and to drawings inside a page."""

import io
import re
import unicodedata
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.report.html.plot_style import INK, styled
from fsarbench.report.html.plots import Plot
from fsarbench.runtime.atomic_files import write_bytes


def slug(text: str) -> str:
    """Letters, digits and bars only, the same every time.

    Texts that differ in more than the case of letters get different names.

    Example:
        >>> slug("MA-FSAR"), slug("MA FSAR")
        ('ma-fsar', 'ma_fsar-e49e')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    kept = re.sub(r"[^a-z0-9-]+", "_", plain).strip("_")[:60]
    # What was lost is told apart by a few digits of the whole.
    return kept if kept == text.lower() else f"{kept}-{zlib.crc32(text.encode()) & 0xFFFF:04x}"


FORMATS = ("svg", "pdf", "png")
# Without dates, so that equal runs give equal files.
UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


def inline_svg(plot: Plot) -> str:
    """A drawing to be put into HTML: it takes the page's text colour, and its text is text."""
    text = _drawn(plot, "svg", INK).decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(INK, "currentColor")
    return _sizeless(_own_names(text, plot.name))


def write_figures(plots: Sequence[Plot], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Writes every plot in every format; black on nothing, at the width of a paper's column.

    Raises:
        UserError: There is no such format.
    """
    wrong = [name for name in formats if name not in FORMATS]
    if wrong or not formats:
        raise UserError(f"--format {','.join(wrong)}: choose of {', '.join(FORMATS)}.")
    written = []
    for plot in plots:
        for kind in formats:
            written.append(folder / f"{plot.name}.{kind}")
            write_bytes(written[-1], _drawn(plot, kind, "#000000"))
    return written


def _drawn(plot: Plot, kind: str, ink: str) -> bytes:
    out = io.BytesIO()
    with styled(ink), _any_letters():
        plot.draw().savefig(out, format=kind, dpi=300, metadata=UNDATED[kind])
    return out.getvalue()


@contextmanager
def _any_letters() -> Iterator[None]:
    # Class names may hold letters that matplotlib's own font lacks. On a page the reader's fonts
    # have them; in a PDF there is a box, which is to be seen and no reason to fail.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def _sizeless(text: str) -> str:
    # The page sets the width; the height follows from the view box.
    head, rest = text[: text.index(">")], text[text.index(">") :]
    return re.sub(r' (?:width|height)="[\d.]+pt"', "", head) + rest


def _own_names(text: str, name: str) -> str:
    """Keeps only the ids that something refers to, under names of this plot's own."""
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    known = {one or other for one, other in used}

    def renamed(found: re.Match[str]) -> str:
        return f' id="{name}-{found[1]}"' if found[1] in known else ""

    text = re.sub(r' id="([^"]+)"', renamed, text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    return re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
