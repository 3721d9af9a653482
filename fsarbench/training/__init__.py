"""Training loop in plain PyTorch, with checkpoints, resume states and trackers."""
