"""The page as text: one file that needs no other, and no network."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fsarbench import __version__


def page(title: str, summary: str, sections: Sequence[Mapping[str, Any]]) -> str:
    """The whole page.

    Args:
        title: Its heading.
        summary: The sentence below it.
        sections: What `content` makes; keys that one lacks are empty.
    """
    template = _environment().get_template("report.html")
    known = [{**EMPTY, **section} for section in sections]
    return template.render(title=title, summary=summary, sections=known, version=__version__)


EMPTY: dict[str, Any] = dict.fromkeys(
    ("table", "remarks", "groups", "confusions", "unkept", "chosen", "viewer", "missing"), ()
)


def _environment() -> Environment:
    # Everything that is not marked as HTML is text: a class may be called <script>.
    loader = PackageLoader("fsarbench.report.html", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
