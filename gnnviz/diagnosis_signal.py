"""What says whether signal and gradient pass through a network: the rules on layers, norms and the control.

Each holds one number against one threshold, both named here with their reasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gnnviz.diagnosis_facts import FITS, RunFacts, skill
from gnnviz.diagnosis_rule import ROUNDING, SCALE, Evidence, Verdict, held
from gnnviz.models import MODELS
from gnnviz.objectives import OBJECTIVES

FLAT = 1e-4  # share of |X|^2 that differs between nodes: 1 % of a row's length, far less than dropout's noise
FLATTER_THAN_AVERAGING = 0.01  # of what averaging alone leaves: two powers of ten are not its doing
ONE_DIRECTION = 1.1  # effective rank; 1 is exactly one direction
VANISHED = 1e-6  # of the strongest gradient, about 0.1: near the 1e-8 below which Adam's steps shrink, too
FLOWS = 1e-3  # and from here on Adam, which divides by a gradient's own size, loses nothing
DECAY_WINS = 1.0  # gradient over the pull of weight decay: below, weights shrink whatever the loss says
SHRUNK = 0.05  # of a layer's weights after the first epoch; layers that are in use keep 0.15 or more
FADED = 1e-4  # size of a value where biases and weights are about 0.1: the signal is a rounding of the bias
EXPLODED = 1e3  # likewise: such logits are certain of everything, and one step throws them over
DEAD_NODES = 0.5  # when most nodes are silent, most of what is averaged is nothing
FADES_AT_START = 1e-6  # |X|^2 from first to last hidden state; a healthy start keeps 1e-2 or more


def _flattest(facts: RunFacts) -> Evidence | None:
    """Look for a layer that gives all nodes one row, more than averaging does: its bias has taken over."""
    spreads = {
        place + 1: spread for place in facts.needed if (spread := facts.trained[place].spread) is not None
    }
    if not spreads:
        return None
    layer, spread = min(spreads.items(), key=lambda item: item[1])
    left = facts.averaged.spread if facts.averaged is not None else None
    by_averaging = left is not None and (left <= ROUNDING or spread >= FLATTER_THAN_AVERAGING * left)
    which = "of the best hidden state and the logits" if facts.jumps else "of all layers"
    text = f"Share of layer {layer}'s state that tells nodes apart, the least {which}"
    died: tuple[Verdict, ...] = () if by_averaging else ("signal_death",)
    distinct: tuple[Verdict, ...] = ("works", "over_fitting", "under_trained")
    return held("flat", text, spread, "at most", FLAT, died, distinct)


def _rank(facts: RunFacts) -> Evidence | None:
    hidden = [facts.trained[place] for place in facts.needed if place <= facts.deepest]
    ranks = [state.rank for state in hidden if state.rank is not None]
    if not ranks or facts.config.model.hidden_channels == 1:
        return None
    text = f"{'Effective' if facts.jumps else 'Least effective'} rank of a hidden state (1: one direction)"
    return held("rank", text, min(ranks), "at most", ONE_DIRECTION, ("signal_death", "over_smoothing"))


def _indispensable(facts: RunFacts, norms: Sequence[float]) -> Sequence[float]:
    """Return the norms of the layers that a run cannot do without, and that Adam trains.

    A head that is fitted has no gradient, where the objective sees no labels; and what the signal can go
    around is of no use, but does no harm.
    """
    trained = norms if OBJECTIVES[facts.config.training.objective].uses_labels else norms[:-1]
    return (trained[0], trained[-1]) if facts.has_shortcuts and len(trained) > 1 else trained


def _gradient(facts: RunFacts) -> Evidence | None:
    gradients = _indispensable(facts, facts.at_best.grad_norms)
    weights = _indispensable(facts, facts.history[0].weight_norms)
    norms = [gradient for gradient, there in zip(gradients, weights, strict=True) if there > 0]
    if len(norms) < 2 or not all(map(math.isfinite, norms)) or max(norms) == 0:
        return None
    ratio = min(norms) / max(norms)
    which = "weaker of the first and the last layer" if facts.has_shortcuts else "weakest layer"
    text = f"Gradient of the {which}, over that of the strong{'er' if facts.has_shortcuts else 'est'}"
    flows: tuple[Verdict, ...] = ("over_smoothing", "over_fitting", "under_trained") if ratio >= FLOWS else ()
    return held(
        "gradient", f"{text}, at the best epoch", ratio, "at most", VANISHED, ("signal_death",), flows
    )


def _decay(facts: RunFacts) -> Evidence | None:
    training, first = facts.config.training, facts.history[0]
    gradients, weights = _indispensable(facts, first.grad_norms), _indispensable(facts, first.weight_norms)
    decayed = slice(1) if training.decay_on == "first" else slice(None)
    pulls = zip(gradients[decayed], weights[decayed], strict=True)
    ratios = [gradient / (training.weight_decay * weight) for gradient, weight in pulls
              if training.weight_decay * weight > 0]  # fmt: skip
    if not ratios:
        return None
    text = "Gradient in the first epoch, over the pull of weight decay, where least"
    return held("decay", text, min(ratios), "at most", DECAY_WINS, ("signal_death",))


def _shrunk(facts: RunFacts) -> Evidence | None:
    """Look for a layer that weight decay has put out."""
    now = _indispensable(facts, facts.at_best.weight_norms)
    first = _indispensable(facts, facts.history[0].weight_norms)
    left = [norm / before for norm, before in zip(now, first, strict=True) if before > 0]
    text = "Weights of the layer that shrank most, over what they were after the first epoch"
    return held("shrunk", text, min(left, default=None), "at most", SHRUNK, ("signal_death",))


def _faded(facts: RunFacts) -> Evidence | None:
    sizes = [facts.trained[place].size for place in facts.needed]
    text = "Smallest size of a layer's values (root mean square)"
    return held("faded", text, min(sizes, default=None), "at most", FADED, ("signal_death",))


def _exploded(facts: RunFacts) -> Evidence | None:
    sizes = [state.size for state in facts.trained]
    text = "Largest size of a layer's values"
    return held("exploded", text, max(sizes, default=None), "at least", EXPLODED, ("signal_death",))


def _dead_nodes(facts: RunFacts) -> Evidence | None:
    dead = [facts.trained[place].dead for place in facts.needed]
    text = "Nodes whose row is zero, in the layer where most are"
    most = max(dead, default=None)
    return held("dead", text, most, "at least", DEAD_NODES, ("signal_death",), is_share=True)


def _fades_at_start(facts: RunFacts) -> Evidence | None:
    states = facts.untrained[: facts.deepest + 1]
    if len(states) < 2 or not states[0].size or facts.jumps:
        return None
    text = "|X|² of the last hidden state over the first one's, before training"
    number = (states[-1].size / states[0].size) ** 2
    return held("start", text, number, "at most", FADES_AT_START, ("signal_death",))


def _control(facts: RunFacts) -> Evidence | None:
    """Ask whether the same depth without edges can be trained, where this run cannot.

    A model whose layers have no weights shares only the number of layers with a control that has them.
    """
    own = facts.train_skill
    if facts.control is None or own is None or own >= FITS:
        return None
    if MODELS[facts.config.model.model].propagates:
        return None
    text = f"Training nodes of the control without edges, {SCALE}"
    value = skill(facts.control.train_acc, facts.train_chance)
    smooths: tuple[Verdict, ...] = ("over_smoothing",)
    return held("control", text, value, "at least", FITS, smooths, ("signal_death",), is_share=True)


FLATNESS_RULES: tuple[Callable[[RunFacts], Evidence | None], ...] = (_flattest, _rank)
SIGNAL_RULES: tuple[Callable[[RunFacts], Evidence | None], ...] = (
    _gradient,
    _decay,
    _shrunk,
    _faded,
    _exploded,
    _dead_nodes,
    _fades_at_start,
    _control,
)
