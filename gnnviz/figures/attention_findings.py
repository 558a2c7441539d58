"""Sentences about attention, computed from its numbers: one node, one layer, all layers.

Heads and layers are counted from 1 in words, from 0 in arguments.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnnviz.attention import NodeAttention, RelativeEntropy, Share, Values
from gnnviz.figures.layout import NARROW_SPACE, counted, percent

# From here on attention is called close to uniform: two inputs that share 0.63 to 0.37 are at 0.95.
NEARLY_UNIFORM = 0.95
# From here on an input is said to get almost all, and from here on most.
ALMOST_ALL = 0.8
MOST = 0.5
# Shares closer to each other than this are not called a difference.
NO_DIFFERENCE = 0.02
_LAST_BELOW_ONE = 0.999


def node_finding(attention: NodeAttention, names: Sequence[str], head: int | None = None) -> str:
    """Return what one head, or the mean over heads, looks at.

    Args:
        attention: of the node.
        names: what its inputs are called [k], in the order of `attention.sources`.
        head: counted from 0, or None for the mean.
    """
    itself = int(np.flatnonzero(attention.sources == attention.node)[0])
    if len(attention.sources) == 1:
        return f"{_capital(names[itself])} has no neighbour: {percent(1.0)} of its attention is on itself."
    share = attention.of_head(head)
    who, top = _subject(attention, head), int(np.argmax(share))
    if share[itself] >= ALMOST_ALL:
        return f"{who} looks almost only at the node itself: {percent(share[itself])} of its attention."
    if _evenness(share) >= NEARLY_UNIFORM:
        return (
            f"{who} spreads its attention almost evenly over {counted(len(share))} inputs: "
            f"{percent(share.min())} to {percent(share.max())} each."
        )
    where = "the node itself" if top == itself else names[top]
    against = f"uniform attention would give {percent(attention.uniform)}"
    if share[top] >= MOST:
        return f"{who} gives most of its attention to {where}: {percent(share[top])}; {against}."
    return f"{who} looks most at {where}: {percent(share[top])}; {against}."


def heads_finding(attention: NodeAttention, names: Sequence[str]) -> str:
    """Return whether the heads of a layer look at the same inputs of a node; arguments as above."""
    heads = attention.num_heads
    if heads == 1 or len(attention.sources) == 1:
        return node_finding(attention, names)
    evenness = min(_evenness(attention.of_head(head)) for head in range(heads))
    if evenness >= NEARLY_UNIFORM:
        return f"All {heads} heads are close to uniform here: entropy at least {_of_maximum(evenness)}."
    first = attention.coefficients.argmax(axis=0)  # [heads]
    votes = np.bincount(first, minlength=len(attention.sources))
    favourite = int(votes.argmax())
    where = "the node itself" if attention.sources[favourite] == attention.node else names[favourite]
    if votes.max() == heads:
        return f"All {heads} heads look most at {where}."
    if votes.max() == 1:
        return f"Each of the {heads} heads looks most at another input."
    others = heads - int(votes.max())
    rest = "the other one elsewhere" if others == 1 else f"the other {others} elsewhere"
    return f"{votes.max()} of {heads} heads look most at {where}, {rest}."


def entropy_finding(entropy: RelativeEntropy, layer: int) -> str:
    """Return how selective the heads of one layer are.

    Args:
        entropy: of the layer's nodes.
        layer: counted from 0.
    """
    if not len(entropy.nodes):
        return f"Attention of layer {layer + 1} has no choice: no node has a neighbour."
    medians = entropy.quartiles()[1]
    lowest, heads = float(medians.min()), len(medians)
    if lowest >= NEARLY_UNIFORM:
        where = "" if heads == 1 else f" in all {heads} heads"
        floor = "" if heads == 1 else "at least "
        return (
            f"Attention of layer {layer + 1} is close to uniform{where}: median entropy "
            f"{floor}{_of_maximum(lowest)}."
        )
    if heads == 1:
        return f"Attention of layer {layer + 1} has a median entropy of {_of_maximum(lowest)}."
    if medians.max() - lowest < NO_DIFFERENCE:
        return f"All {heads} heads of layer {layer + 1} select equally: median entropy {_range(medians)}."
    return (
        f"Head {medians.argmin() + 1} of layer {layer + 1} selects most: median entropy {percent(lowest)} of "
        f"the maximum, up to {percent(medians.max())} in other heads."
    )


def layers_finding(entropies: Sequence[RelativeEntropy]) -> str:
    """Return in which layer attention selects most; one entry per layer, in order."""
    chosen = [entropy for entropy in entropies if len(entropy.nodes)]
    if not chosen:
        return "Attention has no choice in any layer: no node has a neighbour."
    if len(chosen) == 1:
        return entropy_finding(chosen[0], 0)
    medians = np.array([np.median(entropy.quartiles()[1]) for entropy in chosen])
    if medians.min() >= NEARLY_UNIFORM:
        return (
            f"Attention is close to uniform in {_all_layers(len(medians))}: median entropy "
            f"at least {_of_maximum(float(medians.min()))}."
        )
    if medians.max() - medians.min() < NO_DIFFERENCE:
        everywhere = _all_layers(len(medians)).capitalize()
        return f"{everywhere} select equally: median entropy {_range(medians)}."
    low, high = int(medians.argmin()), int(medians.argmax())
    return (
        f"Layer {low + 1} selects most: median entropy {percent(medians[low])} of the maximum; layer "
        f"{high + 1} least: {percent(medians[high])}."
    )


def _all_layers(number: int) -> str:
    return "both layers" if number == 2 else f"all {number} layers"


def share_finding(share: Share, what: str) -> str:
    """Return how the heads' mean share of attention on `what` compares with uniform attention.

    Args:
        share: of a layer.
        what: where the attention goes, "the node itself" or "neighbours of the same class".
    """
    mean = float(share.per_head.mean())
    given = f"{percent(mean)} of attention is on {what}"
    if abs(mean - share.uniform) < NO_DIFFERENCE:
        return f"{given}, about as much as uniform attention would put there ({percent(share.uniform)})."
    direction = "more" if mean > share.uniform else "less"
    return f"{given}, {direction} than uniform attention would put there ({percent(share.uniform)})."


def _subject(attention: NodeAttention, head: int | None) -> str:
    if head is not None:
        return f"Head {head + 1}"
    return "The only head" if attention.num_heads == 1 else f"The mean of {attention.num_heads} heads"


def _evenness(share: Values) -> float:
    """Return the entropy of shares [k], k 2 or more, relative to its maximum."""
    given = share[share > 0]
    return float(-(given * np.log2(given)).sum() / np.log2(len(share)))


def _of_maximum(value: float) -> str:
    """Return "96.1 % of the maximum"; what is below 1 is never rounded up to it."""
    return f"{percent(min(value, _LAST_BELOW_ONE) if value < 1 else 1.0)} of the maximum"


def _range(values: Values) -> str:
    low, high = percent(float(values.min())), percent(float(values.max()))
    ends = high if low == high else f"{low.removesuffix(NARROW_SPACE + '%')} to {high}"
    return f"{ends} of the maximum"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
