import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.functional.text_scores import text_logits


def test_cosine_of_the_time_average_over_temperature() -> None:
    g = torch.Generator().manual_seed(0)
    features, text = torch.randn(4, 8, 6, generator=g), torch.randn(3, 1, 6, generator=g)
    want = torch.cosine_similarity(features.mean(1)[:, None], text[None, :, 0], dim=-1) / 0.01
    torch.testing.assert_close(text_logits(features, text, 0.01), want)


def test_rejects_missing_text() -> None:
    with pytest.raises(UserError, match="text_encoder"):
        text_logits(torch.ones(1, 2, 4), None, 0.01)


def test_rejects_another_width() -> None:
    with pytest.raises(UserError, match=r"width 4 .* width 6"):
        text_logits(torch.ones(1, 2, 4), torch.ones(3, 1, 6), 0.01)
