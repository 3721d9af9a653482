"""Data sets with a split by class.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.data.datasets.annotated import AnnotatedVideos as AnnotatedVideos
    from fsarbench.data.datasets.feature_folder import FeatureFolder as FeatureFolder
    from fsarbench.data.datasets.synthetic import Strokes as Strokes
    from fsarbench.data.datasets.synthetic import SynthAct as SynthAct
    from fsarbench.data.datasets.video_folder import VideoFolder as VideoFolder

# The module of each class; the registry finds components here.
COMPONENTS = {
    "AnnotatedVideos": "annotated",
    "FeatureFolder": "feature_folder",
    "Strokes": "synthetic",
    "SynthAct": "synthetic",
    "VideoFolder": "video_folder",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
