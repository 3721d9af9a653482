"""Cache policy: whether test videos can be encoded once for all episodes."""

from dataclasses import dataclass

from fsarbench.data.clip_settings import ClipSettings
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.settings import Cache

GIVEN = "features were given"


@dataclass(frozen=True)
class CachePolicy:
    """Cached or uncached evaluation, with the reason.

    Attributes:
        cached: Whether each video is encoded once per role and episodes use the cached features.
        why: Human-readable reason.
    """

    cached: bool
    why: str


def choose_cache_policy(model: FewShotModel, clips: ClipSettings, cache: Cache) -> CachePolicy:
    """Choose cached or uncached evaluation from the model, the clips and the setting.

    Features that were computed before are not encoded. Others can be cached if the clip of a video
    is the same in every episode and no module of the backbone attends across videos. A feature then
    depends only on video, role and class.

    Raises:
        UserError: `cache` is True, but the model or the clips do not allow it.
    """
    obstacle = cache_obstacle(model, clips)
    if cache is True and obstacle:
        raise UserError(f"evaluate.cache is True, but {obstacle}: set it to 'auto' or False.")
    if cache is False:
        return CachePolicy(False, "evaluate.cache is False")
    if obstacle:
        return CachePolicy(False, obstacle)
    if model.backbone.takes_features:
        return CachePolicy(True, GIVEN)
    return CachePolicy(True, "test clips are deterministic and videos are encoded on their own")


def cache_obstacle(model: FewShotModel, clips: ClipSettings) -> str:
    """Why videos cannot be encoded once for all episodes; empty if they can."""
    joint = [type(m).__name__ for m in model.backbone.modules() if getattr(m, "joint", False)]
    if joint:
        # The backbone comes first, with the flag of its adapter; the last module is the adapter.
        return f"{joint[-1]} attends across the videos of an episode"
    if clips.stochastic:
        return f"clips.sampling='{clips.sampling}' draws another test clip for every episode"
    return ""


def encoder_reads_text(model: FewShotModel) -> bool:
    """Whether support features depend on text and therefore differ from query features."""
    if model.text_encoder is None:
        return False
    modules = [*model.backbone.modules(), *model.necks().values()]
    return any(getattr(module, "uses_text", False) for module in modules)
