"""Training: one plain PyTorch loop, its checkpoints, its resume states and its trackers."""
