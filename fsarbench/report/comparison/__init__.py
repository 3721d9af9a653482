"""The comparison table of finished runs."""
