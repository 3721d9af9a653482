"""Built-in data sets: rendering, manifest and video files."""
