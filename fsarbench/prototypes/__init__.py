"""Prototype builders: class prototypes from support features.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.prototypes.consistency_prototypes import (
        ConsistencyPrototypes as ConsistencyPrototypes,
    )
    from fsarbench.prototypes.each_shot import EachShot as EachShot
    from fsarbench.prototypes.hybrid_relation import HybridRelation as HybridRelation
    from fsarbench.prototypes.match_guided import MatchGuided as MatchGuided
    from fsarbench.prototypes.mean import Mean as Mean
    from fsarbench.prototypes.prompt_modulation import PromptModulation as PromptModulation
    from fsarbench.prototypes.semantic_modulation import SemanticModulation as SemanticModulation
    from fsarbench.prototypes.sub_action_windows import SubActionWindows as SubActionWindows
    from fsarbench.prototypes.text_guided import TextGuided as TextGuided
    from fsarbench.prototypes.text_prototypes import TextPrototypes as TextPrototypes

# The module of each class; the registry finds components here.
COMPONENTS = {
    "ConsistencyPrototypes": "consistency_prototypes",
    "EachShot": "each_shot",
    "HybridRelation": "hybrid_relation",
    "MatchGuided": "match_guided",
    "Mean": "mean",
    "PromptModulation": "prompt_modulation",
    "SemanticModulation": "semantic_modulation",
    "SubActionWindows": "sub_action_windows",
    "TextGuided": "text_guided",
    "TextPrototypes": "text_prototypes",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
