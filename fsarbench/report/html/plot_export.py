"""Export of plots as files and as SVG inside a page."""

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
    """Name for files and HTML ids: lower-case letters, digits, `-` and `_` only.

    Texts that differ in more than case have different names.

    Example:
        >>> slug("MA-FSAR"), slug("MA FSAR")
        ('ma-fsar', 'ma_fsar-e49e')
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9-]+", "_", ascii_text).strip("_")[:60]
    # If characters were lost, a checksum of the text makes the name unique.
    return name if name == text.lower() else f"{name}-{zlib.crc32(text.encode()) & 0xFFFF:04x}"


FORMATS = ("svg", "pdf", "png")
# Metadata without dates, so that equal runs give equal files.
METADATA = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


def inline_svg(plot: Plot) -> str:
    """SVG of a plot for HTML, with the text colour of the page and real text."""
    text = _render(plot, "svg", INK).decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(INK, "currentColor")
    return _without_size(_with_unique_ids(text, plot.name))


def write_figures(plots: Sequence[Plot], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write every plot in every format: black, transparent, with the width of a paper's column.

    Raises:
        UserError: A format is unknown.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise UserError(f"--format {','.join(unknown)}: expected one of {', '.join(FORMATS)}.")
    files = []
    for plot in plots:
        for format_ in formats:
            files.append(folder / f"{plot.name}.{format_}")
            write_bytes(files[-1], _render(plot, format_, "#000000"))
    return files


def _render(plot: Plot, format_: str, ink: str) -> bytes:
    content = io.BytesIO()
    with styled(ink), _without_glyph_warnings():
        plot.draw().savefig(content, format=format_, dpi=300, metadata=METADATA[format_])
    return content.getvalue()


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    # Class names may have characters that are not in matplotlib's font. In a browser, other fonts
    # have them; in a PDF they are shown as boxes.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def _without_size(text: str) -> str:
    # The page sets the width; the view box defines the height.
    head, rest = text[: text.index(">")], text[text.index(">") :]
    return re.sub(r' (?:width|height)="[\d.]+pt"', "", head) + rest


def _with_unique_ids(text: str, name: str) -> str:
    """Remove ids without a reference, and prefix the others with the name of the plot."""
    references = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    used = {url or href for url, href in references}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{name}-{match[1]}"' if match[1] in used else ""

    text = re.sub(r' id="([^"]+)"', renamed, text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    return re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
