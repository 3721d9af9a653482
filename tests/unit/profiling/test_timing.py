import pytest
import torch

from fsarbench.profiling.roofline import Ceilings, Piece, Traffic, work
from fsarbench.profiling.timing import conditions, time_runs
from fsarbench.settings import TrainSettings

CPU = torch.device("cpu")


def test_warm_up_is_not_timed() -> None:
    runs: list[int] = []
    timing = time_runs(lambda: runs.append(1), CPU, repeats=5, warmup=3)
    assert len(runs) == 8
    assert (timing.repeats, timing.warmup) == (5, 3)
    assert 0 < timing.low <= timing.median <= timing.high


def test_two_repeats_give_least_and_largest() -> None:
    timing = time_runs(lambda: None, CPU, repeats=2, warmup=0)
    assert timing.median == pytest.approx((timing.low + timing.high) / 2)


def test_conditions_say_what_the_numbers_depend_on() -> None:
    found = conditions(CPU)
    assert found["device"]["type"] == "cpu"
    assert {"torch", "python"} <= set(found["versions"])


def test_traffic_counts_what_is_read_and_written_but_no_views() -> None:
    matrix = torch.ones(10, 20)
    with Traffic() as traffic:
        matrix.t()[1:].reshape(-1)[0:5]
        copied = matrix.clone()
        torch.mm(matrix, copied.t())
    # reshape of a transposed matrix copies it; the clone; two factors and their product.
    assert traffic.bytes == 4 * (2 * 190 + 2 * 200 + 2 * 200 + 100)


@pytest.mark.parametrize(("product", "copy", "bound"), [(1e3, 1e9, "product"), (1e9, 1e3, "copy")])
def test_the_nearer_ceiling_bounds(product: float, copy: float, bound: str) -> None:
    ceilings = Ceilings(product=product, copy=copy, dtype="float32")
    matrix = torch.ones(10, 10)
    piece = Piece("product", 2000, lambda _: matrix @ matrix)
    found = work(piece, TrainSettings(), ceilings, CPU, repeats=2)
    assert found.bound == bound
    assert found.traffic == 3 * 400
    least = {"product": 2000 / product, "copy": 1200 / copy}[bound]
    assert found.share == pytest.approx(least / found.seconds)
    assert found.product_share == pytest.approx(2000 / product / found.seconds)
