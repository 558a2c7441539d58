"""Attention statistics: what one node looks at, how spread out a head is, how alike two heads are.

Starts from what a layer's `attention` returns: edges [2, E] (row 0 source, row 1 target, a self-loop per
node) and alpha [E, heads], which sums to 1 over a node's inputs: its neighbours and itself. Knows no figure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import GnnvizError
from gnnviz.graph import UNLABELLED

Values = NDArray[np.float64]
Ids = NDArray[np.int64]

# Coefficients are float32: the sum over a hub's 100,000 inputs may be off by some 1e-4.
SUM_TOLERANCE = 1e-3


class AttentionError(GnnvizError, ValueError):
    """Coefficients that are not attention, or a node or graph that a statistic has no value for."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeAttention:
    """What one node looks at, strongest input first (by the mean over heads; ties by lower id).

    Attributes:
        node: the node that looks.
        sources: its k inputs [k], itself among them.
        coefficients: [k, heads] in 0..1; every column sums to 1.
    """

    node: int
    sources: Ids
    coefficients: Values

    @property
    def num_heads(self) -> int:
        """The number of heads."""
        return self.coefficients.shape[1]

    @property
    def uniform(self) -> float:
        """1 / k: what every input would get if the node made no difference between them."""
        return 1.0 / len(self.sources)

    def of_head(self, head: int | None) -> Values:
        """Return the coefficients of one head, counted from 0, or for None their mean over heads [k].

        Raises:
            AttentionError: no such head.
        """
        if head is None:
            return self.coefficients.mean(axis=1)
        if not 0 <= head < self.num_heads:
            raise AttentionError(f"there is no head {head}; choose from 0 to {self.num_heads - 1}")
        return self.coefficients[:, head]

    def on_itself(self, head: int | None) -> float:
        """Return the share of attention on the node itself, in 0..1; arguments as for `of_head`."""
        return float(self.of_head(head)[self.sources == self.node].sum())


