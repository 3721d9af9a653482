import pytest
import torch

from fsarbench.profiling.roofline import Ceilings, Traffic, Workload, measure_workload
from fsarbench.profiling.timing import conditions, time_runs
from fsarbench.settings import TrainSettings

CPU = torch.device("cpu")


def test_warmup_runs_are_not_timed() -> None:
    runs: list[int] = []
    timing = time_runs(lambda: runs.append(1), CPU, repeats=5, warmup=3)
    assert len(runs) == 8
    assert (timing.repeats, timing.warmup) == (5, 3)
    assert 0 < timing.low <= timing.median <= timing.high


def test_quartiles_of_two_repeats_are_minimum_and_maximum() -> None:
    timing = time_runs(lambda: None, CPU, repeats=2, warmup=0)
    assert timing.median == pytest.approx((timing.low + timing.high) / 2)


def test_conditions_contain_device_and_versions() -> None:
    content = conditions(CPU)
    assert content["device"]["type"] == "cpu"
    assert {"torch", "python"} <= set(content["versions"])


def test_traffic_counts_read_and_written_bytes_without_views() -> None:
    matrix = torch.ones(10, 20)
    with Traffic() as traffic:
        matrix.t()[1:].reshape(-1)[0:5]
        clone = matrix.clone()
        torch.mm(matrix, clone.t())
    # reshape of a transposed matrix copies it; the clone; two factors and their product.
    assert traffic.bytes == 4 * (2 * 190 + 2 * 200 + 2 * 200 + 100)


@pytest.mark.parametrize(("product", "copy", "bound"), [(1e3, 1e9, "product"), (1e9, 1e3, "copy")])
def test_the_slower_ceiling_is_the_bound(product: float, copy: float, bound: str) -> None:
    ceilings = Ceilings(product=product, copy=copy, dtype="float32")
    matrix = torch.ones(10, 10)
    workload = Workload("product", 2000, lambda _: matrix @ matrix)
    point = measure_workload(workload, TrainSettings(), ceilings, CPU, repeats=2)
    assert point.bound == bound
    assert point.traffic == 3 * 400
    minimum = {"product": 2000 / product, "copy": 1200 / copy}[bound]
    assert point.share == pytest.approx(minimum / point.seconds)
    assert point.product_share == pytest.approx(2000 / product / point.seconds)
