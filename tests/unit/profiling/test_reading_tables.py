"""Tables of the reading benchmark."""

from benchmarks.tables import reading


def test_one_table_per_kind_of_file() -> None:
    extra = {
        "clips/s": 1234.5,
        "clips/s, all cores busy": 7.25,
        "whole clips/s": 31.2,
        "x decord, seeking": 1.5,
        "different": "3 of 8",
    }
    seconds = {"median": 1.0, "iqr": 0.1}
    rows = [
        {"group": "XviD AVI", "name": "decord, seeking", "seconds": seconds, "extra": extra},
        {"group": "mp4", "name": "store, raw", "seconds": seconds, "extra": {"clips/s": 9.0}},
    ]
    lines = list(reading(rows))
    assert [line for line in lines if line.startswith("*")] == ["*XviD AVI*\n", "*mp4*\n"]
    assert "| decord, seeking | 1,234 | 7.2 | 31 |  | 1.50 | **3 of 8: wrong** |" in lines
    assert "| store, raw | 9.0 |  |  |  |  | stored |" in lines
