"""Reader for arrays of features."""

import numpy as np
from jaxtyping import Float32

from fsarbench.registry import READERS
from fsarbench.runtime.feature_files import feature_shape, read_features
from fsarbench.video import FeatureReader, Video


@READERS.register_module()
class ArrayReader(FeatureReader):
    """Reader for features in `.npy`, `.npz` and `.safetensors` files; the default of FeatureFolder.

    Values of any float or integer type become 32-bit floats.
    """

    def features(self, video: Video) -> Float32[np.ndarray, "S D"]:
        """Features of a video."""
        return read_features(video.path, video.row)

    def shape(self, video: Video) -> tuple[int, int]:
        """Number of steps S and width D of the features of a video, from the file's header."""
        return feature_shape(video.path, video.row)
