"""Rules for the arguments of components and settings, and their checking."""
