"""What `list` and `show` print of parts and methods."""

import pytest

from fsarbench.errors import UserError
from fsarbench.report.catalogue import print_card, print_list


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_methods_come_behind_the_parts(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(None)
    text = printed(capsys)
    assert "OTAM" in text
    assert text.index("text_encoder OpenClipText") < text.index("method aim")


def test_methods_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("method")
    text = printed(capsys)
    assert "clipfsar CLIP-FSAR: " in text
    assert "matcher" not in text.split()[:3]


def test_a_method_by_the_papers_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    print_card("CLIP-FSAR")
    text = printed(capsys)
    assert "clipfsar (method)" in text
    assert "prototypes: SemanticModulation" in text
    assert "class names: used in training and at test" in text
    assert "58.1 % on ssv2-full, 5-way 1-shot (CLIP-FSAR, CLIP-RN50, full)" in text
    assert "clipfsar_ssv2_1shot_rn50 --set readout.type=GeometricFusion" in text


@pytest.mark.parametrize("name", ["TRX", "trx", "Trx"])
def test_a_shared_name_shows_both(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_card(name)
    text = printed(capsys)
    assert "TRX (matcher)" in text
    assert "trx (method)" in text


def test_unknown_names_and_slots_are_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'clipfsar'"):
        print_card("clipfsr")
    with pytest.raises(UserError, match="Did you mean 'method'"):
        print_list("methods")
