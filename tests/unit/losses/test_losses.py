import pytest
import torch

from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.losses.episode_cross_entropy import EpisodeCrossEntropy
from fsarbench.losses.video_text_kl import VideoTextKL

N, K, Q, T, D = 3, 2, 4, 5, 16


def episode() -> Episode:
    return Episode(
        support=torch.zeros(N, K, T, 3, 2, 2),
        query=torch.zeros(Q, T, 3, 2, 2),
        labels=torch.tensor([0, 2, 1, 2]),
        classes=torch.arange(N),
    )


def outcome(text: bool = True) -> Outcome:
    g = torch.Generator().manual_seed(0)
    shapes = (Q, N), (N, K, T, D), (Q, T, D), (N, 1, D)
    logits, support, query, names = (
        torch.randn(shape, generator=g, dtype=torch.float64) for shape in shapes
    )
    return Outcome(logits, support, query, names if text else None)


def divergence_from_one_hot(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over rows of sum(p * log(p / q)), with 0 log 0 = 0."""
    target = torch.nn.functional.one_hot(labels, logits.shape[-1]).to(logits.dtype)
    terms = torch.special.xlogy(target, target) - target * logits.softmax(-1).log()
    return terms.sum(-1).mean()


def test_cross_entropy_is_the_mean_negative_log_likelihood_of_the_labels() -> None:
    seen = outcome()
    chosen = seen.logits.softmax(-1)[torch.arange(Q), episode().labels]
    torch.testing.assert_close(EpisodeCrossEntropy()(seen, episode()), -chosen.log().mean())


def test_video_text_is_half_the_sum_of_two_divergences() -> None:
    seen = outcome()
    assert seen.text is not None

    def scores(features: torch.Tensor) -> torch.Tensor:
        return (
            torch.cosine_similarity(features.mean(-2)[:, None], seen.text[None, :, 0], dim=-1) / 0.1
        )

    of_support = divergence_from_one_hot(
        scores(seen.support.reshape(N * K, T, D)), torch.tensor([0, 0, 1, 1, 2, 2])
    )
    of_query = divergence_from_one_hot(scores(seen.query), episode().labels)
    got = VideoTextKL(temperature=0.1)(seen, episode())
    torch.testing.assert_close(got, (of_support + of_query) / 2)


def test_video_text_does_not_depend_on_the_matcher() -> None:
    seen = outcome()
    other = Outcome(seen.logits + 5 * torch.eye(Q, N), seen.support, seen.query, seen.text)
    loss = VideoTextKL()
    assert torch.equal(loss(seen, episode()), loss(other, episode()))


def test_video_text_needs_text() -> None:
    with pytest.raises(UserError, match="text_encoder"):
        VideoTextKL()(outcome(text=False), episode())


def test_losses_are_not_weighted_before_the_sum() -> None:
    """The model multiplies by the weight; a loss must not do so as well."""
    for kind in (EpisodeCrossEntropy, VideoTextKL):
        assert kind(weight=0.25).weight == 0.25
        torch.testing.assert_close(
            kind(weight=0.25)(outcome(), episode()), kind()(outcome(), episode())
        )


@pytest.mark.parametrize("kind", [EpisodeCrossEntropy, VideoTextKL])
def test_vmap_over_episodes_equals_the_loop(kind: type) -> None:
    loss, seen, task = kind(), outcome(), episode()
    scales = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)

    def at(scale: torch.Tensor) -> torch.Tensor:
        shifted = seen.query + scale * seen.query.flip(0)
        return loss(Outcome(seen.logits * scale, seen.support, shifted, seen.text), task)

    torch.testing.assert_close(torch.vmap(at)(scales), torch.stack([at(s) for s in scales]))


def test_temperature_must_be_positive() -> None:
    with pytest.raises(UserError, match="temperature"):
        VideoTextKL(temperature=0.0)
