from collections.abc import Callable

import pytest
import torch

from fsarbench.profiling.dummy_inputs import ProfiledModel, random_episode, random_on, tensors_of

Small = Callable[..., ProfiledModel]
WEIGHTS = "model='ViT-B-32'", "pretrained='openai'"
CPU = torch.device("cpu")


def test_episodes_are_of_the_configs_kind(small: Small) -> None:
    subject = small("episodes.shot=3", "episodes.queries=4")
    test, train = subject.episode("test"), subject.episode("train")
    assert test.support.shape == (2, 3, 8, 3, 64, 64)
    assert (len(test.query), len(train.query)) == (8, 2)
    assert test.text is not None
    assert {tensor.device.type for tensor in tensors_of(test)} == {"meta"}


def test_weights_that_are_not_there_are_not_missed(small: Small) -> None:
    # As the package's configs name them; building this one for a run would look for a download.
    weights = [f"{slot}.{k}" for slot in ("backbone", "text_encoder") for k in WEIGHTS]
    assert small(*weights).model.backbone.width == 768


def test_a_model_with_random_weights_trains(small: Small) -> None:
    subject = small()
    model = random_on(subject.model, CPU).train()
    episode = random_episode(subject.episode("train"), CPU)
    loss = torch.stack(list(model.loss(model(episode), episode).values())).sum()
    assert torch.isfinite(loss)
    again = random_on(subject.model, CPU)
    pairs = zip(model.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert torch.equal(episode.labels, torch.tensor([0, 1]))


def test_the_subject_stays_empty(small: Small) -> None:
    subject = small()
    random_on(subject.model, CPU)
    assert {p.device.type for p in subject.model.parameters()} == {"meta"}


@pytest.mark.parametrize(("method", "trains"), [("mafsar", True), ("frozen", False)])
def test_whether_there_is_anything_to_train(small: Small, method: str, trains: bool) -> None:
    assert small(method=method).trains == trains


def test_training_episodes_have_their_own_way_and_shot(small: Small) -> None:
    subject = small("episodes.shot=3", "episodes.train_way=4", "episodes.train_shot=1")
    assert subject.episode("train").support.shape[:2] == (4, 1)
    assert subject.episode("test").support.shape[:2] == (2, 3)
    assert len(subject.episode("train").query) == 4
