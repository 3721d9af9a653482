"""Video readers; importing the package registers them."""

from fsarbench.data.readers import (
    decord_reader,
    frames_reader,
    pyav_reader,
    store_reader,
    torchcodec_reader,
)

__all__ = ["decord_reader", "frames_reader", "pyav_reader", "store_reader", "torchcodec_reader"]
