"""Run every code block of README and the documentation that is not marked as skipped.

`SHORT` shortens runs, and the built-in data set has two videos per class. `test_docs.py` tests
`docs/extend.md`, which registers components.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest

from fsarbench.cli.app import main
from fsarbench.config.loading import load_config
from fsarbench.data.synthetic.synthact.dataset import ensure
from tests.helpers.docs_pages import Block, blocks, pages, printed

SHORT = {
    "SynthAct": ["dataset.train_videos=2", "dataset.val_videos=2", "dataset.test_videos=2"],
    "any": [
        "episodes.train_queries=1",
        "train.episodes=2",
        "train.warmup=0",
        "train.val_interval=2",
        "train.workers=0",
        "evaluate.workers=0",
        "evaluate.episodes=20",
        "evaluate.val_episodes=5",
    ],
}
# Where a page has folders of the reader's own: 64 classes of two videos, and room to write.
OWN = "/data/mine"
TRAINS = ("run", "sweep", "eval", "profile", "features")
ELSEWHERE = ("extend.md",)
PAGES = [page for page in pages() if page.name not in ELSEWHERE]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small built-in data set, and a user's folder with one subfolder per class."""
    place = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(place / "data"))
        made = ensure(2, 2, 2, workers=1, progress=False)
    shutil.copytree(made.folder / "train", place / "mine")
    return place


def shortened(words: list[str]) -> list[str]:
    """A command of `fsarbench` with overrides that shorten its run."""
    if words[0] not in TRAINS or len(words) < 2:
        return words
    given = [after for before, after in pairwise(words) if before == "--set"]
    values = load_config(words[1], given).values
    frozen = values.get("train", {}).get("episodes") == 0
    sets = [*SHORT.get(values.get("dataset", {}).get("type"), []), *SHORT["any"]]
    kept = [s for s in sets if not (frozen and s.startswith("train.episodes"))]
    return [*words, *(part for each in kept for part in ("--set", each))]


class Page:
    """Run the blocks of a page in order, in a separate folder."""

    def __init__(
        self, capfd: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch, home: Path
    ) -> None:
        self.capfd = capfd
        self.own = Path.cwd() / "own"
        self.patch = patch
        self.output = ""
        self.home = home
        patch.setenv("FSARBENCH_DATA", str(home / "data"))
        patch.setenv("COLUMNS", "2000")
        # A sweep has a process a run; here a run is short, and loading torch would be most of it.
        patch.setattr("fsarbench.experiments.run_process.start", self.started)

    def run(self, block: Block) -> None:
        """Run a block according to its language and mark."""
        if block.directive or block.skipped or block.mark == "example":
            return
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(self.placed(block.text), encoding="utf-8")
            return
        run: dict[str, Callable[[Block], None]] = {
            "bash": self.bash,
            "text": self.text,
            "python": self.python,
        }
        run[block.language](block)

    def bash(self, block: Block) -> None:
        """Run shell commands and check the exit status of each."""
        self.capfd.readouterr()
        self.output = ""
        *others, last = block.commands()
        for line in others:
            assert self.command(line) == 0, self.said()
        assert self.command(last) == (2 if block.mark == "fails" else 0), self.said()
        self.said()

    def command(self, line: str) -> int:
        """Run one line and return its exit status."""
        words = shlex.split(self.placed(line), comments=True)
        while words[:2] == ["pip", "install"] and "&&" in words:
            words = words[words.index("&&") + 1 :]  # It is installed.
        if words[0] == "export":
            self.patch.setenv(*words[1].split("=", 1))
        elif words[0] == "cd":
            self.patch.chdir(words[1])
        elif words[0] == "fsarbench":
            return self.fsarbench(words[1:])
        else:
            raise ValueError(f"the tests run no '{words[0]}'; mark the block 'skip, REASON'")
        return 0

    def fsarbench(self, words: list[str]) -> int:
        """Run the command line in this process, where torch is already imported."""
        self.patch.setattr(sys, "argv", ["fsarbench", *shortened(words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code or 0)

    def placed(self, text: str) -> str:
        """Text of the page with the actual path of the user's videos."""
        if OWN in text and not self.own.exists():
            shutil.copytree(self.home / "mine", self.own)
        return text.replace(OWN, str(self.own))

    def started(self, command: list[str], log: IO[str] | None, environment: None) -> int:
        """Replacement for the process that a sweep starts."""
        return self.fsarbench(command[command.index("fsarbench") + 1 :])

    def said(self) -> str:
        """Output since the last call, added to `output`."""
        read = self.capfd.readouterr()
        self.output += read.out + read.err
        return self.output

    def text(self, block: Block) -> None:
        """Check the output of the preceding commands."""
        for line in block.text.splitlines():
            assert printed(line, self.output), f"{line}\nis not in\n{self.output}"

    def python(self, block: Block) -> None:
        """Run a script."""
        exec(compile(block.text, "block", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(
    page: Path,
    home: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = Page(capfd, monkeypatch, home)
    for block in blocks(page):
        try:
            runner.run(block)
        except BaseException as error:
            raise AssertionError(f"{page.name}:{block.line}: {error}") from error


def test_marks_are_known() -> None:
    known = ("skip, ", "file ", "fails", "example")
    for page in pages():
        wrong = [b for b in blocks(page) if b.mark and not b.mark.startswith(known)]
        assert not wrong, page


def test_no_fence_is_overlooked() -> None:
    for page in pages():
        fences = sum(line.startswith("```") for line in page.read_text("utf-8").splitlines())
        assert fences == 2 * len(blocks(page)), page
    assert os.fspath(pages()[0]).endswith("README.md")
