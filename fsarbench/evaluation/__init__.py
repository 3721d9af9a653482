"""Testing: cached and uncached evaluation of a model on episodes."""
