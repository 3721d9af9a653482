"""Adapters of backbone blocks.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.adapters.adapt_former import AdaptFormer as AdaptFormer
    from fsarbench.adapters.aim import AIM as AIM
    from fsarbench.adapters.bias_tuning import BiasTuning as BiasTuning
    from fsarbench.adapters.d2st_adapter import D2STAdapter as D2STAdapter
    from fsarbench.adapters.dia import DiA as DiA
    from fsarbench.adapters.fine_grained_multimodal import (
        FineGrainedMultimodal as FineGrainedMultimodal,
    )
    from fsarbench.adapters.frozen import Frozen as Frozen
    from fsarbench.adapters.full_fine_tuning import FullFineTuning as FullFineTuning
    from fsarbench.adapters.lora import LoRA as LoRA
    from fsarbench.adapters.norm_tuning import NormTuning as NormTuning
    from fsarbench.adapters.partial_fine_tuning import PartialFineTuning as PartialFineTuning
    from fsarbench.adapters.st_adapter import STAdapter as STAdapter
    from fsarbench.adapters.task_adapter import TaskAdapter as TaskAdapter
    from fsarbench.adapters.visual_prompts import VisualPrompts as VisualPrompts

# The module of each class; the registry finds components here.
COMPONENTS = {
    "AdaptFormer": "adapt_former",
    "AIM": "aim",
    "BiasTuning": "bias_tuning",
    "D2STAdapter": "d2st_adapter",
    "DiA": "dia",
    "FineGrainedMultimodal": "fine_grained_multimodal",
    "Frozen": "frozen",
    "FullFineTuning": "full_fine_tuning",
    "LoRA": "lora",
    "NormTuning": "norm_tuning",
    "PartialFineTuning": "partial_fine_tuning",
    "STAdapter": "st_adapter",
    "TaskAdapter": "task_adapter",
    "VisualPrompts": "visual_prompts",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
