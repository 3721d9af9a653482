"""The config of a finished run is read as data and never run."""

import subprocess
import sys
from pathlib import Path

import pytest

from fsarbench.config.loading import load_config
from fsarbench.config.resolved import load_resolved_config, read_resolved
from fsarbench.errors import UserError

HOSTILE = {
    "a statement": "import os\nos.system('touch hacked')\n",
    "a call": "seed = 3\nx = __import__('os').system('touch hacked')\n",
    "a call inside a dict": "matcher = dict(type=open('hacked', 'w').name)\n",
    "a call named dict with others inside": "matcher = dict(**open('hacked', 'w').__dict__)\n",
    "a positional argument": "matcher = dict([('a', 1)])\n",
    "a base": "_base_ = 'hacked.py'\n",
    "a comprehension": "x = [open('hacked', 'w') for _ in (1,)]\n",
    "a formatted text": "x = f'{open(chr(104) + chr(97), chr(119))}'\n",
    "a name": "lr = inf\n",
    "an unpacked dict": "x = {**{'a': 1}}\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_code_other_than_literals_is_rejected_with_file_and_line(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config.py"
    file.write_text(text)
    line = 2 if text.startswith("seed") else 1
    with pytest.raises(UserError, match=f"config.py:{line}: .* read as data and never run"):
        read_resolved(file)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", [b"seed = ", b"\x00", b"\xff\xfe", b"x = " + b"(" * 5000])
def test_a_damaged_config_gives_one_message(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.py").write_bytes(content)
    with pytest.raises(UserError, match=r"config.py:1"):
        read_resolved(tmp_path / "config.py")


@pytest.mark.parametrize(
    "name", ["mafsar_synthact_5shot", "clipfsar_ssv2_1shot", "trx_synthact_1shot"]
)
def test_a_resolved_config_has_the_values_of_the_original_config(name: str, tmp_path: Path) -> None:
    loaded = load_config(name, ["seed=5"])
    (tmp_path / "config.py").write_text(loaded.text())
    assert read_resolved(tmp_path / "config.py") == loaded.values


def test_custom_imports_need_trust(tmp_path: Path) -> None:
    (tmp_path / "received_parts.py").write_text(
        "import pathlib\npathlib.Path(__file__ + '.ran').touch()"
    )
    config = tmp_path / "config.py"
    config.write_text("custom_imports = dict(imports=['received_parts'])\nseed = 3\n")
    with pytest.raises(UserError, match=r"received_parts.*runs its code.*--trust"):
        load_resolved_config(config)
    assert not (tmp_path / "received_parts.py.ran").exists()
    assert load_resolved_config(config, trust=True).imports == ["received_parts"]
    assert (tmp_path / "received_parts.py.ran").exists()


SHADOW = "raise SystemExit('a file in the working folder replaced a module')\n"


@pytest.mark.parametrize("module", ["random", "json", "typer", "numpy"])
def test_a_file_next_to_the_config_replaces_no_module(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(SHADOW)
    (tmp_path / "own_parts.py").write_text("import random, json, typer, numpy\n")
    (tmp_path / "mine.py").write_text(
        "_base_ = 'frozen_synthact_1shot.py'\ncustom_imports = dict(imports=['own_parts'])\n"
    )
    command = [sys.executable, "-m", "fsarbench", "check", "mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_custom_module_with_the_name_of_another_module_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text(SHADOW)
    config = tmp_path / "mine.py"
    config.write_text("custom_imports = dict(imports=['random'])\n")
    with pytest.raises(UserError, match=r"random.py, but Python imports .* as 'random'. Rename"):
        load_config(str(config))


def test_sys_path_gets_no_new_first_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(sys.path)
    monkeypatch.setattr(sys, "path", list(before))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "last_on_the_path.py").write_text("")
    config = tmp_path / "mine.py"
    config.write_text("custom_imports = 'last_on_the_path'\n")
    load_config(str(config))
    assert sys.path == [*before, str(tmp_path)]
