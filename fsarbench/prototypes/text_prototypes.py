"""Text features of the classes in place of prototypes of videos."""

from jaxtyping import Float
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.functional.text_scores import check_widths, class_text
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class TextPrototypes(PrototypeBuilder):
    """Text feature of each class at every step, for a branch that compares videos with text.

    With the matcher MeanCosine the logits are those of zero-shot CLIP (Radford et al., ICML 2021)
    for the time-averaged video. The support videos are not read.

    Example:
        >>> import torch
        >>> text = torch.ones(5, 2, 4)
        >>> prototypes, _ = TextPrototypes()(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), text)
        >>> prototypes.shape
        torch.Size([1, 5, 1, 8, 4])
    """

    uses_text = True
    uses_support = False

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]:
        """The mean over the sentences of each class, repeated S times; queries are unchanged.

        Raises:
            UserError: `text` is None, or its width differs from that of the features.
        """
        if text is None:
            raise UserError(
                "TextPrototypes needs the text features of the classes: give the config a "
                "text_encoder, or choose other prototypes."
            )
        check_widths("TextPrototypes", support.shape[-1], text.shape[-1])
        steps = class_text(text)[None, :, None, None].expand(1, -1, 1, support.shape[2], -1)
        return steps, query
