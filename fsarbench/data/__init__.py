"""Videos, clips, splits and episodes."""
