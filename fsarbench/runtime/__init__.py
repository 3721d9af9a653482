"""Processes and files: ranks, workers, atomic writes, locks, progress and random streams."""
