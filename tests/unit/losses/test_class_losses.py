"""Losses over all training classes."""

from dataclasses import replace

import pytest
import torch

from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.losses.frame_classifier import FrameClassifier
from fsarbench.losses.video_classifier import VideoClassifier
from fsarbench.losses.video_text_contrast import VideoTextContrast
from tests.helpers.naive_cosine import cosine_with_term

N, K, Q, T, D, A = 3, 2, 4, 5, 6, 9
CLASSES, LABELS = [7, 0, 4], [0, 2, 1, 2]


def draw(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def task() -> tuple[Outcome, Episode]:
    support = draw(N, K, T, D, seed=1).requires_grad_()
    episode = Episode(
        support=torch.zeros(N, K, T, 3, 2, 2),
        query=torch.zeros(Q, T, 3, 2, 2),
        labels=torch.tensor(LABELS),
        classes=torch.tensor(CLASSES),
        bank=draw(A, 1, D, seed=3),
    )
    return Outcome(draw(Q, N, seed=0), support, draw(Q, T, D, seed=2)), episode


def videos(outcome: Outcome) -> list[tuple[torch.Tensor, int]]:
    """Videos with the index of their class in the training split."""
    support = [(outcome.support[n, k], CLASSES[n]) for n in range(N) for k in range(K)]
    return support + [(outcome.query[q], CLASSES[LABELS[q]]) for q in range(Q)]


def negative_log_likelihood(scores: torch.Tensor, label: int) -> torch.Tensor:
    return scores.exp().sum().log() - scores[label]


def assert_equal(got: torch.Tensor, want: torch.Tensor, *inputs: torch.Tensor) -> None:
    torch.testing.assert_close(got, want)
    gradients = zip(
        torch.autograd.grad(got, inputs), torch.autograd.grad(want, inputs), strict=True
    )
    for ours, theirs in gradients:
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_contrast_is_the_negative_log_likelihood_over_all_training_classes(eps: float) -> None:
    outcome, episode = task()
    loss = VideoTextContrast(temperature=0.2, cosine_eps=eps).double()
    total = outcome.logits.new_zeros(())
    for video, label in videos(outcome):
        cosines = torch.stack(
            [cosine_with_term(video.mean(0), text, eps) for text in episode.bank[:, 0]]
        )
        total = total + negative_log_likelihood(cosines * loss.scale, label)
    assert_equal(loss(outcome, episode), total / (N * K + Q), outcome.support, loss.scale)


def test_the_scale_is_initialised_to_the_inverse_temperature() -> None:
    assert VideoTextContrast().scale.item() == 1
    assert VideoTextContrast(temperature=0.01).scale.item() == pytest.approx(100)
    assert not VideoTextContrast(learnable=False).scale.requires_grad


def test_contrast_needs_the_text_of_all_classes() -> None:
    outcome, episode = task()
    with pytest.raises(UserError, match="all training classes"):
        VideoTextContrast()(outcome, replace(episode, bank=None))


def test_temperature_must_be_positive() -> None:
    with pytest.raises(UserError, match="temperature"):
        VideoTextContrast(temperature=0.0)


def test_classifier_is_the_negative_log_likelihood_of_every_frame() -> None:
    torch.manual_seed(0)
    outcome, episode = task()
    loss = FrameClassifier(D, A).double()
    total = outcome.logits.new_zeros(())
    for video, label in videos(outcome):
        for frame in video:
            scores = loss.classifier.weight @ frame + loss.classifier.bias
            total = total + negative_log_likelihood(scores, label)
    want = total / ((N * K + Q) * T)
    assert_equal(loss(outcome, episode), want, outcome.support, *loss.parameters())


def test_video_classifier_is_the_negative_log_likelihood_of_the_mean_frame() -> None:
    torch.manual_seed(0)
    outcome, episode = task()
    loss = VideoClassifier(D, A).double()
    total = outcome.logits.new_zeros(())
    for video, label in videos(outcome):
        scores = loss.classifier.weight @ (sum(video) / T) + loss.classifier.bias
        total = total + negative_log_likelihood(scores, label)
    want = total / (N * K + Q)
    assert_equal(loss(outcome, episode), want, outcome.support, *loss.parameters())
