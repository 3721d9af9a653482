"""Video readers.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.data.readers.array_reader import ArrayReader as ArrayReader
    from fsarbench.data.readers.decord_reader import DecordReader as DecordReader
    from fsarbench.data.readers.frames_reader import FramesReader as FramesReader
    from fsarbench.data.readers.pyav_reader import PyAVReader as PyAVReader
    from fsarbench.data.readers.store_reader import StoreReader as StoreReader
    from fsarbench.data.readers.torchcodec_reader import TorchCodecReader as TorchCodecReader

# The module of each class; the registry finds components here.
COMPONENTS = {
    "ArrayReader": "array_reader",
    "DecordReader": "decord_reader",
    "FramesReader": "frames_reader",
    "PyAVReader": "pyav_reader",
    "StoreReader": "store_reader",
    "TorchCodecReader": "torchcodec_reader",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
