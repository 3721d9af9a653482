"""Testing: the accuracy of a model on seeded episodes of one split."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from fsarbench.data.data_module import Bench
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.engine.keep import Keep
from fsarbench.engine.plan import Plan, plan_episodes
from fsarbench.engine.trial import Output, Trial
from fsarbench.errors import UserError
from fsarbench.evaluation.cache_policy import Route, choose_route
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.evaluation.text_features import text_bank
from fsarbench.model import FewShotModel
from fsarbench.runtime.progress import Bars
from fsarbench.settings import EvaluateSettings
from fsarbench.video import SplitName


def evaluate(
    model: FewShotModel,
    bench: Bench,
    name: SplitName,
    settings: EvaluateSettings,
    episodes: int | None = None,
    bars: Bars | None = None,
) -> Evaluation:
    """Tests a model on the first episodes of a split.

    The numbers do not depend on the route, nor on `batch_size`, `chunk` and `workers`, beyond what
    floating-point sums in another order give.

    Args:
        model: The model, on the bench's device; its mode is put back afterwards.
        bench: Videos, clips and the kind of episode.
        name: The split; `val` selects, `test` reports.
        settings: How testing is run.
        episodes: How many; None for `settings.episodes`.
        bars: Where progress is shown; None shows none.

    Raises:
        UserError: The split cannot fill an episode, a video cannot be read, or the settings ask for
            a cache that the parts forbid.
    """
    counted = replace(settings, episodes=episodes or settings.episodes, shots=(), ways=())
    return evaluate_all(model, bench, name, counted, bars)[0]


def evaluate_all(
    model: FewShotModel,
    bench: Bench,
    name: SplitName,
    settings: EvaluateSettings,
    bars: Bars | None = None,
    keep: Keep | None = None,
) -> tuple[Evaluation, ...]:
    """Tests a model on every kind of episode that the settings ask for, the bench's own first.

    Where features are cached, each video is encoded once for all of them.

    Args:
        model: As for `evaluate`.
        bench: As for `evaluate`.
        name: As for `evaluate`.
        settings: How testing is run; `shots` and `ways` add kinds of episodes.
        bars: Where progress is shown; None shows none.
        keep: Where finished parts are kept and looked for; None keeps none.

    Raises:
        UserError: As `evaluate`.
    """
    split = bench.splits[name]
    route = choose_route(model, bench.clips, settings.cache)
    tasks = settings.tasks(bench.episodes)
    plans = [plan_episodes(s, settings.episodes) for s in samplers(bench, name, settings)]
    with _evaluating(model):
        text = text_bank(model, split)
        trial = Trial(model, bench, split, settings, text, bars or Bars(quiet=True), keep)
        outputs = list(trial.cached(plans) if route.cached else trial.anew(plans, tasks))
    found = zip(tasks, plans, outputs, strict=True)
    return tuple(_evaluation(task, plan, output, route) for task, plan, output in found)


def samplers(bench: Bench, name: SplitName, settings: EvaluateSettings) -> list[EpisodeSampler]:
    """Who draws the episodes of each kind that the settings ask for.

    Raises:
        UserError: The split cannot fill an episode of one kind; cheap to find out before training.
    """
    own, *others = settings.tasks(bench.episodes)
    found = [EpisodeSampler(bench.splits[name], own, settings.seed)]
    try:
        found += [EpisodeSampler(bench.splits[name], task, settings.seed) for task in others]
    except UserError as error:
        raise UserError(f"evaluate.shots and evaluate.ways ask for too much. {error}") from None
    return found


def _evaluation(task: EpisodeSettings, plan: Plan, output: Output, route: Route) -> Evaluation:
    scores, encode, match = output
    drawn = (plan.labels, plan.classes, plan.support, plan.query)
    return Evaluation(task, scores.float().cpu().numpy(), *drawn, route, encode, match)


@contextmanager
def _evaluating(model: FewShotModel) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
