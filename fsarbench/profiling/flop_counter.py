"""Counting the floating-point operations of any code, and naming what could not be counted.

torch's own formulas (`torch.utils.flop_counter`) are taken where they are right. Its counter gives
0 to whatever it has no formula for, cheap or not; this one knows which operations are cheap, and
names the others.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten

# How the names begin of what is neither a product of matrices nor hides one: it moves, sums up,
# normalises, interpolates, sorts or draws numbers, a few operations a number at the most, which the
# convention leaves out. Pointwise operations and views are known by their tags and schemas.
# fmt: off
CHEAP = (
    "_adaptive_avg_pool", "_batch_norm", "_fused_adam", "_fused_rms_norm", "_foreach_",
    "_linalg_check_errors", "_local_scalar_dense", "_log_softmax", "_native_batch_norm",
    "_safe_softmax", "_softmax", "_to_copy", "_unsafe_index", "_unsafe_view", "_upsample_",
    "adaptive_", "all", "amax", "amin", "any", "arange", "argmax", "argmin", "argsort",
    "as_strided", "avg_pool", "bernoulli", "cat", "clone", "col2im", "constant_pad_nd", "copy",
    "cummax", "cummin", "cumprod", "cumsum", "diag",
    "embedding", "empty", "equal", "eye", "fill", "flip", "floor_divide", "full", "gather",
    "grid_sampler_", "im2col", "index",
    "linalg_vector_norm", "linspace", "logsumexp", "masked_", "max", "mean", "median", "min",
    "mse_loss", "multinomial", "native_batch_norm", "native_dropout", "native_group_norm",
    "native_layer_norm", "new_", "nll_loss", "nonzero", "norm", "ones", "prod", "rand",
    "reflection_pad", "replication_pad", "repeat", "resize", "roll", "scalar_tensor", "scatter",
    "select", "set_", "slice", "smooth_l1_loss", "sort", "split", "stack", "std", "sum", "topk",
    "tril", "triu", "unfold", "unique", "upsample_", "var", "zero",
)
# fmt: on

Formula = Callable[..., int]


def _attention_on_cpu(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query.shape, key.shape, value.shape)


def _attention_on_cpu_backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any
) -> int:
    return sdpa_backward_flop_count(grad.shape, query.shape, key.shape, value.shape)


def _matrix_vector(matrix: Tensor, vector: Tensor, **_: Any) -> int:
    del vector
    return 2 * matrix.numel()


def _added_matrix_vector(start: Tensor, matrix: Tensor, vector: Tensor, **_: Any) -> int:
    del start, vector
    return 2 * matrix.numel()


def _summed_products(start: Tensor, first: Tensor, second: Tensor, **_: Any) -> int:
    del start
    return 2 * first.numel() * second.shape[-1]


def _solve(matrix: Tensor, right: Tensor, **_: Any) -> int:
    """An LU decomposition of each matrix, 2/3 n^3, and two triangular solves of each column."""
    size = matrix.shape[-1]
    return matrix.numel() * size * 2 // 3 + 2 * size * right.numel()


def _solve_decomposed(matrix: Tensor, pivots: Tensor, right: Tensor, **_: Any) -> int:
    del pivots
    return 2 * matrix.shape[-1] * right.numel()


# What torch counts as 0, or counts in some versions only.
OWN: dict[Any, Formula] = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention_on_cpu,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_on_cpu_backward,
    aten.mv: _matrix_vector,
    aten.dot: _matrix_vector,
    aten.vdot: _matrix_vector,
    aten.addmv: _added_matrix_vector,
    aten.addbmm: _summed_products,
    aten._addmm_activation: _summed_products,
    aten._linalg_solve_ex: _solve,
    aten.linalg_lu_solve: _solve_decomposed,
}


class FlopCounter(TorchDispatchMode):
    """Counts what runs inside its `with` block, 1 multiply-add as 2.

    Matrix products, convolutions and attention are counted, elementwise work is not. Anything else
    is named in `not_counted`.

    Args:
        running: Knows which slot of a model is at work.

    Attributes:
        total: Operations so far.
        slots: The same by slot.
        weights: Those of `total` that a backward pass spent on the gradients of parameters.
        not_counted: How often each operation without a formula came.

    Example:
        >>> with FlopCounter() as counter:
        ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
        >>> counter.total, dict(counter.not_counted)
        (48, {})
    """

    def __init__(self, running: "RunningSlot | None" = None) -> None:
        super().__init__()
        self.total = 0
        self.weights = 0
        self.slots: Counter[str] = Counter()
        self.not_counted: Counter[str] = Counter()
        self._running = running or RunningSlot(nn.Identity())

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Runs the operation, or what it is made of, and counts it."""
        del types
        kwargs = kwargs or {}
        packet = func._overloadpacket
        formula = OWN.get(packet)
        known = formula is not None or packet in flop_registry
        if not known:
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        out = func(*args, **kwargs)
        if formula is not None:
            self._add(formula(*args, **kwargs))
        elif known:
            self._add(flop_registry[packet](*args, **kwargs, out_val=out))
        elif not is_cheap(func):
            self.not_counted[f"{packet}"] += 1
        return out

    def _add(self, operations: int) -> None:
        self.total += operations
        self.weights += round(operations * share_for_parameters())
        self.slots[self._running.name] += operations


