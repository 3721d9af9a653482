"""Readouts: class scores of a test episode from a model's output.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.readouts.arithmetic_fusion import ArithmeticFusion as ArithmeticFusion
    from fsarbench.readouts.geometric_fusion import GeometricFusion as GeometricFusion
    from fsarbench.readouts.match_only import MatchOnly as MatchOnly
    from fsarbench.readouts.text_only import TextOnly as TextOnly

# The module of each class; the registry finds components here.
COMPONENTS = {
    "ArithmeticFusion": "arithmetic_fusion",
    "GeometricFusion": "geometric_fusion",
    "MatchOnly": "match_only",
    "TextOnly": "text_only",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
