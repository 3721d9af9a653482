"""Modules of `train_tiny.py`: frames, captions, vocabulary and evaluation."""
