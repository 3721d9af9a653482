"""Class names to text features."""
