"""`benchmarks/scale.py`: measurements on a small list, the plan, and the tables of the page."""

import json

import pytest

from benchmarks.scale import PAGE, STEPS, Plan, large_tables, page_with
from benchmarks.sheet import RESULTS


def test_every_step_is_measured_on_a_small_list() -> None:
    rows = list(large_tables([700]))
    assert [row["step"] for row in rows] == list(STEPS)
    assert all(row["cpu_seconds"] >= 0 and row["bytes"] >= 0 for row in rows)


def test_the_plan_by_hand() -> None:
    plan = Plan(
        step_tflop=10, gpu_tflops=100, episodes=600, clips=2, decoded=1, stored=100, cores=2
    )
    one, four = plan.row(1), plan.row(4)
    assert one["minutes, store"] == pytest.approx(600 * 0.1 / 60)  # computing is slower
    assert one["minutes, mp4"] == pytest.approx(600 * 1.0 / 60)  # decoding is slower
    average = 2 * 3 / 4 * plan.gradient_gb / plan.network
    assert four["minutes, store"] == pytest.approx(150 * (0.1 + average) / 60)


def test_the_page_has_the_tables_of_the_results() -> None:
    found = json.loads((RESULTS / "scale.json").read_text("utf-8"))
    page = PAGE.read_text("utf-8")
    assert page_with(page, found) == page
    with pytest.raises(ValueError, match="No '<!-- scale"):
        page_with("no markers", found)
