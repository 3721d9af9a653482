"""Built-in data sets: rendering, manifest, video files."""
