"""The model as mmengine's Runner wants it."""

import torch
from jaxtyping import Float
from mmengine.model import BaseModel
from torch import Tensor

from fsarbench.engine.batch import to_episode
from fsarbench.engine.bench import Bench
from fsarbench.engine.half import outcome_of
from fsarbench.engine.texts import text_bank, tunes_text
from fsarbench.model import FewShotModel


class TrainedModel(BaseModel):
    """Losses of one episode; all else is the few-shot model's.

    Args:
        model: What is trained, on the bench's device.
        bench: Whose training split the episodes come from.
        half: Encode in bf16; prototypes, matching and losses stay in fp32.
        together: Encode support and queries in one call, where no text is given to the support.
    """

    def __init__(
        self, model: FewShotModel, bench: Bench, half: bool, together: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.split = bench.splits["train"]
        self.device = bench.device
        self.half = half
        self.together = together
        self.text = None if tunes_text(model) else text_bank(model, self.split)

    def forward(
        self,
        support: Tensor,
        query: Tensor,
        labels: Tensor,
        classes: Tensor,
        iteration: Tensor | None = None,
        mode: str = "loss",
    ) -> dict[str, Float[Tensor, ""]]:
        """The losses of an episode by name (`loss_*`), and its accuracy."""
        del iteration, mode  # The Runner asks for nothing but losses here.
        batch = {"support": support, "query": query, "labels": labels, "classes": classes}
        episode = to_episode(batch, self.split, self.text, self.device)
        outcome = outcome_of(self.model, episode, self.half, self.together)
        losses = self.model.loss(outcome, episode)
        with torch.no_grad():
            right = self.model.scores(outcome).argmax(dim=1) == episode.labels
        named = {f"loss_{name}": value for name, value in losses.items()}
        return {**named, "accuracy": right.float().mean()}
