"""Check of all videos of a data set: decode each one and list the bad ones."""
