"""What speaks for and against each explanation of a run, in numbers: `RunFacts` in, `Evidence` out.

Each rule holds one number against one threshold, both named here with their reasons. Which explanation the
evidence adds up to is decided in `gnnviz.diagnosis`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gnnviz.diagnosis_facts import RunFacts, skill
from gnnviz.figures.layout import NARROW_SPACE
from gnnviz.records import EpochRecord

Verdict = Literal["works", "over_smoothing", "signal_death", "over_fitting", "under_trained", "mixed"]
Bound = Literal["at least", "at most"]

# Skill is (accuracy - chance) / (1 - chance), chance being to guess the part's largest class: 0 is no
# better than guessing, 1 is perfect, whatever the classes' sizes.
FITS = 0.5  # half of what can be learned on the training nodes; training that works comes close to 1
WORKS = 0.4  # of the test nodes' skill; on Cora 59 %, where two layers reach 80 % and failures 30 to 50 %
KEEPS = 0.5  # of the training skill on the test nodes; below, more is lost than carried over
PART_OF_TRAINING = 5  # the end of the training is its last fifth: long enough to see past the epochs' noise
STILL_FALLING = 0.01  # of the training loss in that fifth; slower, it takes 14 such trainings to halve
RISES = 0.1  # of the validation loss above its lowest value; less is noise from epoch to epoch
FLAT = 1e-4  # share of |X|^2 that differs between nodes: 1 % of a row's length, far less than dropout's noise
FLATTER_THAN_AVERAGING = 0.01  # of what averaging alone leaves: two powers of ten are not its doing
ONE_DIRECTION = 1.1  # effective rank; 1 is exactly one direction
ALIGNED = 0.95  # share of a state in the limit; trained networks that work have 0.2 to 0.8
AVERAGES_ENOUGH = 0.8  # the same of the averaged features: below, averaging cannot be what aligns the rows
FAR_FROM_AVERAGED = 10.0  # times the energy that averaging alone leaves; networks that work: 0.2 to 11
SAME_DIRECTION = 1e-3  # mean cosine distance of neighbours: an angle of 2.6 degrees
VANISHED = 1e-6  # of the strongest gradient, about 0.1: near the 1e-8 below which Adam's steps shrink, too
FLOWS = 1e-3  # and from here on Adam, which divides by a gradient's own size, loses nothing
DECAY_WINS = 1.0  # gradient over the pull of weight decay: below, weights shrink whatever the loss says
FADED = 1e-4  # size of a value where biases and weights are about 0.1: the signal is a rounding of the bias
EXPLODED = 1e3  # likewise: such logits are certain of everything, and one step throws them over
DEAD_NODES = 0.5  # when most nodes are silent, most of what is averaged is nothing
FADES_AT_START = 1e-6  # |X|^2 from first to last hidden state; a healthy start keeps 1e-2 or more

_SCALE = f"from guessing (0{NARROW_SPACE}%) to all right (100{NARROW_SPACE}%)"
FAILURES: tuple[Verdict, ...] = ("over_smoothing", "signal_death", "over_fitting", "under_trained")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number, held against its threshold.

    Attributes:
        name: of the rule.
        text: what was measured.
        number: what it is, finite.
        bound: on which side of the threshold it would speak for what the rule looks for.
        threshold: the constant of this module.
        supports: the verdicts that it speaks for; () for none.
        is_share: whether to read it as percent.
    """

    name: str
    text: str
    number: float
    bound: Bound
    threshold: float
    supports: tuple[Verdict, ...]
    is_share: bool = False


def evidence_of(facts: RunFacts) -> tuple[Evidence, ...]:
    """Return what speaks for and against, in the order in which it is read; what has no value is left out."""
    found = (rule(facts) for rule in RULES)
    return tuple(item for item in found if item is not None and math.isfinite(item.number))


def _held(
    name: str,
    text: str,
    number: float | None,
    bound: Bound,
    threshold: float,
    then: tuple[Verdict, ...],
    otherwise: tuple[Verdict, ...] = (),
    *,
    is_share: bool = False,
) -> Evidence | None:
    """Return a number that speaks for `then` on the named side of its threshold, and else for `otherwise`."""
    if number is None:
        return None
    reached = number >= threshold if bound == "at least" else number <= threshold
    return Evidence(name, text, number, bound, threshold, then if reached else otherwise, is_share)


