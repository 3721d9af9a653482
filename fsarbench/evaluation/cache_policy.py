"""Whether test videos can be encoded once for all episodes; proven from the parts, not assumed."""

from dataclasses import dataclass

from fsarbench.data.clips import ClipSettings
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.settings import Cache


@dataclass(frozen=True)
class CachePolicy:
    """How episodes are tested.

    Attributes:
        cached: Each video is encoded once a role, and episodes are matched on cached features.
        why: The reason, for people.
    """

    cached: bool
    why: str


def choose_cache_policy(model: FewShotModel, clips: ClipSettings, cache: Cache) -> CachePolicy:
    """The route that the parts allow and the settings want.

    A video's feature depends on nothing but the video, its role and its own class exactly if its
    clip is the same in every episode and no part of the backbone looks at other videos.

    Raises:
        UserError: `cache` is True and the parts forbid it.
    """
    against = _against(model, clips)
    if cache is True and against:
        raise UserError(f"evaluate.cache is True, but {against}: set it to 'auto' or False.")
    if cache is False:
        return CachePolicy(False, "evaluate.cache is False")
    if against:
        return CachePolicy(False, against)
    return CachePolicy(True, "test clips are deterministic and videos are encoded on their own")


def _against(model: FewShotModel, clips: ClipSettings) -> str:
    joint = [type(m).__name__ for m in model.backbone.modules() if getattr(m, "joint", False)]
    if joint:
        # The backbone comes first and says so too; the last is the part that does it.
        return f"{joint[-1]} attends across the videos of an episode"
    if clips.stochastic:
        return f"clips.sampling='{clips.sampling}' draws another test clip for every episode"
    return ""


def backbone_reads_text(model: FewShotModel) -> bool:
    """Whether support features depend on text, so that support and query are two roles."""
    if model.text_encoder is None:
        return False
    return any(getattr(module, "uses_text", False) for module in model.backbone.modules())
