from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.data.clips import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.cache_policy import CachePolicy
from fsarbench.evaluation.disk_cache import CacheFolders
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.evaluation.evaluate import evaluate, evaluate_all
from fsarbench.model import FewShotModel
from fsarbench.settings import EvaluateSettings

Build = Callable[..., FewShotModel]
UNCACHED = EvaluateSettings(episodes=23, cache=False, workers=0)


def cached(**changes: object) -> EvaluateSettings:
    return replace(EvaluateSettings(episodes=23, workers=0), **changes)


def scores(model: FewShotModel, data_module: DataModule, settings: EvaluateSettings) -> np.ndarray:
    return evaluate(model, data_module, "test", settings).scores


@pytest.mark.parametrize("uses_text", [False, True])
@pytest.mark.parametrize(
    "settings",
    [cached(chunk=1), cached(chunk=4), cached(chunk=23, batch_size=1), cached(batch_size=7)],
    ids=["no vmap", "chunks", "video by video", "batches"],
)
def test_cached_features_give_the_numbers_of_uncached_evaluation(
    build: Build, data_module: DataModule, settings: EvaluateSettings, uses_text: bool
) -> None:
    model = build(uses_text=uses_text)
    assert evaluate(model, data_module, "test", settings).route.cached
    np.testing.assert_allclose(
        scores(model, data_module, settings), scores(model, data_module, UNCACHED), atol=1e-5
    )


@pytest.mark.parametrize("cache", ["auto", False])
def test_workers_change_nothing(build: Build, data_module: DataModule, cache: bool | str) -> None:
    model = build(uses_text=True)
    first, second = (scores(model, data_module, cached(workers=w, cache=cache)) for w in (0, 2))
    np.testing.assert_array_equal(first, second)


def test_encoding_in_bf16_changes_features_and_not_the_precision_of_matching(
    build: Build, data_module: DataModule
) -> None:
    model = build(uses_text=True)
    exact = scores(model, data_module, cached())
    half = scores(model, data_module, cached(precision="bf16"))
    again = scores(model, data_module, cached(precision="bf16", cache=False))
    assert not np.array_equal(half, exact)
    # 8 significant bits in the features; the scores themselves are not rounded to them.
    np.testing.assert_allclose(half, exact, atol=0.1 * np.abs(exact).max())
    np.testing.assert_allclose(half, again, atol=0.02 * np.abs(exact).max())
    assert not np.array_equal(half, torch.from_numpy(half).bfloat16().float().numpy())


def test_features_of_another_precision_are_not_read_from_the_disk(
    build: Build, data_module: DataModule, tmp_path: Path
) -> None:
    model, folders = build(uses_text=False), CacheFolders(tmp_path, tmp_path, {})
    exact = evaluate_all(model, data_module, "test", cached(), None, folders)[0].scores
    half = cached(precision="bf16")
    first = evaluate_all(model, data_module, "test", half, None, folders)[0].scores
    np.testing.assert_array_equal(first, scores(model, data_module, half))
    assert not np.array_equal(first, exact)


def test_text_of_the_class_reaches_the_support_features(
    build: Build, data_module: DataModule
) -> None:
    with_text, without = build(uses_text=True), build(uses_text=False)
    assert (
        np.abs(
            scores(with_text, data_module, UNCACHED) - scores(without, data_module, UNCACHED)
        ).max()
        > 1e-3
    )


def test_each_class_name_is_encoded_once(build: Build, data_module: DataModule) -> None:
    model = build(uses_text=True)
    evaluate(model, data_module, "test", cached())
    assert model.text_encoder.calls == [6]


def test_accuracies_are_shares_of_right_predictions(data_module: DataModule, build: Build) -> None:
    result = evaluate(build(), data_module, "test", cached())
    assert result.accuracies.shape == (23,)
    right = [(p == t).mean() for p, t in zip(result.predictions, result.labels, strict=True)]
    np.testing.assert_allclose(result.accuracies, right)
    assert 0.4 < result.accuracy < 1.0  # Colours tell the toy classes apart, but not always.


def test_the_first_episodes_are_those_of_a_longer_test(
    build: Build, data_module: DataModule
) -> None:
    model = build()
    few = evaluate(model, data_module, "test", cached(), episodes=5)
    np.testing.assert_allclose(few.scores, scores(model, data_module, cached())[:5], atol=1e-5)


