"""Finished parts of a test are taken up again where nothing has changed, and only there."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.config.build import build_model
from fsarbench.data.data_module import DataModule
from fsarbench.evaluation import evaluate, feature_cache
from fsarbench.evaluation.disk_cache import CacheFolders, code_hash
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.evaluation.evaluate import evaluate_all
from fsarbench.evaluation.feature_cache import values_per_video
from fsarbench.model import FewShotModel
from fsarbench.settings import EvaluateSettings
from tests.helpers.combinations import episode, values
from tests.helpers.toy_model import ColourReader, ToyMatcher

Build = Callable[..., FewShotModel]
SETTINGS = EvaluateSettings(episodes=40, batch_size=3, workers=0)
CONFIG = {"backbone": {"type": "Toy"}, "matcher": {"type": "ToyMatcher"}}


class CountingReader(ColourReader):
    """Counts the videos that it reads, and fails at one if it is told to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.stop_after = 10**9

    def read(self, path: Path, indices: Sequence[int]) -> np.ndarray:
        if len(self.seen) == self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(path.name)
        return super().read(path, indices)


@pytest.fixture
def data_module(data_module: DataModule, tmp_path: Path) -> DataModule:
    split = data_module.splits["test"]
    videos = tuple(replace(v, path=tmp_path / "videos" / v.id) for v in split.videos)
    for video in videos:
        video.path.parent.mkdir(parents=True, exist_ok=True)
        video.path.write_text("video")
    return replace(
        data_module,
        splits={**data_module.splits, "test": replace(split, videos=videos)},
        reader=CountingReader(),
    )


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "SHARD", 6)
    monkeypatch.setattr(evaluate, "SHARD", 5)


@pytest.fixture
def cache_folders(tmp_path: Path) -> CacheFolders:
    return CacheFolders(tmp_path / "features", tmp_path / "scores", CONFIG)


def encoded(
    model: FewShotModel,
    data_module: DataModule,
    cache_folders: CacheFolders | None,
    **changes: object,
) -> tuple[Evaluation, int]:
    """The result, and the videos that were read for it."""
    reader = data_module.reader
    assert isinstance(reader, CountingReader)
    reader.seen.clear()
    settings = replace(SETTINGS, **changes)
    return evaluate_all(model, data_module, "test", settings, cache_folders=cache_folders)[0], len(
        reader.seen
    )


@pytest.mark.parametrize("uses_text", [False, True])
def test_a_second_test_encodes_nothing(
    build: Build, data_module: DataModule, cache_folders: CacheFolders, uses_text: bool
) -> None:
    model = build(uses_text=uses_text)
    first, read = encoded(model, data_module, cache_folders)
    second, none = encoded(model, data_module, cache_folders)
    assert (read, none) == (30, 0)
    np.testing.assert_array_equal(first.scores, second.scores)
    np.testing.assert_array_equal(first.scores, encoded(model, data_module, None)[0].scores)


def test_what_comes_after_the_backbone_does_not_matter(
    build: Build, data_module: DataModule, cache_folders: CacheFolders
) -> None:
    class Half(ToyMatcher):
        def forward(self, query, prototypes):  # type: ignore[no-untyped-def]
            return super().forward(query, prototypes) / 2

    model = build()
    first, _ = encoded(model, data_module, cache_folders)
    model.matcher = Half()
    other = replace(cache_folders, config={**CONFIG, "matcher": {"type": "Half"}})
    second, read = encoded(model, data_module, other, episodes=30, shots=[1, 2, 3])
    assert read == 0
    np.testing.assert_allclose(second.scores, first.scores[:30] / 2, rtol=1e-6)


@pytest.mark.parametrize(
    "changed", ["tuned weight", "frozen weight", "adapter", "frames", "pixels", "reader"]
)
def test_what_features_depend_on_matters(
    build: Build, data_module: DataModule, cache_folders: CacheFolders, changed: str
) -> None:
    model = build()
    encoded(model, data_module, cache_folders)
    weights = {
        "tuned weight": model.backbone.adapter.scale.weight,
        "frozen weight": model.backbone.trunk.pixels.bias,
    }
    if changed in weights:
        with torch.no_grad():
            weights[changed].view(-1)[0] += 1e-6
    elif changed == "frames":
        data_module = replace(data_module, clips=replace(data_module.clips, frames=4))
    elif changed == "pixels":
        data_module = replace(data_module, clips=replace(data_module.clips, resize=16))
    else:
        cache_folders = replace(cache_folders, config={**CONFIG, changed: {"type": "Other"}})
    assert encoded(model, data_module, cache_folders)[1] == 30
    # How training clips vary is nothing to a test clip.
    data_module = replace(data_module, clips=replace(data_module.clips, flip=True, jitter=0.2))
    assert encoded(model, data_module, cache_folders)[1] == 0


