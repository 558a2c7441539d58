"""The remedies lab: which runs a failing one is compared with, what came of them, and that in words.

Knows configurations, the store and numbers; trains nothing and measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gnnviz.config import RunConfig
from gnnviz.figures.depth_points import NO_DIFFERENCE
from gnnviz.figures.layout import NARROW_SPACE, counted, percent, significant
from gnnviz.findings import model_phrase
from gnnviz.metric import Metric
from gnnviz.models import MODELS, ModelConfig
from gnnviz.objectives import OBJECTIVES
from gnnviz.profiles import Measurement
from gnnviz.records import BestEpoch
from gnnviz.remedies import REMEDIES, combined, fitting
from gnnviz.runs import RunState, RunStatus
from gnnviz.smoothing import METRICS, matched_rayleigh

NO_REMEDY = "No remedy"
RANK = "effective_rank"


@dataclass(frozen=True, slots=True)
class RemedyRun:
    """A run with one remedy, or with none.

    Attributes:
        remedy: a key of `REMEDIES`, or "" for none.
        run_id: of `config`, kept because it is a hash that takes time.
        config: what is trained.
    """

    remedy: str
    run_id: str
    config: RunConfig

    @property
    def label(self) -> str:
        """The remedy's name on screen."""
        return REMEDIES[self.remedy].label if self.remedy else NO_REMEDY


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run, as far as it is known.

    Attributes:
        state: where it stands; None where it was never asked for.
        epochs: finished ones.
        best: the best epoch so far, or None.
        epoch_seconds: training time of one epoch, or None before the first.
        energy: the normalised energy that fits the model, in the last hidden layer; None while unknown.
        rank: the effective rank of that layer; None while unknown.
    """

    state: RunState | None = None
    epochs: int = 0
    best: BestEpoch | None = None
    epoch_seconds: float | None = None
    energy: Measurement | None = None
    rank: Measurement | None = None

    @property
    def is_active(self) -> bool:
        """Whether the run waits or is trained."""
        return self.state is not None and self.state.is_active


@dataclass(frozen=True, slots=True)
class Difference:
    """One number of two runs: its name, the value with the remedies, and the change to it."""

    label: str
    value: str
    change: str


def usable_remedies(base: RunConfig) -> tuple[str, ...]:
    """Return the keys of the remedies that the run's model, depth and objective can have."""
    sees_labels = OBJECTIVES[base.training.objective].uses_labels
    names = fitting(MODELS[base.model.model].remedies, base.model.num_layers)
    # Without labels the head is a logistic regression: one linear layer.
    return tuple(name for name in names if sees_labels or REMEDIES[name].remedies.post_layers <= 1)


def with_remedies(base: RunConfig, names: Sequence[str]) -> RunConfig:
    """Return the run with these remedies and no others: the same recipe, depth and seed.

    An objective that trains embeddings needs a linear layer after them, which stays or is added.

    Args:
        base: the run.
        names: some of `usable_remedies`.

    Raises:
        ConfigError: remedies that the model cannot have.
    """
    remedies = combined(tuple(names))
    needs_head = not OBJECTIVES[base.training.objective].uses_labels
    needs_head = needs_head or OBJECTIVES[base.training.objective].uses_pairs
    if needs_head and not (remedies.has_head or MODELS[base.model.model].has_head):
        remedies = replace(remedies, post_layers=1)
    return replace(base, model=replace(base.model, remedies=remedies))


def remedy_runs(base: RunConfig) -> tuple[RemedyRun, ...]:
    """Return the runs of the table: without a remedy, then with each usable one alone."""
    configs = {name: with_remedies(base, (name,) if name else ()) for name in ("", *usable_remedies(base))}
    return tuple(RemedyRun(name, config.run_id, config) for name, config in configs.items())


def outcome(status: RunStatus | None, energy: Measurement | None, rank: Measurement | None) -> Outcome:
    """Return what came of a run.

    Args:
        status: how far it has come; None where it was never asked for.
        energy: of its last hidden layer, where it is known.
        rank: likewise.
    """
    if status is None:
        return Outcome()
    pace = status.seconds / status.epochs_done if status.epochs_done and status.seconds else None
    return Outcome(status.state, status.epochs_done, status.best, pace, energy, rank)


