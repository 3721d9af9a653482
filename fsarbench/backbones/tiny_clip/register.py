"""Registration of the model `fsarbench-tiny` in open_clip."""

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
    """Configuration of the model for open_clip, with the absolute path of the merges file.

    Example:
        >>> config()["embed_dim"]
        128
        >>> Path(config()["text_cfg"]["tokenizer_kwargs"]["bpe_path"]).is_absolute()
        True
    """
    model_config: dict[str, Any] = json.loads(MODEL.read_text(encoding="utf-8"))
    model_config["text_cfg"]["tokenizer_kwargs"] = {"bpe_path": str(MERGES)}
    return model_config


@cache
def register() -> Path:
    """Register `fsarbench-tiny` as a model of open_clip.

    Repeated calls have no effect. The model is then
    `open_clip.create_model("fsarbench-tiny", pretrained=str(register()))`.

    Returns:
        Path of the safetensors file in the package.
    """
    # Here, because importing this module must not import torch.
    from fsarbench.backbones.openclip_library import open_clip

    # open_clip reads the file immediately, so it may be temporary.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{NAME}.json"
        path.write_text(json.dumps(config()), encoding="utf-8")
        open_clip.add_model_config(path)
    return WEIGHTS
