"""The built-in data set of real pen movements."""
