"""The label files of Something-Something V2: the template of every video."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fsarbench.errors import UserError


def read_labels(places: Iterable[Path]) -> dict[str, str]:
    """Templates ("Pushing [something] from left to right") by video id.

    Args:
        places: JSON files, or folders of them: lists of objects with `id` and `template`, as the
            data set brings them, or one object of templates by id.

    Raises:
        UserError: A file is missing, is no such JSON, or none has a template.
    """
    paths = list(places)
    found: dict[str, str] = {}
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            found |= _read(file, tolerant=path.is_dir())
    if paths and not found:
        raise UserError(
            f"--labels: no templates in {', '.join(map(str, paths))}; expected the data set's own "
            "JSON, a list of objects with 'id' and 'template'."
        )
    return found


def _read(file: Path, tolerant: bool) -> dict[str, str]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"--labels: {file} cannot be read as JSON: {error}.") from error
    found = _templates(content)
    if not found and not tolerant:
        raise UserError(
            f"--labels: {file} has no templates; expected the data set's own JSON, a list of "
            "objects with 'id' and 'template'."
        )
    return found


def _templates(content: Any) -> dict[str, str]:
    if isinstance(content, dict):
        # labels.json of the data set maps templates to numbers, which are no templates.
        return {
            key: value for key, value in content.items() if isinstance(value, str) and " " in value
        }
    if not isinstance(content, list):
        return {}
    return {
        str(item["id"]): str(item["template"])
        for item in content
        if isinstance(item, dict) and "id" in item and "template" in item
    }
