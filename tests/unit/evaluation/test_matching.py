"""Many episodes in one call: the same scores as one by one."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fsarbench.evaluation.episode_arrays import EpisodeArrays
from fsarbench.evaluation.feature_cache import Features
from fsarbench.evaluation.matching import match_episodes
from fsarbench.interfaces import Matcher, PrototypeBuilder
from fsarbench.matchers import OTAM, TRX, BiMHM
from fsarbench.model import FewShotModel
from fsarbench.prototypes import Mean, TextGuided
from fsarbench.readouts import MatchOnly
from fsarbench.runtime.progress import ProgressBar
from tests.helpers.toy_model import ToyBackbone

DIM, FRAMES, VIDEOS, CLASSES = 8, 4, 12, 3


class SecondFrames(OTAM):
    """A matcher whose `forward` changes the features before they are compared."""

    def forward(self, query: Tensor, prototypes: Tensor) -> Tensor:
        """Logits of every second frame."""
        return super().forward(query[:, ::2], prototypes[..., ::2, :])


def scores(builder: PrototypeBuilder, matcher: Matcher, shot: int, chunk: int) -> Tensor:
    model = FewShotModel(
        ToyBackbone(uses_text=False, joint=False), builder, matcher, MatchOnly()
    ).eval()
    generator = torch.Generator().manual_seed(0)
    features = {"frames": torch.randn(VIDEOS, FRAMES, DIM, generator=generator)}
    text = torch.randn(CLASSES, 1, DIM, generator=generator)
    draw = np.random.default_rng(0)
    arrays = EpisodeArrays(
        classes=draw.integers(0, CLASSES, (5, 2)),
        support=draw.integers(0, VIDEOS, (5, 2, shot)),
        query=draw.integers(0, VIDEOS, (5, 3)),
        labels=np.zeros((5, 3), dtype=np.int64),
    )
    with torch.no_grad():
        bar = ProgressBar("match", 5)
        return match_episodes(model, Features(features, features), arrays, text, chunk, bar)


@pytest.mark.parametrize("matcher", [OTAM(), BiMHM(), TRX(DIM, key_dim=8), SecondFrames()])
@pytest.mark.parametrize("builder", [Mean(), TextGuided(DIM, heads=2)])
@pytest.mark.parametrize("shot", [1, 3])
def test_chunks_equal_episodes_one_by_one(
    builder: PrototypeBuilder, matcher: Matcher, shot: int
) -> None:
    apart = scores(builder, matcher, shot, chunk=1)
    torch.testing.assert_close(scores(builder, matcher, shot, chunk=3), apart)
