"""Views of the pre-norm blocks of transformers' video models with joint attention."""

from collections.abc import Mapping
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.backbones.vit import UNCHANGED, run_with
from fsarbench.interfaces import Projection


class HFBlock:
    """View of one block; `fsarbench.interfaces.Block` describes the methods.

    Args:
        layer: Block of transformers.
        changes: Weight deltas of projections.

    Attributes:
        attention_names: Weight of each projection of the attention, by its name in `attention`.
    """

    prefix = 0
    attention_names: ClassVar[Mapping[Projection, str]]

    def __init__(self, layer: Any, changes: Mapping[Projection, Tensor] = UNCHANGED) -> None:
        self.layer, self.changes = layer, dict(changes)
        self.attention_weights = changed(layer.attention, changes, self.attention_names)

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the attention."""
        return self.layer.layernorm_before(tokens)

    def attend(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Self-attention over L; transformers takes only one leading axis."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        return self.attention(flat).reshape(tokens.shape)

    def attention(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
        """Self-attention with its output projection."""
        raise NotImplementedError

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the MLP."""
        return self.layer.layernorm_after(tokens)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens."""
        raise NotImplementedError

    def __call__(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Forward of the block, residuals included."""
        tokens = tokens + self.attend(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))

    def reweighted(self, changes: Mapping[Projection, Tensor]) -> "HFBlock":
        """The same block with weight deltas added to its projections."""
        return type(self)(self.layer, changes)


class VideoMAEBlock(HFBlock):
    """View of one `VideoMAELayer`, whose MLP is split into two modules."""

    attention_names: ClassVar[Mapping[Projection, str]] = {
        "q": "attention.query.weight",
        "k": "attention.key.weight",
        "v": "attention.value.weight",
        "o": "output.dense.weight",
    }

    def attention(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
        """Self-attention with its output projection."""
        return run_with(self.layer.attention, self.attention_weights, tokens)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens; the library's second module would add the residual itself."""
        first, second = self.layer.intermediate, self.layer.output
        hidden = run_with(first, changed(first, self.changes, {"up": "dense.weight"}), tokens)
        weights = changed(second.dense, self.changes, {"down": "weight"})
        return second.dropout(run_with(second.dense, weights, hidden))


class VivitBlock(HFBlock):
    """View of one `VivitLayer`."""

    prefix = 1
    attention_names: ClassVar[Mapping[Projection, str]] = {
        name: f"{name}_proj.weight" for name in ("q", "k", "v", "o")
    }

    def attention(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
        """Self-attention with its output projection and dropout."""
        mixed, _ = run_with(self.layer.attention, self.attention_weights, tokens)
        return self.layer.dropout(mixed)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens with dropout."""
        return self.layer.dropout(run_mlp(self.layer.mlp, self.changes, tokens))


class VJEPA2Block(HFBlock):
    """View of one `VJEPA2Layer`, with rotary positions inside the attention."""

    attention_names: ClassVar[Mapping[Projection, str]] = {
        "q": "query.weight",
        "k": "key.weight",
        "v": "value.weight",
        "o": "proj.weight",
    }

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the attention."""
        return self.layer.norm1(tokens)

    def attention(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
        """Self-attention with its output projection and drop path."""
        mixed, _ = run_with(self.layer.attention, self.attention_weights, tokens)
        return self.layer.drop_path(mixed)

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the MLP."""
        return self.layer.norm2(tokens)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens; drop path drops whole clips."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        out = self.layer.drop_path(run_mlp(self.layer.mlp, self.changes, flat))
        return out.reshape(tokens.shape)


def run_mlp(mlp: nn.Module, changes: Mapping[Projection, Tensor], tokens: Tensor) -> Tensor:
    """Forward of an MLP with the layers `fc1` and `fc2`."""
    names: Mapping[Projection, str] = {"up": "fc1.weight", "down": "fc2.weight"}
    return run_with(mlp, changed(mlp, changes, names), tokens)


def changed(
    module: nn.Module, changes: Mapping[Projection, Tensor], names: Mapping[Projection, str]
) -> dict[str, Tensor]:
    """Modified weights of a module by parameter name, for separate projections.

    Args:
        module: Attention or MLP.
        changes: Weight delta of each projection, "out in".
        names: Parameter name of each projection.
    """
    return {
        name: module.get_parameter(name) + changes[projection]
        for projection, name in names.items()
        if projection in changes
    }
