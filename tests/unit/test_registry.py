"""Classes that a registry rejects, and its messages."""

import pytest

from fsarbench.errors import UserError
from fsarbench.interfaces import Matcher, Readout
from fsarbench.registry import MATCHERS, SLOTS, SlotRegistry


@pytest.fixture
def registry() -> SlotRegistry:
    return SlotRegistry("matcher", "fsarbench.interfaces:Matcher", "fsarbench.matchers")


def test_every_slot_knows_its_components() -> None:
    for slot, registry in SLOTS.items():
        assert registry.known(), slot
        assert all(issubclass(registry.find(n), registry.component) for n in registry.known())


def test_a_class_of_another_slot_is_rejected(registry: SlotRegistry) -> None:
    class Wrong(Readout):
        pass

    with pytest.raises(UserError, match=r"Wrong.*not a subclass of fsarbench\.interfaces\.Matcher"):
        registry.register_module()(Wrong)


def test_a_function_is_rejected(registry: SlotRegistry) -> None:
    with pytest.raises(UserError, match="not a subclass"):
        registry.register_module()(len)  # type: ignore[arg-type]


def test_a_name_clash_names_class_and_file(registry: SlotRegistry) -> None:
    class Mine(Matcher):
        pass

    registry.register_module()(Mine)

    class Other(Matcher):
        pass

    with pytest.raises(
        UserError, match=r"'Mine' is already taken.*Mine.*test_registry\.py.*force=True"
    ):
        registry.register_module(name="Mine")(Other)
    registry.register_module(name="Mine", force=True)(Other)
    assert registry.find("Mine") is Other


def test_the_same_class_may_be_registered_again(registry: SlotRegistry) -> None:
    class Mine(Matcher):
        pass

    registry.register_module()(Mine)
    registry.register_module()(Mine)
    assert registry.find("Mine") is Mine


def test_an_unknown_name_gives_the_nearest_and_all_known() -> None:
    with pytest.raises(UserError) as error:
        MATCHERS.find("otam")
    assert "Unknown matcher 'otam'. Did you mean 'OTAM'?" in str(error.value)
    assert "MeanCosine" in str(error.value)