def _test_skill(facts: RunFacts) -> Evidence | None:
    text = f"Test nodes, {_SCALE}"
    return _held("test", text, facts.test_skill, "at least", WORKS, ("works",), FAILURES, is_share=True)


def _train_skill(facts: RunFacts) -> Evidence | None:
    text = f"Training nodes, {_SCALE}"
    fails: tuple[Verdict, ...] = ("signal_death", "over_smoothing", "under_trained")
    fits: tuple[Verdict, ...] = ("works", "over_fitting")
    return _held("train", text, facts.train_skill, "at least", FITS, fits, fails, is_share=True)


def _kept(facts: RunFacts) -> Evidence | None:
    train, test = facts.train_skill, facts.test_skill
    if train is None or test is None or train <= 0:
        return None
    text = "Share of the training nodes' result that the test nodes keep"
    over: tuple[Verdict, ...] = ("over_fitting",)
    return _held("kept", text, max(test, 0.0) / train, "at least", KEEPS, ("works",), over, is_share=True)


def _validation_rises(facts: RunFacts) -> Evidence | None:
    lowest, last = min(record.val_loss for record in facts.history), facts.history[-1].val_loss
    if lowest <= 0:
        return None
    text = "Validation loss at the end, above its lowest"
    return _held("rises", text, last / lowest - 1, "at least", RISES, ("over_fitting",), is_share=True)


def _still_falling(facts: RunFacts) -> Evidence | None:
    """Count a fall of the training loss only while the validation loss reaches its lowest, too."""
    before = _before_the_end(facts.history)
    start, end = facts.history[before].train_loss, facts.history[-1].train_loss
    if start <= 0 or len(facts.history) < 2:
        return None
    lowest = min(range(len(facts.history)), key=lambda place: facts.history[place].val_loss)
    text = "Training loss lost in the last fifth of the epochs"
    improves: tuple[Verdict, ...] = ("under_trained",) if lowest >= before else ()
    return _held("falling", text, 1 - end / start, "at least", STILL_FALLING, improves, is_share=True)


def _before_the_end(history: Sequence[EpochRecord]) -> int:
    return max(len(history) - 1 - math.ceil(len(history) / PART_OF_TRAINING), 0)


def _flattest(facts: RunFacts) -> Evidence | None:
    """Look for a layer that gives all nodes one row, more than averaging does: its bias has taken over."""
    spreads = {
        layer: state.spread for layer, state in enumerate(facts.trained, 1) if state.spread is not None
    }
    if not spreads:
        return None
    layer, spread = min(spreads.items(), key=lambda item: item[1])
    left = facts.averaged.spread if facts.averaged is not None else None
    by_averaging = left is not None and spread >= FLATTER_THAN_AVERAGING * left
    text = f"Share of layer {layer}'s state that tells nodes apart, the least of all layers"
    died: tuple[Verdict, ...] = () if by_averaging else ("signal_death",)
    distinct: tuple[Verdict, ...] = ("works", "over_fitting", "under_trained")
    return _held("flat", text, spread, "at most", FLAT, died, distinct)


def _rank(facts: RunFacts) -> Evidence | None:
    hidden = facts.trained[: facts.deepest + 1]
    ranks = [state.rank for state in hidden if state.rank is not None]
    if not ranks or facts.config.model.hidden_channels == 1:
        return None
    text = "Least effective rank of a hidden state (1: one direction)"
    return _held("rank", text, min(ranks), "at most", ONE_DIRECTION, ("signal_death", "over_smoothing"))


def _aligned(facts: RunFacts) -> Evidence | None:
    if facts.averaged is None:
        return None
    text = "Share of the last hidden state in the limit of averaging"
    value = facts.trained[facts.deepest].aligned
    return _held("aligned", text, value, "at least", ALIGNED, ("over_smoothing",), is_share=True)


def _averaged_aligned(facts: RunFacts) -> Evidence | None:
    if facts.averaged is None:
        return None
    text = "The same of the features, averaged as often and nothing else"
    value = facts.averaged.aligned
    return _held("averaged", text, value, "at least", AVERAGES_ENOUGH, ("over_smoothing",), is_share=True)


