"""Support features to class prototypes; importing this package registers every builder."""

from fsarbench.prototypes import each_shot, hybrid_relation, mean, semantic_modulation, text_guided

__all__ = ["each_shot", "hybrid_relation", "mean", "semantic_modulation", "text_guided"]
