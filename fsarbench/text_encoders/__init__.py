"""Class names to text features; importing this package registers every text encoder."""

from fsarbench.text_encoders import openclip_text

__all__ = ["openclip_text"]