def _energy(facts: RunFacts) -> Evidence | None:
    if facts.averaged is None or not facts.averaged.energy:
        return None
    energy = facts.trained[facts.deepest].energy
    text = "Normalised energy of the last hidden state, over what averaging alone leaves"
    others: tuple[Verdict, ...] = ("works", "signal_death", "over_fitting", "under_trained")
    ratio = None if energy is None else energy / facts.averaged.energy
    return _held("energy", text, ratio, "at least", FAR_FROM_AVERAGED, others)


def _mad(facts: RunFacts) -> Evidence | None:
    text = "MAD of neighbours in the last hidden state"
    value = facts.trained[facts.deepest].mad
    return _held("mad", text, value, "at most", SAME_DIRECTION, ("over_smoothing", "signal_death"))


def _gradient(facts: RunFacts) -> Evidence | None:
    record = facts.at_best
    norms = [
        gradient for gradient, there in zip(record.grad_norms, facts.history[0].weight_norms, strict=True)
        if there > 0
    ]  # fmt: skip
    if len(norms) < 2 or not all(map(math.isfinite, norms)) or max(norms) == 0:
        return None
    ratio = min(norms) / max(norms)
    text = "Gradient of the weakest layer, over that of the strongest, at the best epoch"
    flows: tuple[Verdict, ...] = ("over_smoothing", "over_fitting", "under_trained") if ratio >= FLOWS else ()
    return _held("gradient", text, ratio, "at most", VANISHED, ("signal_death",), flows)


def _decay(facts: RunFacts) -> Evidence | None:
    training, first = facts.config.training, facts.history[0]
    decayed = slice(1) if training.decay_on == "first" else slice(None)
    pulls = zip(first.grad_norms[decayed], first.weight_norms[decayed], strict=True)
    ratios = [gradient / (training.weight_decay * weight) for gradient, weight in pulls
              if training.weight_decay * weight > 0]  # fmt: skip
    if not ratios:
        return None
    text = "Gradient in the first epoch, over the pull of weight decay, where least"
    return _held("decay", text, min(ratios), "at most", DECAY_WINS, ("signal_death",))


def _faded(facts: RunFacts) -> Evidence | None:
    sizes = [state.size for state in facts.trained]
    text = "Smallest size of a layer's values (root mean square)"
    return _held("faded", text, min(sizes, default=None), "at most", FADED, ("signal_death",))


def _exploded(facts: RunFacts) -> Evidence | None:
    sizes = [state.size for state in facts.trained]
    text = "Largest size of a layer's values"
    return _held("exploded", text, max(sizes, default=None), "at least", EXPLODED, ("signal_death",))


def _dead_nodes(facts: RunFacts) -> Evidence | None:
    dead = [state.dead for state in facts.trained]
    text = "Nodes whose row is zero, in the layer where most are"
    most = max(dead, default=None)
    return _held("dead", text, most, "at least", DEAD_NODES, ("signal_death",), is_share=True)


def _fades_at_start(facts: RunFacts) -> Evidence | None:
    states = facts.untrained[: facts.deepest + 1]
    if len(states) < 2 or not states[0].size:
        return None
    text = "|X|² of the last hidden state over the first one's, before training"
    number = (states[-1].size / states[0].size) ** 2
    return _held("start", text, number, "at most", FADES_AT_START, ("signal_death",))


def _control(facts: RunFacts) -> Evidence | None:
    """Ask whether the same depth without edges can be trained, where this run cannot."""
    own = facts.train_skill
    if facts.control is None or own is None or own >= FITS:
        return None
    text = f"Training nodes of the control without edges, {_SCALE}"
    value = skill(facts.control.train_acc, facts.train_chance)
    smooths: tuple[Verdict, ...] = ("over_smoothing",)
    return _held("control", text, value, "at least", FITS, smooths, ("signal_death",), is_share=True)


RULES: tuple[Callable[[RunFacts], Evidence | None], ...] = (
    _test_skill,
    _train_skill,
    _kept,
    _validation_rises,
    _still_falling,
    _flattest,
    _rank,
    _aligned,
    _averaged_aligned,
    _energy,
    _mad,
    _gradient,
    _decay,
    _faded,
    _exploded,
    _dead_nodes,
    _fades_at_start,
    _control,
)
