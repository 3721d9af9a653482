"""Where the configs and cards are: inside an installed wheel, or at the root of a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def resource(name: str) -> Path:
    """The folder `configs` or `registry` that belongs to this very package.

    A wheel carries both under `_data` beside the modules. An editable install leaves a stale copy
    of that folder in site-packages, so no other place is searched.
    """
    carried = PACKAGE / "_data" / name
    return carried if carried.is_dir() else PACKAGE.parent / name
