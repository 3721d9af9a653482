"""Pure tensor functions, without state and without a registry."""
