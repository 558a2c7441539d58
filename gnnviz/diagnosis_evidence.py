"""What speaks for and against each explanation of a run, in numbers: `RunFacts` in, `Evidence` out.

Each rule holds one number against one threshold, both named here with their reasons. Which explanation the
evidence adds up to is decided in `gnnviz.diagnosis`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gnnviz.diagnosis_facts import FITS, RunFacts
from gnnviz.diagnosis_rule import FAILURES, ROUNDING, SCALE, Evidence, Verdict, held
from gnnviz.diagnosis_signal import FLATNESS_RULES, SIGNAL_RULES
from gnnviz.figures.layout import percent
from gnnviz.models import MODELS
from gnnviz.records import EpochRecord

WORKS = 0.4  # of the test nodes' skill; on Cora 59 %, where two layers reach 80 % and failures 30 to 50 %
KEEPS = 0.5  # of the training skill on the test nodes; below, more is lost than carried over
PART_OF_TRAINING = 5  # the end of the training is its last fifth: long enough to see past the epochs' noise
STILL_FALLING = 0.01  # of the training loss in that fifth; slower, it takes 14 such trainings to halve
LONG_END = 10  # epochs; a shorter end has no time to fall by that, and is held to its share of it
HARDLY_MOVED = 0.05  # learning rate times epochs, the farthest that Adam moves a weight, which begins at 0.1
RISES = 0.1  # of the validation loss above its lowest value; less is noise from epoch to epoch
ALIGNED = 0.95  # share of a state in the limit; trained networks that work have up to 0.9
AVERAGES_ENOUGH = 0.8  # the same of the averaged features: below, averaging cannot be what aligns the rows
LESS_THAN_AVERAGING = 0.05  # of what averaging alone leaves outside the limit: it did not take away the rest
FAR_FROM_AVERAGED = 10.0  # times the energy that averaging alone leaves; convolutions that work: 0.1 to 11
SAME_DIRECTION = 1e-3  # mean cosine distance of neighbours: an angle of 2.6 degrees
SMOOTHING: tuple[Verdict, ...] = ("over_smoothing",)


def evidence_of(facts: RunFacts) -> tuple[Evidence, ...]:
    """Return what speaks for and against, in the order in which it is read; what has no value is left out."""
    found = (rule(facts) for rule in RULES)
    return tuple(item for item in found if item is not None and math.isfinite(item.number))


def _test_skill(facts: RunFacts) -> Evidence | None:
    text = f"Test nodes, {SCALE}"
    return held("test", text, facts.test_skill, "at least", WORKS, ("works",), FAILURES, is_share=True)


def _train_skill(facts: RunFacts) -> Evidence | None:
    text = f"Training nodes, {SCALE}"
    fails: tuple[Verdict, ...] = ("signal_death", "over_smoothing", "under_trained")
    fits: tuple[Verdict, ...] = ("works", "over_fitting")
    return held("train", text, facts.train_skill, "at least", FITS, fits, fails, is_share=True)


def _kept(facts: RunFacts) -> Evidence | None:
    train, test = facts.train_skill, facts.test_skill
    if train is None or test is None or train <= 0:
        return None
    text = "Share of the training nodes' result that the test nodes keep"
    over: tuple[Verdict, ...] = ("over_fitting",)
    return held("kept", text, max(test, 0.0) / train, "at least", KEEPS, ("works",), over, is_share=True)


def _validation_rises(facts: RunFacts) -> Evidence | None:
    lowest, last = min(record.val_loss for record in facts.history), facts.history[-1].val_loss
    if lowest <= 0:
        return None
    text = "Validation loss at the end, above its lowest"
    return held("rises", text, last / lowest - 1, "at least", RISES, ("over_fitting",), is_share=True)


def _still_falling(facts: RunFacts) -> Evidence | None:
    """Count a fall of the training loss only while the validation loss reaches its lowest, too."""
    before = _before_the_end(facts.history)
    start, end = facts.history[before].train_loss, facts.history[-1].train_loss
    share = min(math.ceil(len(facts.history) / PART_OF_TRAINING) / LONG_END, 1.0)
    if start <= 0 or len(facts.history) < 2:
        return None
    lowest = min(range(len(facts.history)), key=lambda place: facts.history[place].val_loss)
    text = "Training loss lost in the last fifth of the epochs"
    improves: tuple[Verdict, ...] = ("under_trained",) if lowest >= before else ()
    return held("falling", text, 1 - end / start, "at least", STILL_FALLING * share, improves, is_share=True)


def _hardly_moved(facts: RunFacts) -> Evidence | None:
    """Bound the way of a weight; of mini-batches, which step several times an epoch, it is not known."""
    if facts.config.training.batch_size is not None:
        return None
    text = "How far training can have moved a weight: learning rate times epochs"
    farthest = facts.config.training.learning_rate * len(facts.history)
    return held("moved", text, farthest, "at most", HARDLY_MOVED, ("under_trained",))


def _before_the_end(history: Sequence[EpochRecord]) -> int:
    return max(len(history) - 1 - math.ceil(len(history) / PART_OF_TRAINING), 0)


def _aligned(facts: RunFacts) -> Evidence | None:
    if facts.averaged is None:
        return None
    shares = [state.aligned for state in facts.read if state.aligned is not None]
    which = "hidden state farthest from the limit of averaging that is in it"
    text = f"Share of the {which if facts.jumps else 'last hidden state in the limit of averaging'}"
    value = min(shares, default=None)
    return held("aligned", text, value, "at least", ALIGNED, SMOOTHING, is_share=True)


def _averaged_aligned(facts: RunFacts) -> Evidence | None:
    """Ask whether averaging alone leads there; it does not where the features are there from the start."""
    if facts.averaged is None:
        return None
    begin = (facts.features.aligned if facts.features is not None else None) or 0.0
    there = begin >= ALIGNED
    text = f"The same of the features, averaged {'once' if facts.jumps else 'as often'} and nothing else"
    text += f"; {percent(begin)} before" if there else ""
    value, then = facts.averaged.aligned, () if there else SMOOTHING
    return held("averaged", text, value, "at least", AVERAGES_ENOUGH, then, is_share=True)


def _outside(facts: RunFacts) -> Evidence | None:
    """Ask who took what is not in the limit, where averaging alone does not reach it and weights may have."""
    by_averaging = facts.averaged.aligned if facts.averaged is not None else None
    shares = [state.aligned for state in facts.read if state.aligned is not None]
    if by_averaging is None or by_averaging >= ALIGNED or not shares:
        return None
    if MODELS[facts.config.model.model].propagates:
        return None
    text = "Share outside that limit, over what averaging alone leaves there"
    ratio = (1 - min(shares)) / (1 - by_averaging)
    return held("outside", text, ratio, "at most", LESS_THAN_AVERAGING, ("signal_death",))


def _energy(facts: RunFacts) -> Evidence | None:
    if facts.averaged is None or facts.averaged.energy is None:
        return None
    energies = [state.energy for state in facts.read if state.energy is not None]
    which = "Largest normalised energy of a" if facts.jumps else "Normalised energy of the last"
    text = f"{which} hidden state, over what averaging {'once' if facts.jumps else 'alone'} leaves"
    others: tuple[Verdict, ...] = ("works", "signal_death", "over_fitting", "under_trained")
    ratio = max(energies) / max(facts.averaged.energy, ROUNDING) if energies else None
    return held("energy", text, ratio, "at least", FAR_FROM_AVERAGED, others)


def _mad(facts: RunFacts) -> Evidence | None:
    which = "hidden state where it is largest" if facts.jumps else "last hidden state"
    text = f"MAD of neighbours in the {which}"
    value = max((state.mad for state in facts.read if state.mad is not None), default=None)
    return held("mad", text, value, "at most", SAME_DIRECTION, ("over_smoothing", "signal_death"))


RULES: tuple[Callable[[RunFacts], Evidence | None], ...] = (
    _test_skill,
    _train_skill,
    _kept,
    _validation_rises,
    _still_falling,
    _hardly_moved,
    *FLATNESS_RULES,
    _aligned,
    _averaged_aligned,
    _outside,
    _energy,
    _mad,
    *SIGNAL_RULES,
)
