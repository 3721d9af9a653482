"""Cost of a model: parameters, FLOPs, memory and time, measured without data or weights."""
