"""FLOP counter for any code, which also lists the operations that it cannot count.

It uses the formulas of torch (`torch.utils.flop_counter`) where they are correct. The counter of
torch counts every operation without a formula as 0. This counter distinguishes operations with a
negligible number of FLOPs from the others, and lists the others.
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

# Prefixes of the names of operations that contain no matrix product: they copy, sum, normalise,
# interpolate, sort or sample values. They need a few FLOPs per value, which the convention does not
# count. Pointwise operations and views are recognised by their tags and schemas instead.
# fmt: off
NEGLIGIBLE = (
    "_adaptive_avg_pool", "_batch_norm", "_fused_adam", "_fused_rms_norm", "_foreach_",
    "_linalg_check_errors", "_local_scalar_dense", "_log_softmax", "_native_batch_norm",
    "_safe_softmax", "_softmax", "_to_copy", "_unsafe_index", "_unsafe_view", "_upsample_",
    "adaptive_", "all", "amax", "amin", "any", "arange", "argmax", "argmin", "argsort",
    "as_strided", "avg_pool", "bernoulli", "cat", "clone", "col2im", "constant_pad_nd", "copy",
    "cummax", "cummin", "cumprod", "cumsum", "diag",
    "embedding", "empty", "equal", "eye", "fill", "flip", "floor_divide", "full", "gather",
    "grid_sampler_", "im2col", "index", "leaky_relu_",
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


def _add_matrix_vector(start: Tensor, matrix: Tensor, vector: Tensor, **_: Any) -> int:
    del start, vector
    return 2 * matrix.numel()


def _batched_product_sum(start: Tensor, first: Tensor, second: Tensor, **_: Any) -> int:
    del start
    return 2 * first.numel() * second.shape[-1]


def _solve(matrix: Tensor, right: Tensor, **_: Any) -> int:
    """FLOPs of one LU decomposition per matrix, 2/3 n^3, and two triangular solves per column."""
    size = matrix.shape[-1]
    return matrix.numel() * size * 2 // 3 + 2 * size * right.numel()


def _solve_decomposed(matrix: Tensor, pivots: Tensor, right: Tensor, **_: Any) -> int:
    del pivots
    return 2 * matrix.shape[-1] * right.numel()


# Formulas for operations that torch counts as 0, in all versions or in some.
FORMULAS: dict[Any, Formula] = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention_on_cpu,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_on_cpu_backward,
    aten.mv: _matrix_vector,
    aten.dot: _matrix_vector,
    aten.vdot: _matrix_vector,
    aten.addmv: _add_matrix_vector,
    aten.addbmm: _batched_product_sum,
    aten._addmm_activation: _batched_product_sum,
    aten._linalg_solve_ex: _solve,
    aten.linalg_lu_solve: _solve_decomposed,
}


class FlopCounter(TorchDispatchMode):
    """Count the FLOPs of the code in a `with` block; 1 multiply-add = 2 FLOPs.

    Matrix products, convolutions and attention are counted, elementwise operations are not. All
    other operations are listed in `not_counted`.

    Args:
        slot_tracker: Tracker of the current slot of a model.

    Attributes:
        total: FLOPs so far.
        slots: FLOPs by slot.
        weights: Part of `total` that the backward pass spent on gradients of parameters.
        not_counted: Number of calls of each operation without a formula.

    Example:
        >>> with FlopCounter() as counter:
        ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
        >>> counter.total, dict(counter.not_counted)
        (48, {})
    """

    def __init__(self, slot_tracker: "SlotTracker | None" = None) -> None:
        super().__init__()
        self.total = 0
        self.weights = 0
        self.slots: Counter[str] = Counter()
        self.not_counted: Counter[str] = Counter()
        self._slot_tracker = slot_tracker or SlotTracker(nn.Identity())

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run and count an operation, or the operations into which it decomposes."""
        del types
        kwargs = kwargs or {}
        packet = func._overloadpacket
        formula = FORMULAS.get(packet)
        known = formula is not None or packet in flop_registry
        if not known:
            with self:
                decomposed = func.decompose(*args, **kwargs)
            if decomposed is not NotImplemented:
                return decomposed
        out = func(*args, **kwargs)
        if formula is not None:
            self._add(formula(*args, **kwargs))
        elif known:
            self._add(flop_registry[packet](*args, **kwargs, out_val=out))
        elif not is_negligible(func):
            self.not_counted[f"{packet}"] += 1
        return out

    def _add(self, operations: int) -> None:
        self.total += operations
        self.weights += round(operations * parameter_gradient_share())
        self.slots[self._slot_tracker.name] += operations