def test_the_mode_of_every_module_is_put_back(build: Build, data_module: DataModule) -> None:
    model = build().train()
    model.backbone.trunk.eval()
    evaluate(model, data_module, "test", cached())
    assert model.backbone.adapter.drop.training
    assert not model.backbone.trunk.training


def test_a_joint_adapter_is_never_cached(build: Build, data_module: DataModule) -> None:
    model = build(joint=True)
    policy = evaluate(model, data_module, "test", cached()).route
    assert not policy.cached
    assert "ToyAdapter attends across the videos" in policy.why
    with pytest.raises(UserError, match=r"evaluate\.cache is True, but ToyAdapter"):
        evaluate(model, data_module, "test", cached(cache=True))


def test_random_clips_are_never_cached(build: Build, data_module: DataModule) -> None:
    random = replace(data_module, clips=ClipSettings(frames=3, sampling="random").resolved(8))
    result = evaluate(build(), random, "test", cached())
    assert "clips.sampling='random'" in result.route.why
    again = evaluate(build(), random, "test", cached(workers=1))
    np.testing.assert_array_equal(result.scores, again.scores)


def test_equal_scores_predict_the_first_class() -> None:
    tied = np.zeros((1, 2, 3), dtype=np.float32)
    videos = np.array([[0, 1]])
    drawn = (np.array([[0, 1]]), np.array([[0, 1, 2]]), np.array([[[2], [3], [4]]]), videos)
    result = Evaluation(EpisodeSettings(), tied, *drawn, CachePolicy(True, ""), 0.0, 0.0)
    assert result.predictions.tolist() == [[0, 0]]
    assert result.accuracies.tolist() == [0.5]


def test_a_class_with_too_few_videos_is_named(build: Build, data_module: DataModule) -> None:
    settings = replace(data_module.episodes, queries=4)
    with pytest.raises(UserError, match="'test 0' has 5"):
        evaluate(build(), replace(data_module, episodes=settings), "test", cached())


@pytest.mark.parametrize("cache", ["auto", False])
def test_several_kinds_of_episodes_are_each_tested_as_alone(
    build: Build, data_module: DataModule, cache: bool | str
) -> None:
    model = build(uses_text=True)
    settings = cached(shots=[1, 2, 3], ways=[2, 4], cache=cache)
    found = evaluate_all(model, data_module, "test", settings)
    kinds = [(one.task.way, one.task.shot) for one in found]
    # The data module's own comes first, and once.
    assert kinds == [(4, 2), (2, 1), (2, 2), (2, 3), (4, 1), (4, 3)]
    for one in found:
        alone = evaluate(
            model, replace(data_module, episodes=one.task), "test", cached(cache=cache)
        )
        np.testing.assert_allclose(one.scores, alone.scores, atol=1e-6)
        np.testing.assert_array_equal(one.support, alone.support)
        assert one.query.shape == (23, 2 * one.task.way)


def test_several_kinds_of_episodes_are_encoded_once(
    build: Build, data_module: DataModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, seen = build(uses_text=True), []
    forward = type(model.backbone).forward
    monkeypatch.setattr(
        type(model.backbone),
        "forward",
        lambda self, frames, text=None: seen.append(len(frames)) or forward(self, frames, text),
    )
    many = cached(episodes=200, shots=[1, 2, 3], ways=[2, 3, 4])
    evaluate_all(model, data_module, "test", many)
    # 30 videos in two roles each.
    assert sum(seen) == 60


def test_a_kind_that_the_videos_cannot_fill_is_named(build: Build, data_module: DataModule) -> None:
    with pytest.raises(UserError, match=r"evaluate\.shots and .* 'test 0' has 5"):
        evaluate_all(build(), data_module, "test", cached(shots=[1, 4]))


@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize("sampling", ["centre", "random"])
def test_any_number_of_queries_and_both_kinds_of_test_clips(
    build: Build, data_module: DataModule, queries: int, sampling: str
) -> None:
    task = replace(data_module.episodes, queries=queries)
    clips = replace(data_module.clips, sampling=sampling)
    result = evaluate(build(), replace(data_module, episodes=task, clips=clips), "test", cached())
    assert result.route.cached == (sampling == "centre")
    assert result.scores.shape == (23, 4 * queries, 4)
    assert result.labels[0].tolist() == np.repeat(np.arange(4), queries).tolist()
