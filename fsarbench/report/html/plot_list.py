"""All plots of a comparison, by setting."""

from collections.abc import Callable, Iterator
from functools import partial

from fsarbench.report.comparison.rows import Row
from fsarbench.report.comparison.table import Comparison, Section
from fsarbench.report.html.class_plots import class_figure, confusion_figure
from fsarbench.report.html.confusion import confusion
from fsarbench.report.html.plots import Cost, Plot, accuracy_figure, cost_figure, curve_figure
from fsarbench.report.html.training_curves import Curve, training, validation
from fsarbench.report.page.slugs import slug

MEAN = "running mean"


def plots_of(comparison: Comparison) -> list[list[Plot]]:
    """The plots of every section; a plot that would be empty is left out."""
    several = len(comparison.sections) > 1
    return [
        [
            *accuracy_plots(section, prefix),
            *curve_plots(section, prefix),
            *class_plots(section, prefix),
        ]
        for section in comparison.sections
        for prefix in [f"{slug(section.title)}_" if several else ""]
    ]


def accuracy_plots(section: Section, prefix: str) -> Iterator[Plot]:
    """Accuracy alone, and against what it costs."""
    lines = section.lines
    words = ", ".join(f"{line.row.name} {100 * line.row.mean:.1f} %" for line in lines)
    draw = partial(accuracy_figure, lines)
    yield Plot(
        f"{prefix}accuracy", "accuracy", "Accuracy", f"Accuracy with intervals: {words}.", draw
    )
    results = [line.row.first.result for line in lines]
    memory = [line.row.memory[0] / 2**30 or None for line in lines]
    costs = {
        "tuned": Cost("tuned parameters (M)", [r["parameters"]["tuned"] / 1e6 for r in results]),
        "gflop": Cost("GFLOP an episode", [r["gflops"]["episode"] for r in results]),
        "memory": Cost("peak memory (GiB)", memory),
    }
    for name, cost in costs.items():
        if any(value is not None for value in cost.values):
            title = f"Accuracy against {cost.label}"
            known = ", ".join(
                f"{line.row.name} {value:.3g}"
                for line, value in zip(lines, cost.values, strict=True)
                if value is not None
            )
            words = f"{title}, with the Pareto front. {cost.label}: {known}."
            yield Plot(f"{prefix}{name}", name, title, words, partial(cost_figure, lines, cost))


def curve_plots(section: Section, prefix: str) -> Iterator[Plot]:
    """How training went; methods that were not trained have no line."""
    rows = [line.row for line in section.lines]
    kinds: dict[str, tuple[str, str, float, Callable[[Row], Curve]]] = {
        "validation": ("Accuracy on validation classes", "accuracy (%)", 100.0, validation),
        "training": (f"Accuracy in training, {MEAN}", "accuracy (%)", 100.0, _logged("accuracy")),
        "loss": (f"Training loss, {MEAN}", "loss", 1.0, _logged("loss")),
    }
    for name, (title, label, scale, read) in kinds.items():
        curves = [(row.name, read(row)) for row in rows]
        if any(curve for _, curve in curves):
            last = ", ".join(f"{name} {scale * c.values[-1]:.3g}" for name, c in curves if c)
            words = f"{title} over training episodes, mean over seeds; at the end: {last}."
            yield Plot(
                f"{prefix}{name}", name, title, words, partial(curve_figure, curves, label, scale)
            )


def class_plots(section: Section, prefix: str) -> Iterator[Plot]:
    """What is known and confused, of the rows that kept their answers."""
    named = [(place, line.row) for place, line in enumerate(section.lines)]
    every = [(place, row.name, confusion(row)) for place, row in named]
    found = [(place, name, each) for place, name, each in every if each is not None]
    alike = [each for each in found if each[2].classes == found[0][2].classes]
    if not found:
        return
    hardest = min(zip(found[0][2].accuracies, found[0][2].classes, strict=True))
    words = f"Accuracy of every class; the hardest for {found[0][1]} is {hardest[1]}."
    draw = partial(class_figure, alike)
    yield Plot(f"{prefix}classes", "classes", "Accuracy of every class", words, draw, wide=True)
    for _, name, each in found:
        words = f"Confusion matrix of {name}: true classes in rows, answers in columns, percent."
        title = f"Confusion: {name}"
        draw = partial(confusion_figure, each)
        yield Plot(f"{prefix}confusion_{slug(name)}", "confusion", title, words, draw, wide=True)


def _logged(tag: str) -> Callable[[Row], Curve]:
    return lambda row: training(row, tag)