class RunningSlot:
    """Follows the forward passes of a model's modules inside its `with` block.

    An adapter calls the trunk's layers; meanwhile the trunk is at work.

    Args:
        model: Its slots are its children, adapters apart from the backbone that holds them;
            components of a branch are called `BRANCH.SLOT`.
    """

    def __init__(self, model: nn.Module) -> None:
        self._slots = slots_of(model)
        self._names = ["other"]
        self._hooks: list[Any] = []

    @property
    def name(self) -> str:
        """The slot at work; `other` outside a model."""
        return self._names[-1]

    def __enter__(self) -> "RunningSlot":
        self._hooks = [
            register_module_forward_pre_hook(lambda module, _: self._enter(module)),
            register_module_forward_hook(lambda *_: self._leave(), always_call=True),
        ]
        return self

    def __exit__(self, *exception: Any) -> None:
        for hook in self._hooks:
            hook.remove()

    def _enter(self, module: nn.Module) -> None:
        self._names.append(self._slots.get(id(module), self.name))

    def _leave(self) -> None:
        self._names.pop()


def is_cheap(func: Any) -> bool:
    """Whether an operation is known to do no more than a little with each number."""
    space, _, name = func._schema.name.partition("::")
    if space == "prim":
        return True
    if space != "aten":
        return False
    # In place and out of place are the same work, but only the latter always carries the tag.
    plain = getattr(aten, name.removesuffix("_"), func._overloadpacket)
    pointwise = any(torch.Tag.pointwise in getattr(plain, o).tags for o in plain.overloads())
    return pointwise or func.is_view or name.startswith(CHEAP)


# The two factors of a product among a backward node's inputs; each one's gradient costs the same.
FACTORS = {"Addmm": (1, 2), "Baddbmm": (1, 2), "Mm": (0, 1), "Bmm": (0, 1), "Convolution": (0, 1)}
# What only reshapes a parameter, or changes its type, on its way into a product.
RESHAPES = ("T", "Transpose", "View", "UnsafeView", "Expand", "Permute", "ToCopy", "Unsqueeze")


def share_for_parameters() -> float:
    """The share of a product, in the backward pass, that is spent on gradients of parameters.

    0 in a forward pass, one that is run again for the backward pass included.
    """
    if torch.is_grad_enabled():
        return 0.0
    node = torch._C._current_autograd_node()
    factors = FACTORS.get(_kind(node), ()) if node is not None else ()
    wanted = [node.next_functions[i][0] for i in factors]
    wanted = [edge for edge in wanted if edge is not None]
    return sum(map(_leads_to_parameter, wanted)) / len(wanted) if wanted else 0.0


def _leads_to_parameter(node: Any) -> bool:
    while node is not None and _kind(node) in RESHAPES:
        node = node.next_functions[0][0]
    return node is not None and node.name().endswith("AccumulateGrad")


def _kind(node: Any) -> str:
    return node.name().rsplit("Backward", 1)[0]


def slots_of(model: nn.Module) -> dict[int, str]:
    """The slot of every module of a model, by identity."""
    found = {}
    for name, module in model.named_modules():
        slot, *inside = name.split(".")
        if slot == "branches" and len(inside) >= 2:
            slot, inside = f"{inside[0]}.{inside[1]}", []
        is_adapter = inside[:1] in (["adapters"], ["entry"])
        found[id(module)] = "adapter" if is_adapter else slot or "other"
    return found


@contextmanager
def plain_attention() -> Iterator[None]:
    """Keeps `nn.MultiheadAttention` from its fused kernel of evaluation, which nobody can count."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
