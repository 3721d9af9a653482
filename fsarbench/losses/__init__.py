"""Training losses over an episode; importing this package registers every loss."""

from fsarbench.losses import (
    episode_cross_entropy,
    frame_classifier,
    video_text_contrast,
    video_text_kl,
)

__all__ = ["episode_cross_entropy", "frame_classifier", "video_text_contrast", "video_text_kl"]
