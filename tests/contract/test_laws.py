"""The laws that every registered combination obeys; a new part is tested once it has a card."""

from dataclasses import replace

import pytest
import torch

from fsarbench.assembly import build_model
from fsarbench.cards import find
from fsarbench.model import FewShotModel, tuned_parameters
from tests.contract.combinations import SHOT, WAY, combinations, episode, names, values

EVERY = list(combinations())
# CLIP pools the class token: what ST-Adapter does to the patches after the last attention is lost.
UNREACHED = "adapters.3.before_mlp."


@pytest.fixture(params=EVERY, ids="-".join, scope="module")
def parts(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    return request.param


@pytest.fixture(scope="module")
def built(parts: tuple[str, str, str]) -> FewShotModel:
    torch.manual_seed(0)
    built = build_model(values(*parts))
    # Zero-initialised layers hide what stands before them; after some training none is zero.
    with torch.no_grad():
        for parameter in tuned_parameters(built).values():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return built


@pytest.fixture
def model(built: FewShotModel) -> FewShotModel:
    built.zero_grad()
    return built.eval()


def test_shapes_and_finite_values(model: FewShotModel) -> None:
    outcome = model(episode())
    assert outcome.logits.shape == (4, WAY)
    for tensor in (outcome.logits, outcome.support, outcome.query, model.scores(outcome)):
        assert tensor.isfinite().all()


@torch.no_grad()
def test_permuting_classes_permutes_the_logits(model: FewShotModel) -> None:
    task, order = episode(), [2, 0, 1]
    moved = replace(task, support=task.support[order], names=tuple(task.names[i] for i in order))
    torch.testing.assert_close(
        model(moved).logits, model(task).logits[:, order], rtol=1e-4, atol=1e-4
    )


@torch.no_grad()
def test_permuting_shots_changes_nothing(model: FewShotModel) -> None:
    task = episode()
    moved = replace(task, support=task.support[:, list(reversed(range(SHOT)))])
    torch.testing.assert_close(model(moved).logits, model(task).logits, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_queries_do_not_see_each_other(model: FewShotModel, parts: tuple[str, ...]) -> None:
    if any(find(name).transductive for name in parts):
        pytest.skip("transductive, as its card says")
    task = episode()
    alone = replace(task, query=task.query[:1], labels=task.labels[:1])
    torch.testing.assert_close(model(alone).logits, model(task).logits[:1], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_same_seed_same_numbers(model: FewShotModel) -> None:
    assert torch.equal(model(episode()).logits, model(episode()).logits)


@torch.no_grad()
def test_a_batch_of_episodes_equals_the_loop(model: FewShotModel) -> None:
    outcomes = [model(episode(seed)) for seed in range(3)]
    stacked = [
        torch.stack(x) for x in zip(*((o.support, o.query, o.text) for o in outcomes), strict=True)
    ]
    together = torch.vmap(lambda s, q, t: model.compare(s, q, t).logits)(*stacked)
    alone = torch.stack([o.logits for o in outcomes])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_tuned_parameters_get_gradients_and_frozen_ones_none(model: FewShotModel) -> None:
    if not tuned_parameters(model):
        pytest.skip("nothing is tuned")
    task = episode()
    assert model.text_encoder is not None
    task = replace(task, bank=model.text_encoder(task.names))
    outcome = model.train()(task)
    sum(model.loss(outcome, task).values()).backward()
    for name, parameter in model.named_parameters():
        if UNREACHED in name:
            continue
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            # A key's bias moves all scores of a softmax alike: zero gradient but for rounding.
            assert parameter.grad.abs().max() > 0, name
        else:
            assert parameter.grad is None, name


@torch.no_grad()
def test_trainable_state_round_trips(model: FewShotModel, parts: tuple[str, str, str]) -> None:
    state = {name: p.clone() for name, p in tuned_parameters(model).items()}
    torch.manual_seed(1)
    other = build_model(values(*parts)).eval()
    frozen = {name: p for name, p in model.state_dict().items() if name not in state}
    other.load_state_dict({**frozen, **state})
    assert torch.equal(other(episode()).logits, model(episode()).logits)


@pytest.mark.parametrize("adapter", names("adapter"))
@torch.no_grad()
def test_identity_at_start_is_what_the_card_says(adapter: str) -> None:
    def features(name: str) -> torch.Tensor:
        torch.manual_seed(0)
        built = build_model(values(name, "Mean", "MeanCosine")).eval()
        return built(episode()).support

    plain = features("Frozen")
    same = torch.allclose(features(adapter), plain, rtol=1e-5, atol=1e-5)
    assert same == find(adapter).identity_at_start
