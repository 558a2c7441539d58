"""A quantity in every layer of a run at a moment of its training, and the sentences that follow.

Plain records for figures and pages; what is computed comes from `gnnviz.engine.layer_measures` and from
a run's history. The sentences claim nothing that the numbers do not say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gnnviz.config import RunConfig
from gnnviz.figures.layout import NARROW_SPACE, UNBROKEN_HYPHEN, counted, listed, significant
from gnnviz.metric import Metric
from gnnviz.models import MODELS, ModelConfig
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.smoothing import matched_rayleigh

Stage = Literal["start", "best", "last"]
Extent = Literal["whole", "largest"]  # of the graph that is measured: all of it, or the largest component

SAME = 1.1  # a change by less than this factor is not called one
DIP = 2.0  # a low below both ends by this factor is told
_LARGE_POWER = 5  # from 10^5 on a factor is told by its power of ten
_RAW_AND_NORMALISED = (
    ("dirichlet_sym", "rayleigh_sym"),
    ("dirichlet_rusch", "rayleigh_rw"),
    ("subspace_distance", "subspace_distance_relative"),
)
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measure of one hidden state.

    Attributes:
        value: a finite number, or None where the measure has no value.
        reason: why it has none, a sentence without its full stop; "" where it has one.
    """

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a run's training.

    Attributes:
        stage: "start": before the first step, or for gradients the first epoch; "best": the epoch chosen on
            the validation nodes; "last": the newest.
        epoch: 0, 1, 2, ...
    """

    stage: Stage
    epoch: int


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """A quantity in states 1 to `ModelConfig.num_states` at one moment; the last of them are the logits."""

    moment: Moment
    layers: tuple[Measurement, ...]


def moments(kept: Sequence[int], best: BestEpoch | None) -> tuple[Moment, ...]:
    """Return the moments that can be looked at: start, best and last, each epoch once.

    While a run goes on its best epoch may not be kept yet; then there is no "best".

    Args:
        kept: the epochs whose weights are kept, ascending; may be empty.
        best: the best epoch so far, if any is finished.
    """
    found = {0: Moment("start", 0)} if 0 in kept else {}
    if best is not None and best.epoch in kept:
        found[best.epoch] = Moment("best", best.epoch)
    if kept and kept[-1] not in found:
        found[kept[-1]] = Moment("last", kept[-1])
    return tuple(found.values())


def chosen_moments(known: Sequence[Moment], stages: Sequence[str]) -> tuple[Moment, ...]:
    """Return the moments of these stages; while there is no best one yet, the last stands for it.

    Args:
        known: from `moments`.
        stages: any of "start", "best" and "last"; other words are let pass.
    """
    is_early = "best" in stages and all(moment.stage != "best" for moment in known)
    wanted = {*stages, "last"} if is_early else set(stages)
    return tuple(moment for moment in known if moment.stage in wanted)


def gradient_profiles(history: Sequence[EpochRecord], best: BestEpoch | None) -> tuple[LayerProfile, ...]:
    """Return the norm of the gradient in each layer at the first, the best and the last epoch so far."""
    if not history:
        return ()
    chosen = {history[0].epoch: Moment("start", history[0].epoch)}
    if best is not None:
        chosen.setdefault(best.epoch, Moment("best", best.epoch))
    chosen.setdefault(history[-1].epoch, Moment("last", history[-1].epoch))
    records = {record.epoch: record for record in history}
    return tuple(
        LayerProfile(moment, tuple(_gradient(norm) for norm in records[epoch].grad_norms))
        for epoch, moment in chosen.items()
        if epoch in records
    )


def standard_measures(config: ModelConfig) -> tuple[str, ...]:
    """Return the four measures that are always shown, and the size of the signal that explains them.

    Args:
        config: decides which energies fit its layers.
    """
    matched = matched_rayleigh(config)
    energy = "dirichlet_sym" if matched == "rayleigh_sym" else "dirichlet_rusch"
    return ("mad", energy, matched, "effective_rank", "norm")


def raw_and_normalised(measure: str) -> tuple[str, str] | None:
    """Return a measure and the same one without the size of the signal; None if it is in no such pair."""
    return next((pair for pair in _RAW_AND_NORMALISED if measure in pair), None)


def layers_finding(metric: Metric, config: RunConfig, profiles: Sequence[LayerProfile]) -> str:
    """Return how a measure changes from the first hidden layer to the last one, before training and after.

    With one hidden layer it is compared with the logits; without any its value in the logits is told.

    Args:
        metric: what was measured.
        config: the run.
        profiles: its layers at one moment or more; start first, the one that matters most second.
    """
    depth = config.model.num_states
    model = f"this {MODELS[config.model.model].label}"
    told = _told(profiles)
    if not told:
        return f"{metric.label} in the layers of {model} will appear here"
    end = max(depth - 1, min(depth, 2))
    changes = [_change(profile.layers[:end], metric) for profile in told]
    whens = [_when(profile.moment) for profile in told]
    last = "the logits" if depth == 2 else f"layer {end}"
    where = f"from layer 1 to {last} of {model}" if depth > 1 else f"in the logits of {model}, its only layer"
    if len(set(changes)) == 1:
        return f"{metric.label}, {where}, {changes[0]} {listed(whens)}"
    later = "".join(f"; {when} it {change}" for when, change in zip(whens[1:], changes[1:], strict=True))
    return f"{metric.label}, {where}, {changes[0]} {whens[0]}{later}"


def missing_values(profiles: Sequence[LayerProfile]) -> tuple[str, ...]:
    """Return for each moment with layers that have no value a sentence that says which, and why."""
    sentences = []
    for profile in profiles:
        gaps = [place for place, layer in enumerate(profile.layers, 1) if layer.value is None]
        if gaps:
            which = f"layer {gaps[0]}" if len(gaps) == 1 else f"{len(gaps)} layers from layer {gaps[0]} on"
            reason = profile.layers[gaps[0] - 1].reason
            sentences.append(f"{stage_label(profile.moment)}: no value in {which}: {reason}.")
    return tuple(sentences)


def stage_label(moment: Moment) -> str:
    """Return "untrained", "first epoch", "best: epoch 118" or "last: epoch 200"."""
    if moment.stage == "start":
        return "untrained" if moment.epoch == 0 else "first epoch"
    return f"{moment.stage}: epoch {counted(moment.epoch)}"


def _gradient(norm: float) -> Measurement:
    if math.isfinite(norm):
        return Measurement(norm)
    return Measurement(None, "the gradient is NaN or infinite: the signal has exploded")


def _told(profiles: Sequence[LayerProfile]) -> list[LayerProfile]:
    """Return the start, and the best moment or else the last."""
    by_stage = {profile.moment.stage: profile for profile in profiles}
    after = by_stage.get("best") or by_stage.get("last")
    return [profile for profile in (by_stage.get("start"), after) if profile is not None]


def _when(moment: Moment) -> str:
    if moment.stage == "start":
        return "before training"
    return "at the best epoch" if moment.stage == "best" else f"after {counted(moment.epoch)} epochs"


def _change(layers: Sequence[Measurement], metric: Metric) -> str:
    """Return how a measure goes from the first of some layers to the last, as a verb.

    On a logarithmic measure a low between them is told, too: the ends alone would hide it.
    """
    values = [layer.value for layer in layers if layer.value is not None]
    if len(values) < len(layers):
        return f"has no value in {len(layers) - len(values)} of {len(layers)} layers"
    first, last, lowest = values[0], values[-1], min(values)
    if len(values) == 1:
        return f"is {significant(first)}"
    if metric.scale == "linear":
        return f"goes from {significant(first)} to {significant(last)}"
    if DIP * lowest < min(first, last):
        return f"{_fall(first, lowest)} by layer {1 + values.index(lowest)} and rises again"
    return _fall(first, last)


def _fall(first: float, last: float) -> str:
    """Return how a quantity of 0 or more changes, as a factor if it can be told as one."""
    if not first or not last:
        return f"goes from {_or_zero(first)} to {_or_zero(last)}"
    change = math.log10(first) - math.log10(last)
    if abs(change) < math.log10(SAME):
        return f"ends within 10{NARROW_SPACE}% of where it begins"
    return f"{'falls' if change > 0 else 'grows'} {_fold(abs(change))}"


def _or_zero(value: float) -> str:
    return significant(value) if value else "exactly 0"


def _fold(power: float) -> str:
    """Return 10 to the `power`, above 0, as a factor in words: "4.6-fold", "290-fold", "about 10⁷-fold"."""
    if power >= _LARGE_POWER:
        return f"about 10{str(round(power)).translate(_SUPERSCRIPTS)}{UNBROKEN_HYPHEN}fold"
    digits = 1 - math.floor(power)  # two significant digits
    return f"{round(10**power, digits):,.{max(digits, 0)}f}{UNBROKEN_HYPHEN}fold"
