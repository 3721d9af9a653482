"""Reading of JSON files that may come from another person."""

import json
import math
from typing import Any, NoReturn

from fsarbench.results.faults import FaultError

LARGEST = 2**63 - 1


def parse_json(content: bytes | str, file: object) -> Any:
    """Content of a JSON file with finite numbers only and no key twice.

    Args:
        content: Text of the file, UTF-8.
        file: File, for the message.

    Raises:
        FaultError: The text is no JSON, is nested too deeply, has a number that is NaN, infinite or
            of more than 64 bits, or has a key twice in one object.

    Example:
        >>> parse_json('{"shot": 1}', "result.json")
        {'shot': 1}
    """

    def not_finite(text: str) -> NoReturn:
        raise FaultError(file, "", "finite numbers of at most 64 bits", text)

    def number(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else not_finite(text)

    def integer(text: str) -> int:
        value = int(text)
        return value if abs(value) <= LARGEST else not_finite(text)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise FaultError(file, twice, "the key once", "it twice")
        return values

    try:
        return json.loads(
            content,
            parse_constant=not_finite,
            parse_float=number,
            parse_int=integer,
            object_pairs_hook=unique,
        )
    except FaultError:
        raise
    except (ValueError, RecursionError) as error:
        raise FaultError(file, "", "a JSON text", error) from None
