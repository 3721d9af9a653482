"""Every codec and pixel format: each reader returns the frames of FFmpeg or rejects the file."""

from pathlib import Path

from benchmarks.reader_sweep import EQUAL, READERS, REFUSED, WRONG, sweep
from tests.helpers.all_readers import WITHOUT


def test_every_reader_returns_the_frames_of_ffmpeg_or_rejects_the_file(tmp_path: Path) -> None:
    readers = {n: r for n, r in READERS.items() if n != "TorchCodecReader" or not WITHOUT}
    verdicts = {str(sample): by_reader for sample, by_reader in sweep(tmp_path, readers)}
    wrong = {name: by_reader for name, by_reader in verdicts.items() if WRONG in by_reader.values()}
    assert wrong == {}
    assert len(verdicts) > 300
    assert {by_reader["PyAVReader"] for by_reader in verdicts.values()} == {EQUAL}
    decord = {name: by_reader["DecordReader"] for name, by_reader in verdicts.items()}
    assert decord["h264 yuv420p mp4"] == decord["mpeg4 yuv420p avi"] == EQUAL
    for name in ("rawvideo pal8 avi", "qtrle gray mov", "png pal8 mov", "av1 yuv420p mp4",
                 "h264 yuv420p ts", "libtheora yuv420p ogv", "gif gray gif"):  # fmt: skip
        if name in verdicts:
            assert decord[name].startswith(REFUSED), name
