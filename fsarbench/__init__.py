"""fsarbench: a modular benchmark for few-shot action recognition.

The names of the Python API are loaded when they are first used, so that importing the package (and
the command line's `--help`) does not import torch. `docs/api.md` shows them at work.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.api import compare as compare
    from fsarbench.api import create_model as create_model
    from fsarbench.api import evaluate as evaluate
    from fsarbench.api import evaluate_features as evaluate_features
    from fsarbench.api import export as export
    from fsarbench.api import import_results as import_results
    from fsarbench.api import list_components as list_components
    from fsarbench.api import list_models as list_models
    from fsarbench.api import load_checkpoint as load_checkpoint
    from fsarbench.api import load_data as load_data
    from fsarbench.api import load_runs as load_runs
    from fsarbench.api import submit as submit
    from fsarbench.api import train as train
    from fsarbench.api import verify as verify
    from fsarbench.errors import UserError as UserError

__version__ = "0.1.0"

API = {
    "UserError": "fsarbench.errors",
    **dict.fromkeys(
        (
            "compare",
            "create_model",
            "evaluate",
            "evaluate_features",
            "export",
            "import_results",
            "list_components",
            "list_models",
            "load_checkpoint",
            "load_data",
            "load_runs",
            "submit",
            "train",
            "verify",
        ),
        "fsarbench.api",
    ),
}
# The packages of the slots: `fsarbench.matchers.OTAM` needs no import of its own.
SLOTS = (
    "adapters",
    "backbones",
    "losses",
    "matchers",
    "necks",
    "prototypes",
    "readouts",
    "text_encoders",
)
__all__ = ["__version__", *API, *SLOTS]


def __getattr__(name: str) -> Any:
    if name in API:
        return getattr(import_module(API[name]), name)
    if name in SLOTS:
        return import_module(f"fsarbench.{name}")
    raise AttributeError(f"module 'fsarbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
