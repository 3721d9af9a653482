"""The combinations of `--grid`."""

import itertools
import re
from collections.abc import Mapping, Sequence

from fsarbench.config.loading import LoadedConfig
from fsarbench.errors import UserError, nearest
from fsarbench.results.config_diff import flatten

PLACE = re.compile(r"\{([^{}]*)\}")
CONFIG = "config"


def row_name(pattern: str | None, loaded: LoadedConfig, axes: Sequence[str]) -> str:
    """The name of a combination.

    Args:
        pattern: Text with places such as `{matcher.type}` and `{config}`; None lists the axes.
        loaded: The combination's config.
        axes: What the grid sets in it, `key=value`; they follow a pattern without places.

    Raises:
        UserError: A place names no key of the config.
    """
    if pattern is not None and PLACE.search(pattern):
        return filled(pattern, {CONFIG: loaded.name, **_words(flatten(loaded.text()))})
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


OPENS, CLOSES = "([{", ")]}"


def combinations(axes: Sequence[str]) -> list[tuple[str, ...]]:
    """Every combination of the axes, the last one changing fastest; one without any for no axes.

    Args:
        axes: Texts `key=value,value,...`.

    Raises:
        UserError: An axis has no values, one twice, or its key comes twice.

    Example:
        >>> combinations(["a=1,2", "b=[3, 4],[]"])[:3]
        [('a=1', 'b=[3, 4]'), ('a=1', 'b=[]'), ('a=2', 'b=[3, 4]')]
    """
    parsed = dict(axis(text) for text in axes)
    if len(parsed) < len(axes):
        raise UserError("--grid: one key comes twice; give all its values in one --grid.")
    choices = [[f"{key}={value}" for value in values] for key, values in parsed.items()]
    return list(itertools.product(*choices))


def axis(text: str) -> tuple[str, list[str]]:
    """The key and the values of one axis.

    Raises:
        UserError: It has no values, or one twice.
    """
    key, sign, given = text.partition("=")
    values = split(given)
    if not (key.strip() and sign and all(values)) or len(set(values)) < len(values):
        raise UserError(
            f"--grid '{text}' is no 'key=value,value,...' with different values, such as "
            "--grid matcher.type=OTAM,BiMHM."
        )
    return key.strip(), values


def split(text: str) -> list[str]:
    """Parts between commas; a comma inside brackets divides nothing.

    Example:
        >>> split("[1, 2],3, OTAM")
        ['[1, 2]', '3', 'OTAM']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in OPENS) - (letter in CLOSES)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]
