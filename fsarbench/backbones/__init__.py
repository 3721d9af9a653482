"""Frames to frame features; importing this package registers every backbone."""

from fsarbench.backbones import openclip_vit, timm_vit

__all__ = ["openclip_vit", "timm_vit"]
