"""Frames to frame features."""
