"""Published folder layouts of one data set give identical accuracy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.config.build import build_model, build_reader, build_settings
from fsarbench.config.loading import load_config
from fsarbench.data.data_module import DataModule
from fsarbench.data.datasets.synthetic import Strokes, SynthAct
from fsarbench.data.frame_store.build import CacheOptions, fill_store
from fsarbench.data.frame_store.index import StoreSettings
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.video_sources import source_of_splits
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.video import Split, SplitName, VideoDataset, VideoReader
from tests.unit.data.importing.test_round_trip import imported, link_videos

DATASETS: dict[str, Callable[[], VideoDataset]] = {
    "strokes": lambda: Strokes(workers=1),
    "synthact": lambda: SynthAct(1, 1, 3, workers=1),
}
# An untrained model with a text encoder, so that class names matter as well.
LOADED = load_config("clipfsar_synthact_1shot", ["evaluate.episodes=100", "evaluate.workers=0"])


@pytest.fixture(scope="module")
def model() -> FewShotModel:
    torch.manual_seed(0)
    return build_model(LOADED.values)


def evaluate_on(
    model: FewShotModel, splits: dict[SplitName, Split], reader: VideoReader | None = None
) -> Evaluation:
    settings = build_settings(LOADED.values)
    data_module = DataModule(
        splits=splits,
        reader=reader or build_reader(LOADED.values),
        clips=settings.clips.resolved(model.backbone.image_size),
        episodes=settings.episodes,
        seed=settings.seed,
        device=torch.device("cpu"),
    )
    return evaluate(model, data_module, "test", settings.evaluate)


@pytest.fixture(scope="module", params=DATASETS)
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[SplitName, Split]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        return DATASETS[request.param]().splits()


@pytest.fixture(scope="module")
def expected(model: FewShotModel, original: dict[SplitName, Split]) -> Evaluation:
    return evaluate_on(model, original)


@pytest.mark.parametrize("layout", ["TRX", "CLIP-FSAR", "folder"])
def test_accuracy_and_scores_are_the_same(
    layout: str,
    model: FewShotModel,
    original: dict[SplitName, Split],
    expected: Evaluation,
    tmp_path: Path,
) -> None:
    ids = link_videos(original, tmp_path / "videos")
    splits = imported(layout, ids, tmp_path / "videos", tmp_path).splits()
    evaluation = evaluate_on(model, splits)
    assert evaluation.accuracy == expected.accuracy
    np.testing.assert_array_equal(evaluation.scores, expected.scores)
    assert [v.path.resolve() for v in splits["test"].videos] == [
        v.path.resolve() for v in original["test"].videos
    ]


def test_accuracy_and_scores_with_a_frame_store_are_the_same(
    model: FewShotModel,
    original: dict[SplitName, Split],
    expected: Evaluation,
    tmp_path: Path,
) -> None:
    source = source_of_splits({"test": original["test"]})
    writer = StoreWriter(PyAVReader(), source.root, tmp_path / "store", StoreSettings(256, "raw"))
    paths = [path for _, path in source.videos]
    assert fill_store(writer, paths, CacheOptions(workers=1, report=lambda _: None)) == {}
    reader = StoreReader(str(tmp_path / "store"), str(source.root))
    evaluation = evaluate_on(model, original, reader)
    assert evaluation.accuracy == expected.accuracy
    np.testing.assert_array_equal(evaluation.scores, expected.scores)
