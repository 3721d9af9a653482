"""The combinations of `--grid`."""

import itertools
from collections.abc import Sequence

from fsarbench.errors import UserError

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
