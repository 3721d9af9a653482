from collections.abc import Callable

import pytest
import torch

from fsarbench.profiling.dummy_inputs import ProfiledModel, random_copy, random_episode, tensors_of

Small = Callable[..., ProfiledModel]
WEIGHTS = "model='ViT-B-32'", "pretrained='openai'"
CPU = torch.device("cpu")


def test_episodes_have_the_way_shot_and_queries_of_the_config(small: Small) -> None:
    profiled = small("episodes.shot=3", "episodes.queries=4")
    test, train = profiled.episode("test"), profiled.episode("train")
    assert test.support.shape == (2, 3, 8, 3, 64, 64)
    assert (len(test.query), len(train.query)) == (8, 2)
    assert test.text is not None
    assert {tensor.device.type for tensor in tensors_of(test)} == {"meta"}


def test_pretrained_weights_are_not_loaded(small: Small) -> None:
    # Building this model for a run would download its weights.
    weights = [f"{slot}.{k}" for slot in ("backbone", "text_encoder") for k in WEIGHTS]
    assert small(*weights).model.backbone.width == 768


def test_a_model_with_random_weights_trains(small: Small) -> None:
    profiled = small()
    model = random_copy(profiled.model, CPU).train()
    episode = random_episode(profiled.episode("train"), CPU)
    loss = torch.stack(list(model.loss(model(episode), episode).values())).sum()
    assert torch.isfinite(loss)
    again = random_copy(profiled.model, CPU)
    pairs = zip(model.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert torch.equal(episode.labels, torch.tensor([0, 1]))


def test_random_copies_leave_the_profiled_model_on_the_meta_device(small: Small) -> None:
    profiled = small()
    random_copy(profiled.model, CPU)
    assert {p.device.type for p in profiled.model.parameters()} == {"meta"}


@pytest.mark.parametrize(("method", "trains"), [("mafsar", True), ("frozen", False)])
def test_trains_is_whether_the_model_has_trainable_parameters_and_losses(
    small: Small, method: str, trains: bool
) -> None:
    assert small(method=method).trains == trains


def test_training_episodes_have_their_own_way_and_shot(small: Small) -> None:
    profiled = small("episodes.shot=3", "episodes.train_way=4", "episodes.train_shot=1")
    assert profiled.episode("train").support.shape[:2] == (4, 1)
    assert profiled.episode("test").support.shape[:2] == (2, 3)
    assert len(profiled.episode("train").query) == 4