@dataclass(frozen=True, slots=True, eq=False)
class RelativeEntropy:
    """How evenly nodes spread their attention, as a share of the most that is possible.

    Attributes:
        nodes: the M nodes with two inputs or more, ascending [M].
        inputs: number of inputs of each [M], 2 or more.
        values: entropy / log2(inputs) [M, heads] in 0..1; 0: one input gets all, 1: all get the same.
        left_out: number of nodes with one input, whose maximum is 0, so that they have no value.
    """

    nodes: Ids
    inputs: Ids
    values: Values
    left_out: int

    def quartiles(self) -> Values:
        """Return the lower quartile, the median and the upper quartile over nodes [3, heads].

        Raises:
            AttentionError: no node has two inputs.
        """
        if not len(self.nodes):
            raise _no_choice()
        return np.quantile(self.values, [0.25, 0.5, 0.75], axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """How much attention goes to a kind of input, as a mean over nodes with two inputs or more.

    Attributes:
        per_head: share in 0..1 [heads].
        uniform: the share if all inputs of a node got the same, in 0..1.
        num_nodes: number of nodes in the mean.
        left_out: number of other nodes: with one input, or without a label where labels count.
    """

    per_head: Values
    uniform: float
    num_nodes: int
    left_out: int


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """Checked coefficients: source and target [E], alpha [E, heads], number of inputs [N]."""

    source: Ids
    target: Ids
    alpha: Values
    inputs: Ids

    @property
    def choosing(self) -> NDArray[np.bool_]:
        """Which nodes have two inputs or more [N]."""
        return self.inputs > 1


def node_attention(edge_index: Ids, alpha: NDArray[np.floating], node: int) -> NodeAttention:
    """Return what `node` looks at, itself included.

    Args:
        edge_index: [2, E] with self-loops, in any order.
        alpha: [E, heads] in 0..1.
        node: the node that looks.

    Raises:
        AttentionError: the node is not among its inputs, or its coefficients do not sum to 1.
    """
    edges, coefficients = _as_arrays(edge_index, alpha)
    into = edges[1] == node
    if node not in edges[0, into]:
        raise AttentionError(f"node {node} has no self-loop; choose a node of the graph, and give all edges")
    sources, own = edges[0, into], coefficients[into]
    _check_sums(own.sum(axis=0)[None, :], np.array([node]))
    order = np.lexsort((sources, -own.mean(axis=1)))
    return NodeAttention(int(node), sources[order], own[order])


def entropy(edge_index: Ids, alpha: NDArray[np.floating], num_nodes: int) -> Values:
    """Return how spread out each node's attention is, in bits [N, heads].

    -sum_j alpha_ij log2 alpha_ij: 0 when one input gets all, log2 k when all k get the same; 0, too, for a
    node whose only input is itself.

    Raises:
        AttentionError: coefficients that do not sum to 1 for every node.

    Reference: Shannon, Bell System Technical Journal 1948, section 6.
    """
    layer = _checked(edge_index, alpha, num_nodes)
    return _entropy(layer, layer.alpha)


def relative_entropy(edge_index: Ids, alpha: NDArray[np.floating], num_nodes: int) -> RelativeEntropy:
    """Return each node's entropy as a share of log2(number of inputs), nodes with one input left out.

    Raises:
        AttentionError: coefficients that do not sum to 1 for every node.
    """
    layer = _checked(edge_index, alpha, num_nodes)
    nodes = np.flatnonzero(layer.choosing).astype(np.int64)
    inputs = layer.inputs[nodes]
    values = _entropy(layer, layer.alpha)[nodes] / np.log2(inputs)[:, None]
    return RelativeEntropy(nodes, inputs, values, left_out=num_nodes - len(nodes))


def head_agreement(edge_index: Ids, alpha: NDArray[np.floating], num_nodes: int) -> Values:
    """Return how alike every two heads are [heads, heads], symmetric, in 0..1, with ones on the diagonal.

    1 - Jensen-Shannon divergence in bits, as a mean over the nodes with two inputs or more. 1: both heads
    look at the same inputs with the same coefficients; 0: at none in common.

    Raises:
        AttentionError: coefficients that do not sum to 1 for every node, or no node has two inputs.

    Reference: Lin, IEEE Transactions on Information Theory 1991, section IV; between attention heads:
        Clark et al., BlackboxNLP 2019, section 6. Differs: a mean over nodes, not a sum, taken from 1.
    """
    layer = _checked(edge_index, alpha, num_nodes)
    if not layer.choosing.any():
        raise _no_choice()
    own = _entropy(layer, layer.alpha)[layer.choosing].mean(axis=0)  # [heads]
    agreement = np.eye(len(own))
    for head in range(len(own) - 1):
        mixed = (layer.alpha[:, head, None] + layer.alpha[:, head + 1 :]) / 2  # [E, later heads]
        of_mixture = _entropy(layer, mixed)[layer.choosing].mean(axis=0)
        divergence = of_mixture - (own[head] + own[head + 1 :]) / 2
        agreement[head, head + 1 :] = agreement[head + 1 :, head] = np.clip(1 - divergence, 0, 1)
    return agreement


def share_on_itself(edge_index: Ids, alpha: NDArray[np.floating], num_nodes: int) -> Share:
    """Return how much of their attention nodes keep for themselves.

    Raises:
        AttentionError: coefficients that do not sum to 1 for every node, or no node has two inputs.
    """
    layer = _checked(edge_index, alpha, num_nodes)
    return _share(layer, layer.source == layer.target, layer.choosing)


def share_on_same_class(edge_index: Ids, alpha: NDArray[np.floating], y: Ids) -> Share:
    """Return how much of their attention nodes give to neighbours of their own class, not to themselves.

    Args:
        edge_index: [2, E] with self-loops.
        alpha: [E, heads] in 0..1.
        y: class of each node [N]; nodes that are `UNLABELLED` are not in the mean.

    Raises:
        AttentionError: coefficients that do not sum to 1 for every node, or no labelled node has two inputs.
    """
    layer = _checked(edge_index, alpha, len(y))
    counted = (layer.source != layer.target) & (y[layer.source] == y[layer.target])
    return _share(layer, counted, layer.choosing & (y != UNLABELLED))


def _share(layer: _Layer, counted: NDArray[np.bool_], asked: NDArray[np.bool_]) -> Share:
    """Return the share on the edges that are `counted` [E], as a mean over the nodes `asked` [N]."""
    if not asked.any():
        raise _no_choice()
    given = _per_target(layer.target, layer.alpha * counted[:, None], len(layer.inputs))
    number = np.bincount(layer.target[counted], minlength=len(layer.inputs))
    return Share(
        per_head=np.clip(given[asked].mean(axis=0), 0, 1),
        uniform=float((number / layer.inputs)[asked].mean()),
        num_nodes=int(asked.sum()),
        left_out=int((~asked).sum()),
    )


def _entropy(layer: _Layer, alpha: Values) -> Values:
    """Return the entropy in bits [N, heads] of coefficients [E, heads] on the layer's edges."""
    logs = np.log2(alpha, where=alpha > 0, out=np.zeros_like(alpha))  # 0 log 0 is 0
    bits = -_per_target(layer.target, alpha * logs, len(layer.inputs))
    # Sums of float32 coefficients are 1 but for rounding, which must not lead beyond the maximum.
    return np.clip(bits, 0.0, np.log2(layer.inputs)[:, None])


def _per_target(target: Ids, values: Values, num_nodes: int) -> Values:
    """Return sums over the edges into each node [N, heads] of values [E, heads]."""
    sums = [np.bincount(target, weights=column, minlength=num_nodes) for column in values.T]
    return np.stack(sums, axis=1, dtype=np.float64)


def _checked(edge_index: Ids, alpha: NDArray[np.floating], num_nodes: int) -> _Layer:
    (source, target), coefficients = _as_arrays(edge_index, alpha)
    largest = max(source.max(initial=-1), target.max(initial=-1))
    if largest >= num_nodes:
        raise AttentionError(f"the edges name node {largest}; the graph has nodes 0 to {num_nodes - 1}")
    inputs = np.bincount(target, minlength=num_nodes)
    if not inputs.all():
        raise AttentionError(
            f"node {np.argmin(inputs)} has no incoming edge; give the edges that the layer attends over, "
            "one self-loop per node included"
        )
    _check_sums(_per_target(target, coefficients, num_nodes), np.arange(num_nodes))
    return _Layer(source, target, coefficients, inputs)


def _as_arrays(edge_index: Ids, alpha: NDArray[np.floating]) -> tuple[Ids, Values]:
    edges, coefficients = np.asarray(edge_index), np.asarray(alpha, dtype=np.float64)
    fits = edges.ndim == 2 and len(edges) == 2 and coefficients.ndim == 2
    if not fits or edges.shape[1] != len(coefficients) or not coefficients.shape[1]:
        raise AttentionError(
            f"got edges {edges.shape} and coefficients {coefficients.shape}; give [2, E] and [E, heads]"
        )
    wrong = ~(coefficients >= 0)  # NaN, too
    if wrong.any():
        raise AttentionError(
            f"{int(wrong.sum())} of {coefficients.size} attention coefficients are NaN or negative: "
            "the layer's scores have exploded; use an earlier epoch or a smaller learning rate"
        )
    return edges, coefficients


def _check_sums(sums: Values, nodes: Ids) -> None:
    """Refuse coefficients whose sums [n, heads] over the inputs of `nodes` [n] are not 1."""
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if off.any():
        row, head = np.argwhere(off)[0]
        raise AttentionError(
            f"the coefficients of node {nodes[row]} sum to {sums[row, head]:.4g} in head {head + 1}; over a "
            "node's inputs they sum to 1: give them from before dropout, with every edge and self-loop"
        )


def _no_choice() -> AttentionError:
    return AttentionError("no node has a neighbour, so attention has no choice; use a graph with edges")
