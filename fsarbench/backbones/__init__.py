"""Frames to frame features; importing this package registers every backbone."""

from fsarbench.backbones import openclip_resnet, openclip_vit, timm_cnn, timm_vit

__all__ = ["openclip_resnet", "openclip_vit", "timm_cnn", "timm_vit"]
