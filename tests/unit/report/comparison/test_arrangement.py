"""Selected columns, renamed rows and their order, in every output format."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fsarbench
from fsarbench.cli.app import app
from fsarbench.errors import UserError
from fsarbench.report.comparison.arrangement import Arrangement, arrangement, from_options
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.comparison.to_csv_json import csv_text, json_text
from fsarbench.report.comparison.to_text import latex, markdown
from tests.helpers.finished_runs import finish

LAYOUT = """
columns = ["accuracy", "trainable"]
order = ["far", "AIM"]
[rename]
"run 7" = "AIM"
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, right in (("close", 0.645), ("far", 0.4), ("run 7", 0.65)):
        finish(folder, name, right, shots=(5,) if name == "far" else ())
    return folder


def table(text: str) -> list[list[str]]:
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_columns_names_and_order_in_markdown_and_latex(runs: Path) -> None:
    arranged = from_options("accuracy,trainable", ["run 7=AIM"], "far, AIM", None)
    found = comparison_of([runs], arranged=arranged)
    heads, _, *rows = table(markdown(found))
    assert heads == ["method", "5-way 1-shot (%)", "5-way 5-shot (%)", "trainable"] or heads[
        -1
    ] == ("trainable")
    assert [row[0].strip("*") for row in rows] == ["far", "AIM", "close"]
    text = latex(found)
    assert text.index("far & ") < text.index("AIM & ") < text.index(r"\textbf{close} & ")
    assert "run 7" not in text
    assert "millions of parameters" not in text


def test_csv_and_json_have_the_columns(runs: Path) -> None:
    found = comparison_of([runs], arranged=Arrangement(("over-videos", "gflops"), {"far": "F"}))
    first = next(csv.DictReader(io.StringIO(csv_text(found))))
    assert {"method", "task", "gflops_episode", "intervals.videos.low"} <= set(first)
    assert "peak_bytes" not in first
    measured = json.loads(json_text(found))["measured"]
    assert {row["method"] for row in measured} == {"close", "F", "run 7"}
    assert "accuracy" not in measured[0]


def test_options_replace_values_of_the_file(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.toml"
    file.write_text(LAYOUT)
    assert arrangement(layout=file) == Arrangement(
        ("accuracy", "trainable"), {"run 7": "AIM"}, ("far", "AIM")
    )
    changed = from_options("mde", ["far=Far"], None, str(file))
    assert changed.columns == ("mde",)
    assert changed.rename == {"run 7": "AIM", "far": "Far"}
    shown = fsarbench.compare(runs, layout=file, columns=["accuracy"], baseline="run 7")
    assert [row[0].strip("*") for row in table(str(shown))[2:]][:2] == ["far", "AIM"]
    assert shown.comparison.baseline == "AIM"
    done = CliRunner().invoke(app, ["compare", str(runs), "--layout", str(file)])
    assert done.exit_code == 0, done.output
    assert "trainable" in done.output
    assert "GFLOPs" not in done.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": "acuracy"}, "no such column. Did you mean 'accuracy'?"),
        ({"columns": "p"}, "no such column without --baseline"),
        ({"columns": "seeds"}, "every row has one training seed"),
        ({"rename": ["fra=x"]}, "no such row. Did you mean 'far'?"),
        ({"rename": ["far"]}, "expected OLD=NEW"),
        ({"rename": ["far=close"]}, "would both be called 'close'"),
        ({"order": "clse"}, "no such row. Did you mean 'close'?"),
    ],
)
def test_unknown_names_are_refused(runs: Path, options: dict, said: str) -> None:
    given = {"columns": None, "rename": None, "order": None, "layout": None, **options}
    with pytest.raises(UserError) as error:
        comparison_of([runs], arranged=from_options(**given))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colums = []", "unknown key 'colums'. Did you mean 'columns'?"),
        ("columns = 'accuracy'", "columns must be"),
        ("order = [1]", "order must be"),
        ("rename = ['a']", "rename must be"),
        ("columns = [", "not a readable TOML file"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rows.toml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        arrangement(layout=file)
    assert said in str(error.value)
