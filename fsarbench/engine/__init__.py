"""Training, evaluation, and what they measure."""
