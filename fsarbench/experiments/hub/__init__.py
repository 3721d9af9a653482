"""Trained models on the Hugging Face hub: `fsarbench push`, and models named `hub:OWNER/NAME`."""
