"""Subjects of fsarbench-tiny: no data, no pretrained weights."""

from collections.abc import Callable

import pytest

from fsarbench.config.loading import load
from fsarbench.config.validation import check
from fsarbench.profiling.dummy_inputs import Subject, subject_of

SMALL = ("backbone.pretrained=None", "text_encoder.pretrained=None", "episodes.way=2")


@pytest.fixture(scope="session")
def small() -> Callable[..., Subject]:
    def built(*overrides: str, method: str = "mafsar") -> Subject:
        text = method != "frozen"
        fixed = [o for o in SMALL if text or not o.startswith("text_encoder")]
        config = load(f"{method}_synthact_1shot", [*fixed, "episodes.train_queries=1", *overrides])
        check(config)
        return subject_of(config.values)

    return built
