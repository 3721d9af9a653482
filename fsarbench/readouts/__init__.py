"""What a test episode is scored by; importing this package registers every readout."""

from fsarbench.readouts import arithmetic_fusion, geometric_fusion, match_only, text_only

__all__ = ["arithmetic_fusion", "geometric_fusion", "match_only", "text_only"]
