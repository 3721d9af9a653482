"""Each mistake of a user gives exit status 2 and one message without a traceback."""

import sys
from pathlib import Path

import pytest

from fsarbench.cli.app import main

BASE = "mafsar_synthact_1shot"


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *args: str) -> str:
    monkeypatch.setattr(sys, "argv", ["fsarbench", *args])
    with pytest.raises(SystemExit) as exit_:
        main()
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert "Traceback" not in error
    return error


def write(folder: Path, text: str) -> str:
    file = folder / "mine.py"
    file.write_text(text)
    return str(file)


FROM_BASE = f"_base_ = ['{{root}}/{BASE}.py']\n"


@pytest.fixture
def base() -> str:
    from fsarbench.catalogue.package_data import resource

    return FROM_BASE.format(root=resource("configs"))


BY_OVERRIDE = {
    "unknown component": ("matcher.type=OTMA", ["Unknown matcher 'OTMA'", "Did you mean 'OTAM'?"]),
    "wrong type": ("matcher.temperature=warm", ["'warm' (str)", "expected float above 0"]),
    "no such argument": (
        "matcher.temprature=1",
        ["Did you mean 'temperature'?", "OTAM(temperature"],
    ),
    "no such key": ("foo.bar=1", ["unknown top-level key 'foo'"]),
    "no such loss": ("losses.txt.weight=1", ["losses.txt", "dict(type='NAME'"]),
    "no section": ("clips.frames.x=1", ["'clips.frames' is a single value without sub-keys"]),
    "no assignment": ("matcher", ["expected key=value"]),
    "wrong section key": ("train.episode=3", ["Did you mean 'episodes'?"]),
    "wrong section type": ("train.episodes=many", ["'many' (str)"]),
    "value out of range": ("train.lr=-1", ["--set train.lr=-1", "at least 0"]),
    "wrong seed": ("seed=-1", ["int at least 0"]),
    "offered size": ("prototypes.dim=3", ["filled in when the model is built"]),
    "slot emptied": ("backbone=None", ["the slot 'backbone' is missing"]),
    "not a part": ("matcher=OTAM", ["expected dict(type='NAME', ...)"]),
    "no text encoder": ("text_encoder=None", ["TextGuided needs text", "VideoTextKL needs text"]),
    "blocks no list": ("adapter.blocks=last", ["a list of block indices"]),
    "blocks out of range": ("adapter.blocks=[99]", ["the backbone has blocks 0 to"]),
    "unknown model": ("backbone.model=ViT-B-61", ["Unknown open_clip model", "ViT-B-16"]),
    "unknown weights": (
        "backbone.pretrained=synthactt",
        ["--set backbone.pretrained=synthactt", "Did you mean 'synthact'?", "nor a file"],
    ),
    "weights of another model": (
        "backbone.model=ViT-B-32",
        ["backbone.pretrained (--set backbone.model=ViT-B-32)", "laion2b_s34b_b79k"],
    ),
    "prompt without place": (
        "text_encoder.prompts=['a video']",
        ["with one {} for the class name"],
    ),
    "widths that do not fit": (
        "text_encoder={'type': 'OpenClipText', 'model': 'ViT-B-32'}",
        ["TextGuided", "512"],
    ),
}


@pytest.mark.parametrize("case", BY_OVERRIDE)
def test_faults_in_overrides(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    override, expected = BY_OVERRIDE[case]
    error = fails(monkeypatch, capsys, "check", BASE, "--set", override)
    for text in expected:
        assert text in error


BY_FILE = {
    "stale key after a swapped type": (
        "adapter = dict(type='STAdapter', gta=True)",
        ["STAdapter has no argument 'gta'", "_delete_=True", "mine.py:2"],
    ),
    "missing argument": (
        "backbone = dict(_delete_=True, type='OpenClipViT')",
        ["the argument 'model' is missing", "mine.py:2"],
    ),
    "unknown top-level key": (
        "matchr = dict(type='OTAM')",
        ["Did you mean 'matcher'?", "mine.py:2"],
    ),
    "a loss that is none": ("losses = dict(a=dict(type='Nothing'))", ["Unknown losses 'Nothing'"]),
    "does not run": ("1 / 0", ["running the config failed: ZeroDivisionError"]),
    "no Python": ("matcher = dict(", ["mine.py", "was never closed"]),
    "no module": (
        "custom_imports = dict(imports=['no_such_module'])",
        ["importing 'no_such_module' failed", "PYTHONPATH"],
    ),
}


@pytest.mark.parametrize("case", BY_FILE)
def test_faults_in_config_files(
    case: str,
    base: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text, expected = BY_FILE[case]
    error = fails(monkeypatch, capsys, "check", write(tmp_path, base + text + "\n"))
    for part in expected:
        assert part in error


def test_all_faults_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = fails(
        monkeypatch, capsys, "check", BASE,
        "--set", "matcher.typ=1", "--set", "train.epochs=3", "--set", "readout.type=Nothing",
    )  # fmt: skip
    assert "3 faults" in error
    assert "--set matcher.typ=1" in error


def test_two_bases_with_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text("seed = 1\n")
    error = fails(monkeypatch, capsys, "check", write(tmp_path, "_base_ = ['a.py', 'b.py']\n"))
    assert "Only one of the _base_ files may set a key" in error


def test_unknown_config(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = fails(monkeypatch, capsys, "check", "configs/mafsar_synthact_1shto.py")
    assert "Did you mean 'mafsar_synthact_1shot'" in error
    assert "METHOD_DATASET_KSHOT" in error
    assert "K is 1 or 5" in error


def test_unknown_card(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Did you mean 'OTAM'?" in fails(monkeypatch, capsys, "show", "OTMA")


def test_unknown_slot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Did you mean 'matcher'?" in fails(monkeypatch, capsys, "list", "matchers")


def test_missing_videos_are_reported_before_missing_weights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FSARBENCH_SSV2", raising=False)
    error = fails(monkeypatch, capsys, "run", "configs/mafsar_ssv2_5shot.py")
    assert "FSARBENCH_SSV2" in error
    assert "dataset.root" in error


def test_a_work_folder_with_results_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "result.json").write_text("{}")
    error = fails(monkeypatch, capsys, "run", BASE, "--work-dir", str(tmp_path))
    assert "is not empty" in error
    assert "--resume" in error


def test_arguments_dropped_with_a_replaced_component_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["fsarbench", "check", BASE, "--set", "readout.type=MatchOnly"]
    )
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert "--set readout.type: dropped readout.alpha" in capsys.readouterr().out
