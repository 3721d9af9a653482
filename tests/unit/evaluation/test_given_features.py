"""Features that were computed elsewhere are tested as a model's own would be."""

import numpy as np
import pytest
import torch

from fsarbench.backbones import Precomputed
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.given_features import (
    evaluate_given,
    feature_tensor,
    split_of_labels,
)
from fsarbench.matchers import OTAM
from fsarbench.model import FewShotModel
from fsarbench.prototypes import Mean
from fsarbench.readouts import MatchOnly
from fsarbench.results.evaluation_result import result_of

TASK = EpisodeSettings(way=5, shot=2, queries=2)


def test_predictions_equal_those_of_a_model_episode_by_episode() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(200, 8, 16, generator=generator)
    split = split_of_labels(np.arange(200) % 8, None, 200)
    evaluation = evaluate_given(features, split, TASK, OTAM(), episodes=60)
    model = FewShotModel(Precomputed(16, 8), Mean(), OTAM(), MatchOnly()).eval()
    sampler = EpisodeSampler(split, TASK, 0)
    for number, predicted in enumerate(evaluation.predictions):
        episode = sampler.episode(number)
        with torch.no_grad():
            outcome = model.match(features[episode.support], features[episode.query], None)
        assert model.scores(outcome).argmax(dim=1).tolist() == predicted.tolist()


def test_result_has_a_row_per_query_and_named_intervals() -> None:
    split = split_of_labels(list("abcdef") * 10, None, 60)
    features = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    evaluation = evaluate_given(feature_tensor(features), split, TASK, OTAM(), episodes=20)
    result = result_of(evaluation, split, 0.95)
    table = result.to_pandas()
    assert len(table) == 20 * 10
    assert table["correct"].mean() == pytest.approx(result.accuracy)
    with pytest.raises(UserError, match="No interval over 'video'"):
        result.interval("video")


@pytest.mark.parametrize("shape", [(4,), (1, 2, 3, 4)])
def test_another_number_of_axes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="expected \\(videos, frames, width\\)"):
        feature_tensor(np.zeros(shape))


def test_values_that_are_not_finite_and_missing_labels_are_refused() -> None:
    with pytest.raises(UserError, match="first at row 1"):
        feature_tensor(np.array([[0.0], [np.nan]]))
    with pytest.raises(UserError, match="1 labels for 2 videos"):
        split_of_labels(["a"], None, 2)