def by_validation(
    runs: Sequence[RemedyRun], outcomes: Sequence[Outcome]
) -> tuple[tuple[RemedyRun, Outcome], ...]:
    """Return the runs with what came of them, highest validation accuracy first, then those without one."""
    pairs = zip(runs, outcomes, strict=True)
    return tuple(sorted(pairs, key=lambda pair: -pair[1].best.val_acc if pair[1].best else 1.0))


def differences(before: Outcome, after: Outcome, model: ModelConfig) -> tuple[Difference, ...]:
    """Return what the remedies changed, number by number; those that both runs have.

    Args:
        before: of the run without them.
        after: of the run with them.
        model: decides which energy fits.
    """
    found = []
    if before.best and after.best:
        shares = (("Validation accuracy", "val_acc"), ("Test accuracy", "test_acc"))
        for label, field in shares:
            old, new = getattr(before.best, field), getattr(after.best, field)
            found.append(Difference(label, percent(new), f"{_signed(100 * (new - old))} points"))
    measures = ((matched_rayleigh(model), before.energy, after.energy), (RANK, before.rank, after.rank))
    for name, old, new in measures:
        if old and new and old.value is not None and new.value is not None:
            found.append(Difference(METRICS[name].label, _measure(new.value), _factor(old.value, new.value)))
    if before.epoch_seconds and after.epoch_seconds:
        pace = _factor(before.epoch_seconds, after.epoch_seconds)
        found.append(Difference("Time per epoch", epoch_time(after.epoch_seconds), pace))
    return tuple(found)


def undefined_measures(before: Outcome, after: Outcome, model: ModelConfig) -> tuple[str, ...]:
    """Return a sentence for each measure of the last hidden layer that has no value in one of two runs."""
    sentences = []
    for who, run in (("without", before), ("with", after)):
        metrics = (METRICS[matched_rayleigh(model)], run.energy), (METRICS[RANK], run.rank)
        sentences += [
            _no_value(metric, who, measure.reason)
            for metric, measure in metrics
            if measure is not None and measure.value is None
        ]
    return tuple(sentences)


def as_it_is(base: RunConfig, before: Outcome) -> str:
    """Return the question that follows from what the run has reached, which the page says above."""
    if before.best is None:
        return f"{model_phrase(base)} has not finished an epoch yet: what would help it shows then"
    return f"Which remedy helps {model_phrase(base)}?"


def remedy_finding(base: RunConfig, names: Sequence[str], before: Outcome, after: Outcome) -> str:
    """Return what the chosen remedies did to a run, as far as it is known.

    Args:
        base: the run in question.
        names: keys of `REMEDIES`; () compares with the run without any.
        before: what came of the run.
        after: what came of it with the remedies.
    """
    model = model_phrase(base)
    what = " + ".join(REMEDIES[name].label for name in names) or NO_REMEDY
    reached = f": {percent(before.best.test_acc)} of the test nodes right" if before.best else ""
    if after.best is None or before.best is None:
        wait = "is being trained" if after.is_active else "has not been trained yet"
        return f"{model}{reached} as it is; with {what if names else NO_REMEDY.lower()} it {wait}"
    gain = after.best.test_acc - before.best.test_acc
    so_far = f"After {counted(after.epochs)} epochs: " if after.is_active else ""
    now, was = percent(after.best.test_acc), percent(before.best.test_acc)
    if not names:
        what = "Leaving out every remedy"  # "No remedy helps" would say something else
    return f"{so_far}{what} {_verdict(gain)} {model}: {now} of the test nodes right instead of {was}"


def epoch_time(seconds: float) -> str:
    """Return the time of one epoch, "8.3 ms" or "1.2 s"."""
    return f"{seconds:.1f}{NARROW_SPACE}s" if seconds >= 1 else f"{1000 * seconds:.3g}{NARROW_SPACE}ms"


def _verdict(gain: float) -> str:
    if abs(gain) < NO_DIFFERENCE:
        return "makes little difference to"
    return "helps" if gain > 0 else "harms"


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "\u2212")


def _measure(value: float) -> str:
    return significant(value) if value else "exactly 0"


def _factor(old: float, new: float) -> str:
    """Return how a quantity of 0 or more changed, as a factor if there is one."""
    return f"{significant(new / old)} times" if old and new else f"from {_measure(old)}"


def _no_value(metric: Metric, who: str, reason: str) -> str:
    return f"{metric.label} {who} the remedies has no value: {reason}."
