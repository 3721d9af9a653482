"""Checks of the arguments of components and settings against annotations and rules."""
