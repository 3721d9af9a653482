"""Training losses over an episode."""
