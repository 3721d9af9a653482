"""Where finished parts of a test are kept, so that a test that was stopped can go on."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsarbench.data.data_module import Bench
from fsarbench.data.identity import stamp_of
from fsarbench.engine.facts import facts_of
from fsarbench.evaluation.disk_cache import Store, digest
from fsarbench.model import FewShotModel
from fsarbench.video import Split, Video, VideoReader

# The slots of a config that the features of a video come from.
ENCODERS = ("backbone", "adapter", "reader")


@dataclass(frozen=True)
class Keep:
    """Folders of finished parts, and the config that they came from.

    Attributes:
        features: Of encoded videos; may be shared by runs, since it tells them apart.
        scores: Of episodes that were encoded anew.
        config: The values of the config.
    """

    features: Path
    scores: Path
    config: Mapping[str, Any]

    def feature_store(self, model: FewShotModel, bench: Bench) -> Store:
        """The store of what this backbone makes of videos; the parts after it do not matter."""
        encoders = {slot: self.config.get(slot) for slot in ENCODERS}
        return Store(self.features, facts_of(model.backbone, bench, _text(encoders)))

    def score_store(self, model: FewShotModel, bench: Bench, split: Split) -> Store | None:
        """The store of what this model makes of episodes; None where videos cannot be told apart.

        Each row depends on the whole model and, for simplicity, on all videos of the split.
        """
        names = [video_name(video, bench.reader) for video in split.videos]
        if None in names:
            return None
        facts = facts_of(model, bench, _text(self.config))
        return Store(self.scores, facts | {"videos": digest(*map(str, names))})


def video_name(video: Video, reader: VideoReader, text: bytes = b"") -> str | None:
    """What a video is known by, together with the text that it is encoded with.

    None where there is nothing that could be known again.
    """
    source = reader.source(video.path)
    try:
        return digest(os.path.abspath(source), stamp_of(source), text)
    except OSError:
        return None


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, default=str)
