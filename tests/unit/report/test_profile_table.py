import copy
from typing import Any

import pytest
from rich.console import Console

from fsarbench.report.profile_table import details, not_counted, remarks, show, table

PEAK = {
    "total": 3 * 2**30,
    "weights": 2**30,
    "inputs": 0,
    "gradients": 0,
    "optimiser": 0,
    "activations": 2**31,
}
TIMING = {"median": 0.5, "low": 0.4, "high": 0.6, "repeats": 5, "warmup": 2}


def record(name: str = "one") -> dict[str, Any]:
    return {
        "name": name,
        "setting": {
            "way": 5,
            "shot": 1,
            "queries_a_class": 2,
            "train_queries_a_class": 3,
            "frames": 8,
            "size": 224,
            "precision": "fp32",
        },
        "parameters": {
            "tuned": 2_000_000,
            "total": 5_000_000,
            "slots": [
                {"slot": "backbone", "component": "ViT", "tuned": 0, "total": 3_000_000},
                {"slot": "adapter", "component": "Some", "tuned": 2_000_000, "total": 2_000_000},
            ],
        },
        "operations": {
            "convention": "1 multiply-add = 2 FLOP",
            "testing": {
                "text_class": 1_000_000_000,
                "support_video": 2_000_000_000,
                "query_video": 2_000_000_000,
                "episode": 30_000_000_000,
                "slots": {"backbone": 20_000_000_000, "adapter": 10_000_000_000},
                "not_counted": {},
            },
            "training": {
                "forward": 10**10,
                "weights": 10**9,
                "through": 9 * 10**9,
                "step": 2 * 10**10,
                "not_counted": {},
            },
        },
        "memory": {"testing": PEAK, "training": PEAK},
        "measured": {
            "train_step": {"timing": TIMING, "units": 1, "rate": 2.0, "memory": None},
        },
    }


def rendered(renderable: Any) -> str:
    console = Console(width=300)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_numbers_are_followed_by_their_ratio_to_the_first_row() -> None:
    other = record("two")
    other["parameters"]["tuned"] = 500_000
    text = rendered(table([record(), other]))
    assert "0.5000 (0.25)" in text
    assert "30.00 (1.00)" in text
    assert "allocator" not in text, "a column without any number is left out"


def test_missing_numbers_are_printed_as_a_dash() -> None:
    frozen = record("frozen")
    frozen["operations"]["training"] = frozen["memory"]["training"] = None
    frozen["measured"] = None
    row = rendered(table([record(), frozen])).rstrip().splitlines()[-1]
    assert row.split().count("-") == 3
    assert not any("training" in line for line in details(frozen))


def test_details_list_the_terms_of_the_numbers() -> None:
    lines = details(record())
    assert "text class 1.00 GFLOPs (0.50 GMACs)" in lines[0]
    assert "backward 1.00 GFLOPs (0.50 GMACs) for gradients of weights, 9.00 GFLOPs" in lines[1]
    assert "training memory: 3.000 GiB: activations 2.000, weights 1.000" in lines[3]
    assert "train step: 0.5 s (quartiles 0.4 to 0.6, 5 runs), 2 per second" in lines


@pytest.mark.parametrize("stage", ["testing", "training"])
def test_operations_that_are_not_counted_are_listed(stage: str) -> None:
    profiled = record()
    assert not_counted([profiled]) == []
    profiled["operations"][stage]["not_counted"] = {"aten.strange": 2}
    assert not_counted([profiled]) == ["one: FLOPs too low; operations NOT COUNTED: aten.strange"]


def test_show_prints_table_details_roofline_and_remarks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ceilings = {"product": 1e12, "copy": 1e11, "dtype": "float32"}
    work = {
        "name": "OTAM",
        "operations": 10**9,
        "traffic": 2**30,
        "seconds": 0.1,
        "product_share": 0.01,
        "share": 0.4,
        "bound": "copy",
    }
    profile = {
        "device": {"type": "cpu", "name": "x"},
        "configs": [record()],
        "roofline": {"ceilings": ceilings, "work": [work]},
    }
    show(profile)
    text = capsys.readouterr().out
    assert "2,000,000" in text
    assert "40.0% (copy)" in text
    assert "5-way 1-shot, 2 queries per class (3 in training)" in text
    two_configs = copy.deepcopy(profile)
    two_configs["configs"].append(record("two"))
    assert remarks(two_configs)[0].startswith("In brackets: ratio to the first row.")
