import pytest

from fsarbench.errors import UserError
from fsarbench.settings import EvaluateSettings, TrainSettings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("episodes", -1),
        ("accumulate", 0),
        ("lr", -0.1),
        ("lr", float("nan")),
        ("weight_decay", -1.0),
        ("warmup", 1000),
        ("schedule", "linear"),
        ("clip_grad", 0.0),
        ("precision", "fp16"),
        ("val_interval", 0),
        ("workers", -1),
    ],
)
def test_an_invalid_training_setting_is_named(key: str, value: object) -> None:
    with pytest.raises((UserError, TypeError), match=rf"train\.{key}|{key}"):
        TrainSettings(**{key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("episodes", 0), ("confidence", 1.0), ("batch_size", 0), ("chunk", 0), ("cache", "never")],
)
def test_an_invalid_test_setting_is_named(key: str, value: object) -> None:
    with pytest.raises((UserError, TypeError), match=rf"evaluate\.{key}|{key}"):
        EvaluateSettings(**{key: value})


def test_zero_training_episodes_allow_any_warm_up() -> None:
    assert TrainSettings(episodes=0, warmup=10).warmup == 10
