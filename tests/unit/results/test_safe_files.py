"""Arrays and JSON of other people: limits, and messages that name the fault."""

import io
import zipfile

import numpy as np
import pytest

from fsarbench.results.faults import FaultError
from fsarbench.results.predictions import (
    Draw,
    Predictions,
    compact_predictions,
    drawn_again,
    parse_predictions,
)
from fsarbench.results.safe_npz import read_arrays
from fsarbench.results.strict_json import parse_json


def npz(**arrays: object) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=True, **{k: np.array(v) for k, v in arrays.items()})
    return content.getvalue()


def test_arrays_are_those_of_numpy() -> None:
    found = read_arrays(npz(a=[[1, 2], [3, 4]], b=["x", "yz"], c=7), "file")
    assert found["a"].tolist() == [[1, 2], [3, 4]]
    assert found["b"].tolist() == ["x", "yz"]
    assert found["c"].shape == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a zip file", "expected a complete .npz file"),
        (npz(a=[1, 2])[:-30], "expected a complete .npz file"),
        (npz(a=np.zeros(2000, dtype=np.int64)), "at most 1,000 bytes of arrays, found 16,128"),
        (npz(a=[None]), "integers or text, found values of the type object"),
        (npz(a=[0.5]), "integers or text, found values of the type float64"),
    ],
)
def test_other_content_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(FaultError, match=f"file.*{message}"):
        read_arrays(content, "file", limit=1000)


def test_an_array_twice_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", b"")
    with pytest.raises(FaultError, match="one array per name"):
        read_arrays(content.getvalue(), "file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a JSON text"),
        ("[" * 100_000, "a JSON text"),
        ('{"a": NaN}', "finite numbers of at most 64 bits, found NaN"),
        ('{"a": 1e999}', "found 1e999"),
        ('{"a": 9223372036854775808}', "found 9223372036854775808"),
        ('{"a": 1, "a": 2}', "a: expected the key once"),
        (b"\xff\xfe\xff", "a JSON text"),
    ],
)
def test_json_of_other_content_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(FaultError, match=f"file: .*{message}"):
        parse_json(text, "file")


LABELS = [0, 0, 1, 1, 2, 2, 2]
COMPACT: dict[str, object] = {
    "predictions": np.zeros((4, 2), dtype=np.uint8),
    "video_labels": LABELS,
    "video_ids": list("abcdefg"),
    "class_names": ["x", "y", "z"],
    "draw": [0, 2, 1, 1],
    "episodes_sha256": ["0"],
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "episodes_sha256: expected .* the episodes of seed 0, found 0"),
        ({"draw": [0, 2, 1]}, "draw: expected 4 numbers"),
        ({"draw": [-1, 2, 1, 1]}, "draw: expected a seed"),
        ({"draw": [0, 4, 1, 1]}, "a way of at most the number of classes"),
        ({"draw": [0, 2, 1, 2]}, "predictions: expected 4 per episode"),
        ({"draw": [0, 2, 5, 1]}, "draw: expected episodes that the test list can fill"),
        ({"video_labels": [9] * 7}, "draw: expected"),
        ({"video_labels": ["x"] * 7}, "video_labels: expected an array of integers"),
        ({"video_ids": [1] * 7}, "video_ids: expected a list of texts"),
        ({"predictions": np.zeros((0, 2), dtype=np.uint8)}, "found 0"),
    ],
)
def test_a_file_without_episodes_is_checked(changed: dict[str, object], message: str) -> None:
    with pytest.raises(FaultError, match=message):
        parse_predictions(npz(**{**COMPACT, **changed}), "file")


def test_a_file_that_asks_for_too_many_episodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsarbench.results.predictions.MOST_KEYS", 30)
    with pytest.raises(FaultError, match=r"predictions: expected 1 to 30 keys .* found 36"):
        parse_predictions(npz(**COMPACT), "file")


def test_the_episodes_of_a_small_file_are_drawn_again() -> None:
    empty = np.zeros((4, 2), dtype=np.int64)
    labels = np.array(LABELS)
    found = Predictions(
        empty, empty[..., None], empty, empty, empty, labels, tuple("abcdefg"), ("x", "y", "z")
    )
    draw = Draw(3, 2, 1, 1)
    again = drawn_again(found, draw)
    whole = Predictions(
        again.classes,
        again.support,
        again.query,
        again.labels,
        empty,
        labels,
        found.video_ids,
        found.class_names,
    )
    read = parse_predictions(compact_predictions(whole, draw), "file")
    assert read.same_episodes(whole)
