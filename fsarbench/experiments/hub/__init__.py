"""Trained models on the Hugging Face hub: `fsarbench push`, and models named `hub:OWNER/NAME`."""

PREFIX = "hub:"


def is_hub(name: str) -> bool:
    """Whether a name of a config or model is an address on the hub."""
    return name.startswith(PREFIX)
