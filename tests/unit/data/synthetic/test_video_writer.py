"""Video files of built-in data sets: frames after decoding, key frames, and atomic writes."""

import av
import numpy as np
import pytest

from fsarbench.data.synthetic.build import encode, write_video
from fsarbench.runtime.atomic_files import write_atomically


@pytest.fixture
def frames():
    """Frames with a bright square that moves over a gradient."""
    ramp = np.linspace(40, 200, 64)[None, None, :, None]
    clip = np.broadcast_to(ramp, (20, 48, 64, 3)).astype(np.uint8).copy()
    for t in range(20):
        clip[t, 16:32, 2 * t : 2 * t + 16] = (200, 180, 60)
    return clip


def decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def test_decoded_frames_resemble_the_written_ones(tmp_path, frames):
    size = write_video(tmp_path / "a.mp4", frames, 12)
    read = np.stack([f.to_ndarray(format="rgb24") for f in decoded(tmp_path / "a.mp4")])
    assert read.shape == frames.shape
    assert np.abs(read.astype(float) - frames).mean() < 4
    assert size == (tmp_path / "a.mp4").stat().st_size


def test_frame_rate_and_key_frames(tmp_path, frames):
    write_video(tmp_path / "a.mp4", frames, 12)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].average_rate == 12
        packets = [p for p in container.demux(video=0) if p.size]
    assert [i for i, p in enumerate(packets) if p.is_keyframe] == [0, 8, 16]
    assert all(p.pts == p.dts for p in packets)


def test_equal_frames_give_equal_bytes(frames):
    assert encode(frames, 12) == encode(frames, 12)


def test_a_failed_write_leaves_no_file(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "a.bin", b"abc")
    assert list(tmp_path.iterdir()) == []
