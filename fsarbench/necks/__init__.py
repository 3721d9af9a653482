"""Necks: per-video modules between the backbone and the prototype builder.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.necks.alpha_distance import AlphaDistance as AlphaDistance
    from fsarbench.necks.class_tokens import ClassTokens as ClassTokens
    from fsarbench.necks.frame_attention import FrameAttention as FrameAttention
    from fsarbench.necks.frame_mixer import FrameMixer as FrameMixer
    from fsarbench.necks.frame_motion import FrameMotion as FrameMotion
    from fsarbench.necks.frames import Frames as Frames
    from fsarbench.necks.ladder_side_network import LadderSideNetwork as LadderSideNetwork
    from fsarbench.necks.long_short import LongShort as LongShort
    from fsarbench.necks.motion_differences import MotionDifferences as MotionDifferences
    from fsarbench.necks.patch_attention import PatchAttention as PatchAttention
    from fsarbench.necks.patch_enrichment import PatchEnrichment as PatchEnrichment
    from fsarbench.necks.patch_levels import PatchLevels as PatchLevels
    from fsarbench.necks.temporal_transformer import TemporalTransformer as TemporalTransformer

# The module of each class; the registry finds components here.
COMPONENTS = {
    "AlphaDistance": "alpha_distance",
    "ClassTokens": "class_tokens",
    "FrameAttention": "frame_attention",
    "FrameMixer": "frame_mixer",
    "FrameMotion": "frame_motion",
    "Frames": "frames",
    "LadderSideNetwork": "ladder_side_network",
    "LongShort": "long_short",
    "MotionDifferences": "motion_differences",
    "PatchAttention": "patch_attention",
    "PatchEnrichment": "patch_enrichment",
    "PatchLevels": "patch_levels",
    "TemporalTransformer": "temporal_transformer",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
