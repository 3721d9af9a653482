"""The configs of `configs/profile`, against the figures that MA-FSAR's paper prints."""

import pytest

from fsarbench.catalogue.package_data import resource
from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.profiling.dummy_inputs import build_profiled_model
from fsarbench.profiling.parameters import parts

FOLDER = resource("configs") / "profile"
EVERY = sorted(path.stem for path in FOLDER.glob("*.py"))
TPCM = 3_152_384
# Tuned beside TPCM, and all parameters. The paper prints 18.54, 90.99 and 3.15 M tuned, and
# 169.81 and 154.43 M in all.
TUNED = {
    "mafsar": (18_537_728 - TPCM, 169_815_041),
    "finetune": (87_849_216, 154_429_697),
    "frozen_tpcm": (0, 154_429_697),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_config_passes_the_check(name: str) -> None:
    loaded = load_config(f"profile/{name}")
    check_config(loaded)
    kind = loaded.values["episodes"]
    assert (kind["way"], kind["shot"]) == (5, 5 if "5shot" in name else 1)


def test_every_method_comes_with_one_and_five_shots() -> None:
    vitb32 = {name.rpartition("_")[0] for name in EVERY if "_vitb32_" in name}
    assert vitb32 == {
        f"{m}_vitb32" for m in ("frozen_tpcm", "finetune", "mafsar", "stadapter", "aim", "lora")
    }
    assert {f"{name}_{shot}shot" for name in vitb32 for shot in (1, 5)} < set(EVERY)


@pytest.mark.parametrize("method", TUNED)
def test_parameters_are_those_of_the_paper(method: str) -> None:
    slots = parts(build_profiled_model(load_config(f"profile/{method}_vitb32_1shot").values).model)
    tuned, total = TUNED[method]
    assert sum(part.tuned for part in slots) == tuned + TPCM
    assert sum(part.total for part in slots) == total


def test_only_the_adapter_differs() -> None:
    configs = [load_config(f"profile/{name}").values for name in EVERY if "_vitb32_1shot" in name]
    rest = [{key: value for key, value in c.items() if key != "adapter"} for c in configs]
    assert all(values == rest[0] for values in rest)
