"""Frame store: frames of decoded videos on disk, so that clips are read without decoding."""
