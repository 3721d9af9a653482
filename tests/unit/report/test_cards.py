"""Output of `list` and `show` for components, methods and configs."""

from itertools import pairwise

import pytest
from rich.console import Console

from fsarbench.catalogue.cards import components_of_slot
from fsarbench.errors import UserError
from fsarbench.report.cards import print_card, print_list, print_sections


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_methods_are_listed_after_the_components(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(None)
    text = printed(capsys)
    assert "OTAM" in text
    assert text.index("text_encoder OpenClipText") < text.index("method aim")


def test_list_method_prints_methods_only(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("method")
    text = printed(capsys)
    assert "clipfsar CLIP-FSAR: " in text
    assert "matcher" not in text.split()[:3]


def test_configs_are_listed_as_file_or_composed(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("config")
    text = printed(capsys)
    assert "config mafsar_ssv2_5shot file: backbones/clip_vitb16, datasets/ssv2," in text
    assert "config mafsar_ssv2_5shot_rn50 composed: backbones/clip_rn50, datasets/ssv2," in text
    assert "config profile/lora_vitb32_1shot file: " in text


def test_a_method_is_found_by_its_title_in_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    print_card("CLIP-FSAR")
    text = printed(capsys)
    assert "clipfsar (method)" in text
    assert "prototypes: SemanticModulation" in text
    assert "class names: used in training and at test" in text
    assert (
        "CLIP-FSAR, CLIP-RN50, full; CLIP-FSAR (arXiv 2303.02982) Table 1; selection: test" in text
    )
    assert "selection: test, text at test: name, transductive: no ssv2-full" in text
    assert "Protocol of the published results The released code" in text
    assert "ssv2-full 5-way 1-shot 58.1 % clipfsar_ssv2_1shot_rn50 ssv2-full" in text
    assert "clipfsar_ssv2_1shot_rn50 --set readout.type=GeometricFusion" in text


def test_a_component_lists_the_methods_that_use_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_card("BiMHM")
    text = printed(capsys)
    assert "Methods (fsarbench show NAME lists their published results) d2st, hyrsm" in text


@pytest.mark.parametrize("name", ["TRX", "trx", "Trx"])
def test_a_name_shared_by_component_and_method_shows_both(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_card(name)
    text = printed(capsys)
    assert "TRX (matcher)" in text
    assert "trx (method)" in text


def test_unknown_names_and_slots_are_rejected_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="Did you mean 'clipfsar'"):
        print_card("clipfsr")
    with pytest.raises(UserError, match="Did you mean 'method'"):
        print_list("methods")


def test_a_pipe_gets_each_row_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    print_list("matcher")
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 1 + len(components_of_slot("matcher"))
    assert all(row.startswith("matcher ") for row in rows[1:])


@pytest.mark.parametrize("name", ["mafsar", "MeanCosine"])
def test_a_card_fits_a_narrow_terminal(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_card(name)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    # Only headings start at the margin; wrapped lines keep the indentation of their first line.
    rest = lines[lines.index("Properties") - 1 :]
    assert all(line.startswith("  ") or not before for before, line in pairwise(rest) if line)


def test_markup_in_names_is_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_sections(Console(), iter([("[red]", ["borders='[/field]'"])]))
    assert printed(capsys) == "[red] borders='[/field]'"
