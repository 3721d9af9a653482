"""Configs of `configs/profile`, with the parameter counts of MA-FSAR's paper."""

import pytest

from fsarbench.catalogue.package_data import resource
from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.profiling.dummy_inputs import build_profiled_model
from fsarbench.profiling.parameters import slot_parameters

FOLDER = resource("configs") / "profile"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
TPCM = 3_152_384
# Trainable parameters without TPCM, and all parameters. The paper gives 18.54, 90.99 and 3.15 M
# trainable parameters, and 169.81 and 154.43 M in total.
PARAMETERS = {
    "mafsar": (18_537_728 - TPCM, 169_815_041),
    "finetune": (87_849_216, 154_429_697),
    "frozen_tpcm": (0, 154_429_697),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_config_passes_the_check(name: str) -> None:
    loaded = load_config(f"profile/{name}")
    check_config(loaded)
    episodes = loaded.values["episodes"]
    assert (episodes["way"], episodes["shot"]) == (5, 5 if "5shot" in name else 1)


def test_every_method_has_a_1_shot_and_a_5_shot_config() -> None:
    vitb32 = {name.rpartition("_")[0] for name in NAMES if "_vitb32_" in name}
    assert vitb32 == {
        f"{m}_vitb32" for m in ("frozen_tpcm", "finetune", "mafsar", "stadapter", "aim", "lora")
    }
    assert {f"{name}_{shot}shot" for name in vitb32 for shot in (1, 5)} < set(NAMES)


@pytest.mark.parametrize("method", PARAMETERS)
def test_parameter_counts_equal_those_of_the_paper(method: str) -> None:
    model = build_profiled_model(load_config(f"profile/{method}_vitb32_1shot").values).model
    slots = slot_parameters(model)
    trainable, total = PARAMETERS[method]
    assert sum(slot.tuned for slot in slots) == trainable + TPCM
    assert sum(slot.total for slot in slots) == total


def test_configs_of_one_backbone_and_shot_differ_only_in_the_adapter() -> None:
    configs = [load_config(f"profile/{name}").values for name in NAMES if "_vitb32_1shot" in name]
    rest = [{key: value for key, value in c.items() if key != "adapter"} for c in configs]
    assert all(values == rest[0] for values in rest)
