"""Text encoders: text features of class names.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.text_encoders.openclip_text import OpenClipText as OpenClipText
    from fsarbench.text_encoders.ordered_text import OrderedText as OrderedText
    from fsarbench.text_encoders.precomputed_text import PrecomputedText as PrecomputedText

# The module of each class; the registry finds components here.
COMPONENTS = {
    "OpenClipText": "openclip_text",
    "OrderedText": "ordered_text",
    "PrecomputedText": "precomputed_text",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
