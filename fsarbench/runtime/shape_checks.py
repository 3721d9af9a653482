"""Run-time checks of the shape annotations of components.

In a run, annotations cost no time. The test suite and `fsarbench check` import the package through
jaxtyping's import hook, which makes every annotated function check its arguments and results.
"""

from collections.abc import Sequence

from jaxtyping import install_import_hook

CHECKER = "beartype.beartype"
# Modules of the components and of the model that calls them. Checking all modules of the package
# would double the time of `fsarbench check`.
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
    """Check the annotations of modules and submodules that are imported later."""
    global _enforced
    _enforced = True
    install_import_hook(list(modules), CHECKER)


def enforce_also(*modules: str) -> None:
    """Check a user's modules as well, if those of the package are checked."""
    if _enforced and modules:
        enforce(modules)
