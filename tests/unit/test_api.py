"""Mistakes in calls of the Python interface, and the messages about them."""

import subprocess
import sys

import pytest

# A process of its own, because the shape checks of the tests reject wrong types before the
# interface does, and users do not have them.
PROGRAM = """
import sys
from pathlib import Path
import torch
import fsarbench
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.video import Split, Video

videos = tuple(Video(str(number), Path(f"{number}.mp4"), 0) for number in range(4))
data = DataModule(
    splits={"test": Split("test", ("a", "b"), ("a", "b"), videos)},
    reader=PyAVReader(),
    clips=ClipSettings(),
    episodes=EpisodeSettings(way=5, shot=1),
    seed=0,
    device=torch.device("cpu"),
)
model = fsarbench.create_model("protonet_synthact_1shot")
for call in sys.argv[1:]:
    try:
        print(eval(call))
    except fsarbench.UserError as error:
        print(str(error).splitlines()[0])
"""

MISTAKES = {
    "fsarbench.evaluate('protonet', data)": "expected a FewShotModel as of fsarbench.create_model",
    "fsarbench.evaluate(model, 'synthact')": "expected a DataModule as of fsarbench.load_data",
    "fsarbench.evaluate(model, data, split='tset')": "Did you mean 'test'?",
    "fsarbench.evaluate(model, data, episodes=0)": "evaluate.episodes: episodes is 0, expected int",
    "fsarbench.train(model, data, warm_up=3)": "no argument 'warm_up'. Did you mean 'warmup'?",
    "fsarbench.train(model, data, lr=-1.0)": "train.lr: lr is -1.0, expected float at least 0",
    "fsarbench.train(model, data, validation={'seed': 'x'})": "evaluate.seed: seed is 'x'",
    "data.episode('tset', 0)": "There is no split 'tset'. Did you mean 'test'?",
    "fsarbench.load_data('synthact', frames=0)": "frames is 0",
}


@pytest.fixture(scope="module")
def messages() -> dict[str, str]:
    command = [sys.executable, "-c", PROGRAM, *MISTAKES]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(MISTAKES, answer.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("call", MISTAKES)
def test_mistakes(messages: dict[str, str], call: str) -> None:
    assert MISTAKES[call] in messages[call]