class SlotTracker:
    """Track the slot whose module is running, for the code in a `with` block.

    If an adapter calls layers of the trunk, the backbone is the current slot during these calls.

    Args:
        model: Model whose children are the slots. The adapters are a separate slot, although the
            backbone holds them. Components of a branch are called `BRANCH.SLOT`.
    """

    def __init__(self, model: nn.Module) -> None:
        self._slots = slots_of(model)
        self._names = ["other"]
        self._hooks: list[Any] = []

    @property
    def name(self) -> str:
        """Current slot; `other` outside of the model."""
        return self._names[-1]

    def __enter__(self) -> "SlotTracker":
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


def is_negligible(func: Any) -> bool:
    """Whether an operation is known to need only a few FLOPs per value."""
    space, _, name = func._schema.name.partition("::")
    if space == "prim":
        return True
    if space != "aten":
        return False
    # An in-place operation may lack the tag that its out-of-place form has.
    packet = getattr(aten, name.removesuffix("_"), func._overloadpacket)
    pointwise = any(torch.Tag.pointwise in getattr(packet, o).tags for o in packet.overloads())
    return pointwise or func.is_view or name.startswith(NEGLIGIBLE)


# Indices of the two factors of a product among the inputs of a backward node. The gradients of both
# factors need the same number of FLOPs.
FACTORS = {"Addmm": (1, 2), "Baddbmm": (1, 2), "Mm": (0, 1), "Bmm": (0, 1), "Convolution": (0, 1)}
# Operations that only reshape a parameter or change its dtype before a product.
RESHAPES = ("T", "Transpose", "View", "UnsafeView", "Expand", "Permute", "ToCopy", "Unsqueeze")


def parameter_gradient_share() -> float:
    """Fraction of the current product in the backward pass that computes gradients of parameters.

    0 in a forward pass, also in one that activation checkpointing repeats.
    """
    if torch.is_grad_enabled():
        return 0.0
    node = torch._C._current_autograd_node()
    factors = FACTORS.get(_operation_name(node), ()) if node is not None else ()
    edges = [node.next_functions[i][0] for i in factors]
    with_gradient = [edge for edge in edges if edge is not None]
    if not with_gradient:
        return 0.0
    return sum(map(_leads_to_parameter, with_gradient)) / len(with_gradient)


def _leads_to_parameter(node: Any) -> bool:
    while node is not None and _operation_name(node) in RESHAPES:
        node = node.next_functions[0][0]
    return node is not None and node.name().endswith("AccumulateGrad")


def _operation_name(node: Any) -> str:
    return node.name().rsplit("Backward", 1)[0]


def slots_of(model: nn.Module) -> dict[int, str]:
    """Slot of every module of a model, by the `id` of the module."""
    slots = {}
    for name, module in model.named_modules():
        slot, *path = name.split(".")
        if slot == "branches" and len(path) >= 2:
            slot, path = f"{path[0]}.{path[1]}", []
        is_adapter = path[:1] in (["adapters"], ["entry"])
        slots[id(module)] = "adapter" if is_adapter else slot or "other"
    return slots


@contextmanager
def unfused_attention() -> Iterator[None]:
    """Disable the fused inference kernel of `nn.MultiheadAttention`, which cannot be counted."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
