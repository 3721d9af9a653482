"""Cards match the code."""

import inspect
import typing

import jaxtyping
import pytest

from fsarbench.arguments.signatures import parameters
from fsarbench.catalogue.cards import Card, cards
from fsarbench.config.validation import OFFERED, TAKES_SIZES
from fsarbench.registry import SLOTS

# Other packages may be installed whose parts are listed too.
CARDS = [card for card in cards() if not card.origin]
ids = [card.name for card in CARDS]


def component(card: Card) -> type:
    return SLOTS[card.slot].find(card.name)


def test_one_card_for_each_component_and_the_reverse() -> None:
    registered = {
        (slot, name)
        for slot, registry in SLOTS.items()
        for name in registry.known()
        if registry.find(name).__module__.startswith("fsarbench.")
    }
    assert {(card.slot, card.name) for card in CARDS} == registered


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_card_path_is_slot_and_module(card: Card) -> None:
    module = component(card).__module__.rsplit(".", 1)[1]
    # The built-in data sets differ in what they render alone, and share a module.
    assert module == card.file.stem or (card.slot, module) == ("dataset", "synthetic")


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_arguments_and_defaults_are_the_signature(card: Card) -> None:
    found = parameters(component(card))
    sizes = OFFERED.intersection(found) if card.slot in TAKES_SIZES else set()
    rest = {name: p for name, p in found.items() if name not in sizes}
    empty = inspect.Parameter.empty
    assert set(card.offered) == set(sizes)
    assert set(card.required) == {n for n, p in rest.items() if p.default is empty}
    assert set(card.optional) == {n for n, p in rest.items() if p.default is None}
    defaults = {n: p.default for n, p in rest.items() if p.default not in (empty, None)}
    assert card.defaults == {n: list(d) if isinstance(d, tuple) else d for n, d in defaults.items()}


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_uses_text_matches_the_class(card: Card) -> None:
    if card.slot in ("adapter", "prototypes", "losses", "readout"):
        assert card.uses_text == component(card).uses_text


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_every_published_number_has_conditions_and_a_source(card: Card) -> None:
    for result in card.published:
        assert {"dataset", "way", "shot", "accuracy", "source"} <= set(result)
        assert 0 < result["accuracy"] < 100


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_training_data_of_weights_has_a_source(card: Card) -> None:
    assert card.slot == "backbone" or not card.seen_data
    for seen in card.seen_data:
        assert seen.keys() == {"weights", "data", "labels", "source"}
        assert seen["weights"]
        assert seen["data"]
        assert seen["source"]
        assert type(seen["labels"]) is bool


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_adapters_declare_identity_at_start(card: Card) -> None:
    assert (card.identity_at_start is not None) == (card.slot == "adapter")


@pytest.mark.parametrize(
    "card", [c for c in CARDS if c.slot not in ("dataset", "reader")], ids=lambda c: c.name
)
def test_forward_carries_shape_annotations(card: Card) -> None:
    hints = typing.get_type_hints(component(card).forward)
    assert "return" in hints
    arrays = [
        h for h in hints.values() if inspect.isclass(h) and issubclass(h, jaxtyping.AbstractArray)
    ]
    if card.slot != "losses":  # an Outcome and an Episode carry their own
        assert arrays or card.slot in ("neck", "prototypes")


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_constructors_are_flat(card: Card) -> None:
    found = inspect.signature(component(card)).parameters.values()
    assert len(found) <= 8
    if component(card).__init__ is not __import__("torch").nn.Module.__init__:
        assert not any(p.kind is p.VAR_KEYWORD for p in found)


@pytest.mark.parametrize("card", CARDS, ids=ids)
def test_computing_components_have_an_equation(card: Card) -> None:
    if card.slot in ("prototypes", "matcher", "losses", "readout"):
        assert card.equation
