"""Import of open_clip without the two large libraries that few of its models need.

open_clip imports timm and transformers if they are installed, which takes longer than torch. Only
models with a vision tower of timm or a text tower of transformers use them, so they are imported
when such a model is built.
"""

import importlib

from fsarbench.backbones.hub import as_if_absent

# Modules of open_clip that use each library, in the order of their imports.
USERS = {"timm": ("timm_model",), "transformers": ("hf_model", "coca_model")}


with as_if_absent(*USERS):
    import open_clip
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

__all__ = ["ModifiedResNet", "ResidualAttentionBlock", "VisionTransformer", "complete", "open_clip"]


def complete(model: str) -> None:
    """Import the libraries that a model of open_clip needs, if open_clip was imported without them.

    Args:
        model: Model name of open_clip.
    """
    config = open_clip.get_model_config(model) or {}
    vision, text = config.get("vision_cfg", {}), config.get("text_cfg", {})
    if "timm_model_name" in vision:
        run_again("timm")
    if "hf_model_name" in text or "multimodal_cfg" in config:
        run_again("transformers")


def run_again(library: str) -> None:
    """Run the modules of open_clip again that were imported as if a library were absent.

    Their old classes stay valid, because these look the library up in the same modules.
    """
    for name in USERS[library]:
        module = importlib.import_module(f"open_clip.{name}")
        if not (getattr(module, library, None) or getattr(module, f"_has_{library}", None)):
            importlib.reload(module)
