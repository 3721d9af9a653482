"""Support features to class prototypes."""
