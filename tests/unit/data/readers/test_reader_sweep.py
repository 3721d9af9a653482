"""Every codec and pixel format: each reader gives FFmpeg's own frames, or refuses the file."""

from pathlib import Path

from benchmarks.reader_sweep import EQUAL, READERS, REFUSED, WRONG, sweep
from tests.helpers.all_readers import WITHOUT


def test_every_reader_gives_the_frames_of_ffmpeg_or_refuses_the_file(tmp_path: Path) -> None:
    readers = {n: r for n, r in READERS.items() if n != "TorchCodecReader" or not WITHOUT}
    found = {str(sample): verdicts for sample, verdicts in sweep(tmp_path, readers)}
    wrong = {name: verdicts for name, verdicts in found.items() if WRONG in verdicts.values()}
    assert wrong == {}
    assert len(found) > 300
    assert {verdicts["PyAVReader"] for verdicts in found.values()} == {EQUAL}
    decord = {name: verdicts["DecordReader"] for name, verdicts in found.items()}
    assert decord["h264 yuv420p mp4"] == decord["mpeg4 yuv420p avi"] == EQUAL
    for name in ("rawvideo pal8 avi", "qtrle gray mov", "png pal8 mov", "av1 yuv420p mp4",
                 "h264 yuv420p ts", "libtheora yuv420p ogv", "gif gray gif"):  # fmt: skip
        if name in found:
            assert decord[name].startswith(REFUSED), name
