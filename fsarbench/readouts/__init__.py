"""What a test episode is scored by."""
