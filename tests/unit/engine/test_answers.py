from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.data_module import Bench
from fsarbench.errors import UserError
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.results.predictions import Answers, answers_of, read_answers, write_answers
from fsarbench.settings import EvaluateSettings


@pytest.fixture
def answers(build: Callable[..., FewShotModel], bench: Bench) -> Answers:
    settings = EvaluateSettings(episodes=40, workers=0)
    return answers_of(evaluate(build(), bench, "test", settings), bench.splits["test"])


def test_they_come_back_as_they_were(answers: Answers, tmp_path: Path) -> None:
    write_answers(tmp_path, answers)
    back = read_answers(tmp_path)
    assert back is not None
    assert back.same_episodes(answers)
    np.testing.assert_array_equal(back.predictions, answers.predictions)
    assert back.predictions.dtype == np.int64


def test_equal_answers_are_equal_bytes(answers: Answers, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_answers(tmp_path / name, answers)
    first, second = ((tmp_path / name / "episodes.npz").read_bytes() for name in ("a", "b"))
    assert first == second


def test_the_file_is_small_and_needs_no_pickle(answers: Answers, tmp_path: Path) -> None:
    write_answers(tmp_path, answers)
    with np.load(tmp_path / "episodes.npz", allow_pickle=False) as stored:
        assert stored["support"].dtype == np.uint8
        # A page of the docs says what is in it.
        page = (Path(__file__).parents[3] / "docs" / "result-schema.md").read_text()
        assert all(f"`{name}`" in page for name in stored.files)


def test_it_says_who_was_asked(answers: Answers, bench: Bench) -> None:
    split = bench.splits["test"]
    video = split.videos[answers.query[3, 0]]
    asked = answers.classes[3, answers.labels[3, 0]]
    assert answers.video_ids[answers.query[3, 0]] == video.id
    assert answers.class_names[asked] == split.classes[video.label]
    labels = answers.video_labels[answers.support]
    np.testing.assert_array_equal(labels, np.broadcast_to(answers.classes[..., None], labels.shape))


def test_the_videos_of_an_episode_are_all_of_them_once(answers: Answers, bench: Bench) -> None:
    kind = bench.episodes
    videos = answers.drawn.videos
    assert videos.shape == (40, kind.way * (kind.shot + kind.queries))
    assert all(len(set(episode)) == len(episode) for episode in videos.tolist())


def test_other_episodes_are_told_apart(answers: Answers) -> None:
    query = answers.query.copy()
    query[0, 0] += 1
    assert not answers.same_episodes(replace(answers, query=query))
    assert not answers.same_episodes(replace(answers, video_ids=answers.video_ids[::-1]))
    assert answers.same_episodes(replace(answers, predictions=1 - answers.predictions))


def test_a_run_without_them_has_none(tmp_path: Path) -> None:
    assert read_answers(tmp_path) is None


def test_a_damaged_file_is_named(answers: Answers, tmp_path: Path) -> None:
    write_answers(tmp_path, answers)
    file = tmp_path / "episodes.npz"
    whole = file.read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(UserError, match=r"episodes\.npz holds no test episodes"):
            read_answers(tmp_path)
    np.savez(file, other=np.zeros(3))
    with pytest.raises(UserError, match="holds no test episodes"):
        read_answers(tmp_path)
