"""Combinations of the axes of `--grid`, and the names of their rows."""

import itertools
import re
from collections.abc import Mapping, Sequence

from fsarbench.config.loading import LoadedConfig
from fsarbench.errors import UserError, nearest
from fsarbench.results.config_diff import flatten

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
CONFIG = "config"


def row_name(pattern: str | None, loaded: LoadedConfig, axes: Sequence[str]) -> str:
    """Name of the row for one combination.

    Args:
        pattern: Text with placeholders such as `{matcher.type}` and `{config}`. The values of the
            axes are appended to a pattern without placeholders, and to the config name for None.
        loaded: Config of the combination.
        axes: Values of the grid for this combination, `key=value`.

    Raises:
        UserError: A placeholder is not a key of the config.
    """
    if pattern is not None and PLACEHOLDER.search(pattern):
        return fill_pattern(pattern, {CONFIG: loaded.name, **_unquoted(flatten(loaded.text()))})
    suffix = ", ".join(axis.replace(".type=", "=", 1) for axis in axes)
    return f"{pattern or loaded.name}{': ' if suffix else ''}{suffix}"


def fill_pattern(pattern: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a pattern by values.

    Example:
        >>> fill_pattern("{config} + {matcher.type}", {"config": "frozen", "matcher.type": "OTAM"})
        'frozen + OTAM'
    """

    def value(placeholder: re.Match[str]) -> str:
        key = placeholder[1]
        if key not in values:
            raise UserError(
                f"--name {pattern}: no key '{key}' in the config.{nearest(key, values)}"
            )
        return values[key]

    return PLACEHOLDER.sub(value, pattern)


def _unquoted(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value.strip("'\"") for key, value in values.items()}


OPENING, CLOSING = "([{", ")]}"


def combinations(axes: Sequence[str]) -> list[tuple[str, ...]]:
    """All combinations of the axes, the last axis changing fastest; a single empty one for no axes.

    Args:
        axes: Texts `key=value,value,...`.

    Raises:
        UserError: An axis has no values or a repeated value, or two axes have the same key.

    Example:
        >>> combinations(["a=1,2", "b=[3, 4],[]"])[:3]
        [('a=1', 'b=[3, 4]'), ('a=1', 'b=[]'), ('a=2', 'b=[3, 4]')]
    """
    parsed = dict(parse_axis(text) for text in axes)
    if len(parsed) < len(axes):
        raise UserError("--grid: a key is given twice. Give all values of a key in one --grid.")
    choices = [[f"{key}={value}" for value in values] for key, values in parsed.items()]
    return list(itertools.product(*choices))


def parse_axis(text: str) -> tuple[str, list[str]]:
    """Key and values of one axis.

    Raises:
        UserError: The axis has no values or a repeated value.
    """
    key, sign, listed = text.partition("=")
    values = split_values(listed)
    if not (key.strip() and sign and all(values)) or len(set(values)) < len(values):
        raise UserError(
            f"--grid '{text}': expected key=value,value,... with different values, such as "
            "--grid matcher.type=OTAM,BiMHM."
        )
    return key.strip(), values


def split_values(text: str) -> list[str]:
    """Split a text at commas outside of brackets.

    Example:
        >>> split_values("[1, 2],3, OTAM")
        ['[1, 2]', '3', 'OTAM']
    """
    values, depth = [""], 0
    for letter in text:
        depth += (letter in OPENING) - (letter in CLOSING)
        if letter == "," and depth == 0:
            values.append("")
        else:
            values[-1] += letter
    return [value.strip() for value in values]
