"""No adaptation at all."""

from fsarbench.adapters.plain import Plain
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class Frozen(Plain):
    """The block as it is; nothing is tuned."""
