"""Videos decoded once and kept as frames, from which a clip is read without decoding a video."""
