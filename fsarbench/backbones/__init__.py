"""Backbones: features of frames.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.backbones.hf_video import HFVideoBackbone as HFVideoBackbone
    from fsarbench.backbones.openclip_resnet import OpenClipResNet as OpenClipResNet
    from fsarbench.backbones.openclip_vit import OpenClipViT as OpenClipViT
    from fsarbench.backbones.precomputed import Precomputed as Precomputed
    from fsarbench.backbones.timm_cnn import TimmCNN as TimmCNN
    from fsarbench.backbones.timm_vit import TimmViT as TimmViT
    from fsarbench.backbones.torchvision_video import TorchvisionVideo as TorchvisionVideo

# The module of each class; the registry finds components here.
COMPONENTS = {
    "HFVideoBackbone": "hf_video",
    "OpenClipResNet": "openclip_resnet",
    "OpenClipViT": "openclip_vit",
    "Precomputed": "precomputed",
    "TimmCNN": "timm_cnn",
    "TimmViT": "timm_vit",
    "TorchvisionVideo": "torchvision_video",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
