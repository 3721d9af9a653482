"""Data sets split by class."""
