"""Training losses of an episode.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.losses.consistency import Consistency as Consistency
    from fsarbench.losses.episode_cross_entropy import EpisodeCrossEntropy as EpisodeCrossEntropy
    from fsarbench.losses.frame_classifier import FrameClassifier as FrameClassifier
    from fsarbench.losses.guided_classifier import GuidedClassifier as GuidedClassifier
    from fsarbench.losses.long_short_contrast import LongShortContrast as LongShortContrast
    from fsarbench.losses.reconstruction import Reconstruction as Reconstruction
    from fsarbench.losses.temporal_coherence import TemporalCoherence as TemporalCoherence
    from fsarbench.losses.video_classifier import VideoClassifier as VideoClassifier
    from fsarbench.losses.video_text_contrast import VideoTextContrast as VideoTextContrast
    from fsarbench.losses.video_text_kl import VideoTextKL as VideoTextKL

# The module of each class; the registry finds components here.
COMPONENTS = {
    "Consistency": "consistency",
    "EpisodeCrossEntropy": "episode_cross_entropy",
    "FrameClassifier": "frame_classifier",
    "GuidedClassifier": "guided_classifier",
    "LongShortContrast": "long_short_contrast",
    "Reconstruction": "reconstruction",
    "TemporalCoherence": "temporal_coherence",
    "VideoClassifier": "video_classifier",
    "VideoTextContrast": "video_text_contrast",
    "VideoTextKL": "video_text_kl",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
