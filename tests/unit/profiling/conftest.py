"""Profiled models with the backbone fsarbench-tiny, without data or pretrained weights."""

from collections.abc import Callable

import pytest

from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.profiling.dummy_inputs import ProfiledModel, build_profiled_model

SMALL = ("backbone.pretrained=None", "text_encoder.pretrained=None", "episodes.way=2")


@pytest.fixture(scope="session")
def small() -> Callable[..., ProfiledModel]:
    def build(*overrides: str, method: str = "mafsar") -> ProfiledModel:
        uses_text = method != "frozen"
        fixed = [o for o in SMALL if uses_text or not o.startswith("text_encoder")]
        config = load_config(
            f"{method}_synthact_1shot", [*fixed, "episodes.train_queries=1", *overrides]
        )
        check_config(config)
        return build_profiled_model(config.values)

    return build
