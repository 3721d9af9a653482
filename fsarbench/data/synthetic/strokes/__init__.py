"""Built-in data set `strokes`: recorded pen movements."""
