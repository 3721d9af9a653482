"""Parts of `train_tiny.py`: frames, captions, words and a quick look at usefulness."""
