"""What the rows of a sweep are called, and the folders of their runs."""

import re
from collections.abc import Mapping, Sequence

from fsarbench.config.loading import Loaded
from fsarbench.errors import UserError, nearest
from fsarbench.results.config_diff import flat

PLACE = re.compile(r"\{([^{}]*)\}")
CONFIG = "config"


def row_name(pattern: str | None, loaded: Loaded, axes: Sequence[str]) -> str:
    """The name of a combination.

    Args:
        pattern: Text with places such as `{matcher.type}` and `{config}`; None lists the axes.
        loaded: The combination's config.
        axes: What the grid sets in it, `key=value`; they follow a pattern without places.

    Raises:
        UserError: A place names no key of the config.
    """
    if pattern is not None and PLACE.search(pattern):
        return filled(pattern, {CONFIG: loaded.name, **_words(flat(loaded.text()))})
    said = ", ".join(axis.replace(".type=", "=", 1) for axis in axes)
    return f"{pattern or loaded.name}{': ' if said else ''}{said}"


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """A pattern with its places filled.

    Example:
        >>> filled("{config} + {matcher.type}", {"config": "frozen", "matcher.type": "OTAM"})
        'frozen + OTAM'
    """

    def value(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise UserError(
                f"--name {pattern}: no key '{place[1]}' in the config.{nearest(place[1], values)}"
            )
        return values[place[1]]

    return PLACE.sub(value, pattern)


def folder_name(name: str) -> str:
    """A name as one that any file system takes.

    Example:
        >>> folder_name("MA-FSAR: matcher=OTAM")
        'MA-FSAR_matcher=OTAM'
    """
    return re.sub(r"[^\w.+=-]+", "_", name).strip("._")


def _words(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value.strip("'\"") for key, value in values.items()}
