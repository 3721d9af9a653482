"""Plots: content, exported files and inline drawings."""

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from fsarbench.errors import UserError
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.html.confusion import Confusion
from fsarbench.report.html.plot_export import inline_svg, write_figures
from fsarbench.report.html.plot_style import COLUMN, PAGE, marker_style, styled
from fsarbench.report.html.plots import Plot, confusion_figure, curve_figure
from fsarbench.report.html.report import plots_of
from fsarbench.report.html.training_curves import NONE, Curve
from tests.helpers.finished_runs import finish


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> list[Plot]:
    folder = tmp_path_factory.mktemp("runs")
    finish(folder, "frozen", 0.5, adapter="Frozen")
    finish(folder, "AIM", 0.6)
    finish(folder, "AIM", 0.6, seed=1)
    (group,) = plots_of(comparison_of([folder]))
    return group


def test_plots_with_data_are_made(plots: list[Plot]) -> None:
    assert [plot.kind for plot in plots] == [
        "accuracy",
        "tuned",
        "gflop",
        "memory",
        "classes",
        "confusion",
        "confusion",
    ]
    assert len({plot.name for plot in plots}) == len(plots)


def test_the_same_runs_give_files_with_the_same_bytes(plots: list[Plot], tmp_path: Path) -> None:
    selected = [plot for plot in plots if plot.kind in ("tuned", "confusion")][:2]
    for folder in ("one", "two"):
        write_figures(selected, tmp_path / folder, ["svg", "pdf", "png"])
    for first in sorted((tmp_path / "one").iterdir()):
        assert first.read_bytes() == (tmp_path / "two" / first.name).read_bytes(), first.name


def test_files_have_the_width_of_a_column_or_a_page(plots: list[Plot], tmp_path: Path) -> None:
    for path in write_figures(plots, tmp_path, ["svg"]):
        root = ElementTree.parse(path).getroot()
        wide = next(plot for plot in plots if plot.name == path.stem).wide
        inches = float(root.attrib["width"].removesuffix("pt")) / 72
        assert inches == pytest.approx(PAGE if wide else COLUMN, abs=0.01)


def test_pdf_embeds_truetype_fonts(plots: list[Plot], tmp_path: Path) -> None:
    (path,) = write_figures(plots[:1], tmp_path, ["pdf"])
    assert b"/Type3" not in path.read_bytes()
    assert b"/FontFile2" in path.read_bytes()


def test_inline_drawings_use_the_text_colour_of_the_page(plots: list[Plot]) -> None:
    for plot in plots:
        svg = inline_svg(plot)
        ElementTree.fromstring(svg)
        assert "currentColor" in svg
        assert "#000000" not in svg
        assert "#010203" not in svg
        assert not re.search(r'<svg[^>]* width="', svg)
    # Ids are unique on the page.
    ids = [name for plot in plots for name in re.findall(r' id="([^"]+)"', inline_svg(plot))]
    assert len(ids) == len(set(ids))
    texts = "".join(ElementTree.fromstring(inline_svg(plots[0])).itertext())
    assert "AIM" in texts


def test_markup_and_math_in_names_are_drawn_as_text() -> None:
    names = ("<b> & \"x\" 'y'", "$a_1$", "قفز", "run 🏃")
    counts = np.full((4, 4), 5)
    plot = Plot("c", "c", "", "", lambda: confusion_figure(Confusion(names, counts, counts // 2)))
    texts = [t.strip() for t in ElementTree.fromstring(inline_svg(plot)).itertext() if t.strip()]
    for number, name in enumerate(names, 1):
        assert f"{name}  {number}" in texts


def test_an_unknown_format_is_rejected(plots: list[Plot], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gif"):
        write_figures(plots, tmp_path, ["gif"])


def test_matplotlib_settings_stay_unchanged(plots: list[Plot]) -> None:
    before = dict(mpl.rcParams)
    inline_svg(plots[0])
    assert dict(mpl.rcParams) == before


def test_styles_do_not_shift_if_a_method_has_no_curve() -> None:
    line = Curve(np.array([1.0, 2.0]), np.array([0.2, 0.4]))
    with styled():
        axes = curve_figure([("frozen", NONE), ("AIM", line)], "accuracy (%)", 100.0).axes[0]
    (plotted,) = axes.get_lines()
    assert plotted.get_color() == marker_style(1)["color"]
    assert list(plotted.get_ydata()) == pytest.approx([20, 40])
    assert len({tuple(marker_style(index).items()) for index in range(42)}) == 42
