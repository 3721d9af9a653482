"""A matcher as somebody outside the project would write it, as text."""

PART = '''
import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class LastFrame(Matcher):
    """Cosine of the last frames."""

    def __init__(self, scale: float = 10.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        q = query[:, None, -1]
        p = prototypes.mean(2)[:, :, -1]
        return self.scale * torch.cosine_similarity(q, p, dim=-1)RESULT
'''


def last_frame(result: str = "") -> str:
    """The module, with something behind what the matcher returns."""
    return PART.replace("RESULT", result)
