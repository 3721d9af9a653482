"""Components with the arguments of the released code keep the laws of their slots."""

import pytest
import torch

from fsarbench.arguments.signatures import parameters
from fsarbench.catalogue.cards import Card, cards
from fsarbench.config.build import build_model, build_on_meta
from fsarbench.config.validation import part_faults
from fsarbench.experiments.dry_run import run_episode
from fsarbench.model import FewShotModel
from fsarbench.registry import SLOTS
from tests.helpers.combinations import episode, features, perturbed, values

RELEASED = [card for card in cards() if card.released and not card.origin]
COMPUTING = [card for card in RELEASED if card.slot in ("prototypes", "matcher")]
ORDER = [2, 0, 1]
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


def config(card: Card) -> dict[str, object]:
    """Small config with that component as released."""
    named = {"adapter": "FullFineTuning", "prototypes": "EachShot", "matcher": "OTAM"}
    chosen = values(*(card.name if slot == card.slot else n for slot, n in named.items()))
    if card.slot == "losses":
        # One of the losses reads an auxiliary output of these prototypes.
        chosen["prototypes"] = {"type": "HybridRelation"}
        chosen["losses"] = {"loss": {"type": card.name, **card.released}}
    else:
        chosen[card.slot] = {"type": card.name, **card.released}
    return chosen


def build(card: Card) -> FewShotModel:
    torch.manual_seed(0)
    return perturbed(build_model(config(card)))


@pytest.mark.parametrize("card", RELEASED, ids=lambda card: card.name)
def test_released_values_fit_arguments_and_differ_from_the_defaults(card: Card) -> None:
    found = parameters(SLOTS[card.slot].find(card.name))
    assert set(card.released) <= set(found)
    assert all(found[name].default != value for name, value in card.released.items())
    assert not list(part_faults(card.slot, card.slot, {"type": card.name, **card.released}))


@pytest.mark.parametrize("card", RELEASED, ids=lambda card: card.name)
def test_one_episode_on_the_meta_device(card: Card) -> None:
    run_episode(build_on_meta(config(card)), config(card))


@pytest.mark.parametrize("card", COMPUTING, ids=lambda card: card.name)
@torch.no_grad()
def test_logits_follow_the_order_of_classes_and_batches_equal_the_loop(card: Card) -> None:
    model = build(card).eval()

    def logits(support: torch.Tensor, query: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        return model.match(support, query, text).logits

    support, query, text = features()
    plain = logits(support, query, text)
    assert plain.isfinite().all()
    moved = logits(support[ORDER], query, text[ORDER])
    torch.testing.assert_close(moved, plain[:, ORDER], **TOLERANCE)
    torch.testing.assert_close(logits(support.flip(1), query, text), plain, **TOLERANCE)
    torch.testing.assert_close(logits(support, query[:1], text), plain[:1], **TOLERANCE)
    tasks = [features(seed) for seed in range(3)]
    together = torch.vmap(logits)(*(torch.stack(x) for x in zip(*tasks, strict=True)))
    torch.testing.assert_close(
        together, torch.stack([logits(*task) for task in tasks]), **TOLERANCE
    )


@pytest.mark.parametrize("card", RELEASED, ids=lambda card: card.name)
def test_trainable_parameters_get_gradients(card: Card) -> None:
    model = build(card).train()
    outcome = model(episode())
    labels = torch.tensor([0, 1, 2, 0])
    torch.nn.functional.cross_entropy(outcome.logits, labels).backward()
    for slot in ("backbone", "prototypes", "matcher"):
        for name, parameter in model.get_submodule(slot).named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, name
                assert parameter.grad.isfinite().all(), name
