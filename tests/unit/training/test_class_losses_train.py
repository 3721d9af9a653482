"""Losses over all training classes, from the batch of the loader to a training step."""

from collections.abc import Callable
from pathlib import Path

import torch

from fsarbench.data.data_module import DataModule
from fsarbench.data.loader import to_episode
from fsarbench.losses.frame_classifier import FrameClassifier
from fsarbench.losses.video_text_contrast import VideoTextContrast
from fsarbench.model import FewShotModel
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.training.train import train


def test_an_episode_has_the_text_features_of_all_classes(data_module: DataModule) -> None:
    split = data_module.splits["train"]
    bank = torch.randn(len(split.classes), 1, 6, generator=torch.Generator().manual_seed(0))
    batch = {
        "support": torch.zeros(4, 2, 3, 3, 8, 8),
        "query": torch.zeros(2, 3, 3, 8, 8),
        "labels": torch.tensor([0, 3]),
        "classes": torch.tensor([5, 0, 7, 2]),
    }
    episode = to_episode(batch, split, bank, torch.device("cpu"))
    assert episode.bank is not None
    assert episode.text is not None
    assert torch.equal(episode.bank[episode.classes], episode.text)
    assert torch.equal(episode.bank, bank)


def test_parameters_of_losses_are_trained(
    build: Callable[..., FewShotModel], data_module: DataModule, tmp_path: Path
) -> None:
    model = build(uses_text=True)
    model.losses["contrast"] = VideoTextContrast()
    model.losses["frames"] = FrameClassifier(6, len(data_module.splits["train"].classes))
    before = {name: p.clone() for name, p in model.losses.named_parameters()}
    settings = TrainSettings(episodes=4, lr=0.1, workers=0, val_interval=4)
    train(model, data_module, settings, EvaluateSettings(val_episodes=4, workers=0), tmp_path)
    assert before.keys() == {"contrast.scale", "frames.classifier.weight", "frames.classifier.bias"}
    for name, parameter in model.losses.named_parameters():
        assert not torch.equal(parameter, before[name]), name
