"""What is done to the blocks of a trunk."""
