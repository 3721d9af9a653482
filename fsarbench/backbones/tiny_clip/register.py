"""Makes the model name `fsarbench-tiny` known to open_clip."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

NAME = "fsarbench-tiny"
FOLDER = Path(__file__).resolve().parent
WEIGHTS = FOLDER / "fsarbench-tiny.safetensors"
MERGES = FOLDER / "merges.txt.gz"
MODEL = FOLDER / "model.json"


def config() -> dict[str, Any]:
    """The open_clip configuration, with the merges file at its place on this machine.

    Example:
        >>> config()["embed_dim"]
        128
        >>> Path(config()["text_cfg"]["tokenizer_kwargs"]["bpe_path"]).is_absolute()
        True
    """
    described: dict[str, Any] = json.loads(MODEL.read_text(encoding="utf-8"))
    described["text_cfg"]["tokenizer_kwargs"] = {"bpe_path": str(MERGES)}
    return described


@cache
def register() -> Path:
    """Makes `fsarbench-tiny` an open_clip model name, and says where its weights are.

    Calling it again changes nothing. The model is then
    `open_clip.create_model("fsarbench-tiny", pretrained=str(register()))`.

    Returns:
        The safetensors file that the package ships.
    """
    import open_clip  # brings torch, which a mere import of this module must not

    # open_clip reads the file at once and keeps what it read, so the file need not stay.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{NAME}.json"
        path.write_text(json.dumps(config()), encoding="utf-8")
        open_clip.add_model_config(path)
    return WEIGHTS
