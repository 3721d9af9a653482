"""A fault of a result file: the file, the field, what was expected and what was found."""

from collections.abc import Sequence

from fsarbench.errors import UserError

LONGEST = 200


class FaultError(UserError):
    """Fault of one file of a result; it is raised, or collected with other faults.

    Args:
        file: File, or folder, with the fault.
        field: Field inside the file; empty for the file as a whole.
        expected: Expected value in words.
        found: Value that was found, or its description.

    Example:
        >>> print(FaultError("result.json", "conditions.shot", "1", 5))
        result.json: conditions.shot: expected 1, found 5
    """

    def __init__(self, file: object, field: str, expected: object, found: object) -> None:
        self.file = str(file)
        self.field = field
        self.expected = shortened(expected)
        self.found = shortened(found)
        place = f"{self.file}: {field}" if field else self.file
        super().__init__(f"{place}: expected {self.expected}, found {self.found}")


def shortened(value: object) -> str:
    r"""Printable text of a value from a file of another person, without line breaks.

    Example:
        >>> shortened("a" * 300)[-5:], shortened(True)
        ('aa...', 'True')
        >>> print(shortened("two\nlines"))
        two\nlines
    """
    try:
        text = str(value)
    except ValueError:  # an integer of more than 4,300 digits
        text = "a number of too many digits"
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def faults_text(faults: Sequence[UserError]) -> str:
    """One line per fault, without repetitions."""
    return "\n".join(dict.fromkeys(str(fault) for fault in faults))
