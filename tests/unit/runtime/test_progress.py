import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from fsarbench.runtime.progress import ProgressBars, silence


@pytest.fixture
def page() -> io.StringIO:
    return io.StringIO()


def lines(page: io.StringIO) -> list[str]:
    return page.getvalue().splitlines()


def test_without_a_terminal_a_line_is_printed_at_every_step(page: io.StringIO) -> None:
    with ProgressBars(Console(file=page, width=40)).task("train", 10, step=4) as bar:
        for number in range(10):
            bar.advance(note=f"loss {number}")
    assert [line.split()[:2] for line in lines(page)] == [
        ["train", "4/10"], ["train", "8/10"], ["train", "10/10"],
    ]  # fmt: skip
    assert lines(page)[0].endswith("left  loss 3")
    assert "/s" in lines(page)[0]


def test_skipped_units_do_not_count_for_the_rate(
    page: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=iter([0.0, 4.0]).__next__)
    monkeypatch.setattr("fsarbench.runtime.progress.time", clock)
    with ProgressBars(Console(file=page, width=80)).task("train", 100, step=2) as bar:
        bar.skip(90)
        bar.advance(2)
    assert lines(page) == ["train 92/100  0.5/s  0:00:16 left"]


def test_short_work_leaves_no_line(page: io.StringIO) -> None:
    with ProgressBars(Console(file=page)).task("match", 10) as bar:
        bar.advance(10)
    assert lines(page) == []


def test_quiet_shows_nothing(page: io.StringIO) -> None:
    with ProgressBars(Console(file=page, force_terminal=True), quiet=True).task(
        "train", 2, 1
    ) as bar:
        bar.advance(2)
    assert page.getvalue() == ""


def test_nested_bars_on_a_terminal(page: io.StringIO) -> None:
    bars = ProgressBars(Console(file=page, force_terminal=True, width=100))
    with bars.task("train", 4) as outer:
        outer.advance(note="loss 1.5")
        with bars.task("encode val", 2) as inner:
            inner.advance(2)
        outer.advance()
    for text in ("train", "encode val", "loss 1.5"):
        assert text in page.getvalue()


def test_a_bar_is_removed_if_the_work_fails(page: io.StringIO) -> None:
    bars = ProgressBars(Console(file=page, force_terminal=True))
    with pytest.raises(KeyError), bars.task("train", 4):
        raise KeyError
    with bars.task("again", 1) as bar:
        bar.advance()
    assert "again" in page.getvalue()


def test_permanent_lines_are_printed_without_markup_and_wrapping(page: io.StringIO) -> None:
    line = "Rendering [red]: 2 videos in /a/folder/whose/name/is/long"
    ProgressBars(Console(file=page, width=20)).say(line)
    assert lines(page) == [line]


def test_bars_inside_silence_show_nothing(page: io.StringIO) -> None:
    console = Console(file=page)
    with silence(), silence(False), ProgressBars(console).task("train", 2, 1) as bar:
        ProgressBars(console).say("Making")
        bar.advance(2)
    assert page.getvalue() == ""
    ProgressBars(console).say("after")
    assert lines(page) == ["after"]


@pytest.mark.parametrize(
    ("width", "note"), [(120, "accuracy 45.0%"), (80, "accuracy 45.0%"), (60, "loss")]
)
def test_counts_are_not_cut_off_on_a_narrow_terminal(
    page: io.StringIO, width: int, note: str
) -> None:
    bars = ProgressBars(Console(file=page, force_terminal=True, width=width, color_system=None))
    with bars.task("train", 10_000) as bar, bars.task("encode val", 960) as inner:
        bar.advance(4000, "loss 1.234  accuracy 45.0%")
        inner.advance(500)
        assert bars._progress is not None
        bars._progress.refresh()
    output = page.getvalue()
    for text in ("train", "4000/10000", "encode val", "500/960", note):
        assert text in output
    assert "…" not in output


def test_no_color_is_honoured(page: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    with ProgressBars(Console(file=page, force_terminal=True, width=80)).task("train", 4) as bar:
        bar.advance()
    colours = re.findall(r"\x1b\[[0-9;]*3[0-9][0-9;]*m|\x1b\[38", page.getvalue())
    assert "train" in page.getvalue()
    assert colours == []
