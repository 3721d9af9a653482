"""Folders of configs and cards, in an installed wheel or in a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def resource(name: str) -> Path:
    """Path of the folder `configs` or `registry` of this package.

    A wheel contains both in `_data` next to the modules. Other folders are not searched, because an
    editable install may leave an outdated copy in site-packages.
    """
    in_wheel = PACKAGE / "_data" / name
    return in_wheel if in_wheel.is_dir() else PACKAGE.parent / name
