"""What a finished run leaves behind, and how it is read back."""
