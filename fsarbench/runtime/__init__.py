"""Services of a process: ranks, files, progress, randomness, environment."""
