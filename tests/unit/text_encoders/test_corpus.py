"""Sentences per class: prompt ensembles, corpora, stages, and their faults."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.errors import UserError
from fsarbench.experiments.run import run
from fsarbench.functional.text_scores import class_text
from fsarbench.results.run_result import read_result
from fsarbench.text_encoders.corpus import Corpus
from fsarbench.text_encoders.openclip_text import OpenClipText
from tests.helpers.toy_dataset import fsarbench, make_toy

MODEL = {"model": "fsarbench-tiny", "pretrained": "synthact"}


def written(folder: Path, content: Any) -> Path:
    file = folder / "corpus.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def test_sentences_lists_and_stages(tmp_path: Path) -> None:
    stages = {"start": "a ball rests", "middle": ["it moves", "it rises"], "end": "it is high"}
    corpus = Corpus(written(tmp_path, {"Moving_Up": stages, "down": ["a", "b"], "still": "c"}))
    assert corpus.sentences(["moving up", "Down", "still"]) == [
        ("a ball rests", "it moves", "it rises", "it is high"),
        ("a", "b"),
        ("c",),
    ]
    assert corpus.missing(["still", "left", "right"]) == ["left", "right"]
    with pytest.raises(UserError, match="no sentence for 1 of 2 classes: 'left'"):
        corpus.sentences(["still", "left"])
    with pytest.raises(UserError, match="'still' has 1 sentences and 'moving up' 4"):
        corpus.count()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "is not JSON"),
        ("[]", "expected a JSON object"),
        ({"a": []}, "the class 'a' has []"),
        ({"a": ["x", " "]}, "none empty"),
        ({"a": 3}, "the class 'a' has 3"),
        ({"a b": "x", "A_b": "y"}, "has the class 'A_b' twice"),
    ],
)
def test_faults_of_the_file_are_named(tmp_path: Path, content: Any, expected: str) -> None:
    with pytest.raises(UserError, match=re.escape(expected)):
        Corpus(written(tmp_path, content))


def test_a_missing_file_is_a_fault_of_the_config(tmp_path: Path) -> None:
    loaded = load_config("mafsar_synthact_1shot", [f"text_encoder.corpus={tmp_path / 'no.json'}"])
    with pytest.raises(UserError, match=r"text_encoder.corpus=.*cannot be read"):
        check_config(loaded)


def test_the_encoder_gives_one_feature_per_sentence_or_their_mean(tmp_path: Path) -> None:
    file = written(tmp_path, {"up": ["it rises", "it is high"], "down": ["it falls", "it is low"]})
    every = OpenClipText(**MODEL, corpus=str(file), sentences="all").eval()
    mean = OpenClipText(**MODEL, corpus=str(file)).eval()
    names = ["down", "up"]
    assert (every.sentences, mean.sentences) == (2, 1)
    assert every(names).shape == (2, 2, every.dim)
    torch.testing.assert_close(class_text(every(names)), mean(names)[:, 0])
    plain = OpenClipText(**MODEL, prompts=["{}"]).eval()
    torch.testing.assert_close(every(names)[1, 0], plain(["it rises"])[0, 0])
    assert every.corpus_sha256 == mean.corpus_sha256 != ""


def test_prompt_ensembles_of_clip() -> None:
    ensemble = OpenClipText(**MODEL, ensemble="openai_simple", sentences="all").eval()
    assert ensemble.sentences == 7
    assert ensemble(["a", "b"]).shape == (2, 7, ensemble.dim)
    assert "a photo of the large {}." in ensemble.prompts
    assert OpenClipText(**MODEL, ensemble="openai").prompts != ensemble.prompts


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_toy(tmp_path)
    sentences = {f"class {number}": [f"sentence {number}", "more"] for number in range(9)}
    written(folder, sentences)
    with (folder / "toy.py").open("a") as file:
        file.write('text_encoder = dict(corpus="corpus.json", sentences="all")\n')
    monkeypatch.chdir(folder)
    return folder


def test_a_run_records_the_hash_and_a_changed_corpus_is_another_experiment(toy: Path) -> None:
    short = ["evaluate.episodes=20", "train.episodes=2"]
    run("toy.py", short, work_dir="run", quiet=True)
    assert read_result(toy / "run")["conditions"]["corpus_sha256"] == Corpus("corpus.json").sha256
    content = json.loads(Path("corpus.json").read_text())
    written(toy, {**content, "class 0": ["another", "text"]})
    with pytest.raises(UserError, match="corpus_sha256"):
        run("toy.py", short, work_dir="run", resume=True, quiet=True)


def test_check_names_the_classes_without_a_sentence(toy: Path) -> None:
    content = json.loads(Path("corpus.json").read_text())
    del content["class 4"]
    written(toy, content)
    done = fsarbench(toy, "check", "toy.py")
    assert done.returncode == 2
    assert "no sentence for 1 of the 9 classes of the data set: 'class 4'" in done.stderr
    done = fsarbench(toy, "check", "toy.py", "--set", "dataset.root=elsewhere")
    assert done.returncode == 0, done.stderr
    assert "The corpus was not checked" in done.stderr
