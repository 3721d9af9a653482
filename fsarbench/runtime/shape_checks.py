"""Holding the shape annotations of parts at run time.

The annotations cost nothing in a run. The test suite and `fsarbench check` import the package
through jaxtyping's hook, which makes every annotated function check what it takes and gives.
"""

from collections.abc import Sequence

from jaxtyping import install_import_hook

CHECKER = "beartype.beartype"
# Where the contracts of the slots are kept or broken. Checking every module of the package as well
# would double the time that `fsarbench check` takes.
SLOTS = (
    "fsarbench.adapters",
    "fsarbench.backbones",
    "fsarbench.episode",
    "fsarbench.losses",
    "fsarbench.matchers",
    "fsarbench.model",
    "fsarbench.necks",
    "fsarbench.prototypes",
    "fsarbench.readouts",
    "fsarbench.text_encoders",
)
_enforced = False


def enforce(modules: Sequence[str] = SLOTS) -> None:
    """Check the annotations of modules (and of what lies in them) that are imported from now on."""
    global _enforced
    _enforced = True
    install_import_hook(list(modules), CHECKER)


def enforce_also(*modules: str) -> None:
    """The same for a user's own modules, if the package's own are checked."""
    if _enforced and modules:
        enforce(modules)