def test_a_changed_video_alone_is_encoded_anew(
    build: Build, data_module: DataModule, cache_folders: CacheFolders
) -> None:
    model = build(uses_text=True)
    encoded(model, data_module, cache_folders)
    path = data_module.splits["test"].videos[7].path
    os.utime(path, ns=(1, 1))
    assert encoded(model, data_module, cache_folders)[1] == 1
    path.write_text("another video")
    assert encoded(model, data_module, cache_folders)[1] == 1
    assert encoded(model, data_module, cache_folders)[1] == 0


def test_another_text_changes_support_features_only(
    build: Build,
    data_module: DataModule,
    cache_folders: CacheFolders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, calls = build(uses_text=True), []
    encoded(model, data_module, cache_folders)
    split = data_module.splits["test"]
    renamed = replace(split, readable=("a new name", *split.readable[1:]))
    data_module = replace(data_module, splits={**data_module.splits, "test": renamed})
    forward = type(model.backbone).forward
    monkeypatch.setattr(
        type(model.backbone),
        "forward",
        lambda self, frames, text=None: (
            calls.append((len(frames), text is not None)) or forward(self, frames, text)
        ),
    )
    encoded(model, data_module, cache_folders)
    # The five videos of the class, in the support role.
    assert sum(count for count, _ in calls) == 5
    assert all(with_text for _, with_text in calls)


@pytest.mark.parametrize("cache", ["auto", False])
@pytest.mark.parametrize("stop_after", [1, 100, 210])
def test_a_test_that_was_stopped_goes_on_to_the_same_numbers(
    build: Build,
    data_module: DataModule,
    cache_folders: CacheFolders,
    cache: bool | str,
    stop_after: int,
) -> None:
    model = build(uses_text=True)
    whole, all_read = encoded(model, data_module, None, cache=cache)
    stop_after = stop_after * all_read // 640
    data_module.reader.stop_after = stop_after  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        encoded(model, data_module, cache_folders, cache=cache)
    data_module.reader.stop_after = 10**9  # type: ignore[attr-defined]
    rest, read = encoded(model, data_module, cache_folders, cache=cache)
    np.testing.assert_array_equal(rest.scores, whole.scores)
    lost = 80 if cache is False else 8
    assert max(0, all_read - stop_after) <= read <= all_read - stop_after + lost


def test_scores_of_another_model_are_not_taken(
    build: Build, data_module: DataModule, cache_folders: CacheFolders
) -> None:
    model = build()
    _, all_read = encoded(model, data_module, cache_folders, cache=False)
    assert encoded(model, data_module, cache_folders, cache=False)[1] == 0
    model.prototypes.weight = torch.nn.Parameter(torch.ones(1))
    assert encoded(model, data_module, cache_folders, cache=False)[1] == all_read
    other = replace(cache_folders, config={**CONFIG, "matcher": {"type": "Other"}})
    assert encoded(build(), data_module, other, cache=False)[1] == all_read


def test_videos_that_cannot_be_known_again_are_encoded_each_time(
    build: Build, data_module: DataModule, cache_folders: CacheFolders
) -> None:
    for video in data_module.splits["test"].videos:
        video.path.unlink()
    for cache in ("auto", False):
        assert encoded(build(), data_module, cache_folders, cache=cache)[1] > 0
        assert encoded(build(), data_module, cache_folders, cache=cache)[1] > 0
    assert not list(cache_folders.features.rglob("*.safetensors"))


def test_the_code_of_a_part_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "own_part_of_a_test.py"
    file.write_text("class Part:\n    scale = 1\n")
    part = __import__("own_part_of_a_test").Part()
    before = code_hash([part])
    assert code_hash([part]) == before != code_hash([])
    file.write_text("class Part:\n    scale = 2\n")
    assert code_hash([part]) != before
    del sys.modules["own_part_of_a_test"]


def test_the_size_of_the_features_is_known_before_encoding() -> None:
    config = {
        **values("Frozen", "Mean", "MeanCosine"),
        "neck": {"type": "PatchLevels", "levels": (0, -1), "join": "steps"},
    }
    model = build_model(config).eval()
    task = episode()
    with torch.no_grad():
        query = model.encode_query(task.query)
    numbers = sum(value[0].numel() for value in query.tensors().values())
    assert values_per_video(model, task.query.shape[1]) == numbers
