"""The computation of one node, unrolled layer by layer: as a tree, or with equal states merged.

Level 0 is the node after the last layer; the inputs of a state are, one layer below, its own node and
the neighbours it drew. Knows graphs and samples; knows no model, weights or figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.graph import Graph
from gnnviz.sampling import SampledHop, fair_choice, sample_neighbourhood


@dataclass(frozen=True, slots=True, eq=False)
class ComputationTree:
    """States of nodes, level by level, and which feed which; cut to a size that can be drawn.

    Attributes:
        fan_outs: what was drawn at each level, None for all.
        merged: whether states of one node on one level are one; else they are repeated, as in a tree.
        node: graph node of every shown state [n], level by level; the first is the root.
        level: 0..K of every shown state [n], ascending; K is the input of the first layer.
        copies: in how many places of the whole tree each shown state occurs [n]; all 1 in a tree.
            float64, exact up to 2^53.
        hidden_inputs: inputs of each shown state that are not shown [n].
        source: position [m] of the state that feeds; one level above `target`'s.
        target: position [m] of the state that is fed, ascending.
        weight: share in the mean over the drawn neighbours [m], in (0, 1]; 1 for a node's own state.
        is_own: whether source and target are states of the same node [m].
        tree_sizes: states on each level of the whole tree [K + 1], shown or not; float64, exact up to 2^53.
        merged_sizes: different nodes on each level [K + 1], shown or not.
    """

    fan_outs: tuple[int | None, ...]
    merged: bool
    node: NDArray[np.int64]
    level: NDArray[np.int64]
    copies: NDArray[np.float64]
    hidden_inputs: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    is_own: NDArray[np.bool_]
    tree_sizes: NDArray[np.float64]
    merged_sizes: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def num_levels(self) -> int:
        """K + 1: the layers, and the input below the first."""
        return len(self.fan_outs) + 1

    @property
    def shown_sizes(self) -> NDArray[np.int64]:
        """States shown on each level [K + 1]."""
        return np.bincount(self.level, minlength=self.num_levels)

    @property
    def sizes(self) -> NDArray[np.float64]:
        """States on each level [K + 1] of the form that is shown, cut states included."""
        return self.merged_sizes.astype(np.float64) if self.merged else self.tree_sizes

    @property
    def is_cut(self) -> bool:
        """Whether some states are not shown."""
        return bool((self.shown_sizes < self.sizes).any())


@dataclass(frozen=True, slots=True)
class _Level:
    """Shown states of one level: local nodes [n], and the inputs that lead to them."""

    local: NDArray[np.int64]
    parent: NDArray[np.int64]
    child: NDArray[np.int64]
    weight: NDArray[np.float64]
    is_own: NDArray[np.bool_]
    hidden: NDArray[np.int64]


def computation_tree(
    graph: Graph,
    node: int,
    fan_outs: Sequence[int | None],
    generator: np.random.Generator,
    max_nodes: int = 120,
    *,
    merged: bool = False,
) -> ComputationTree:
    """Draw a neighbourhood of one node and unroll its computation.

    A node draws once per level, so its copies on one level have the same inputs, and the tree and
    the merged form of one generator state show the same sample. Where the whole is larger than
    `max_nodes`, every level gets a fair part of the room and shows a uniform choice of the inputs of
    what is shown above it.

    Args:
        graph: the graph.
        node: the root.
        fan_outs: as in `sample_neighbourhood`: the root's own neighbours first.
        generator: equal states give equal samples and choices.
        max_nodes: the most states to show; at least one for each level.
        merged: show one state per node and level instead of the tree.

    Raises:
        ConfigError: fan-outs that are not allowed, or too few `max_nodes`.
        DatasetError: a node that does not exist.
    """
    hops = sample_neighbourhood(graph, [node], fan_outs, generator).hops
    if max_nodes < len(hops) + 1:
        raise ConfigError(f"got max_nodes {max_nodes}; {len(hops)} layers need at least {len(hops) + 1}")
    levels: list[_Level] = []
    local, room = np.zeros(1, dtype=np.int64), max_nodes - 1
    for number, hop in enumerate(hops):
        level = _unroll(hop, local, room // (len(hops) - number), generator, merged=merged)
        levels.append(level)
        local, room = level.local, room - len(level.local)
    return _assembled(hops, levels, tuple(fan_outs), merged=merged)


def _unroll(
    hop: SampledHop, parents: NDArray[np.int64], room: int, generator: np.random.Generator, *, merged: bool
) -> _Level:
    """Return the inputs of `parents` (local nodes [p]), a fair choice of them if there are too many."""
    drawn = hop.drawn[parents]
    first = (np.cumsum(hop.drawn) - hop.drawn)[parents]
    everyone = np.arange(len(parents))
    asking = np.repeat(everyone, drawn)
    runs = (first - np.cumsum(drawn) + drawn)[asking] + np.arange(len(asking))  # edges of each, in turn
    parent = np.concatenate([everyone, asking])
    local = np.concatenate([parents, hop.source[runs]])
    weight = np.concatenate([np.ones(len(parents)), np.repeat(1 / np.maximum(drawn, 1), drawn)])
    order = np.argsort(parent, kind="stable")  # own state first, then the drawn neighbours
    states, child = (
        np.unique(local[order], return_inverse=True) if merged else (local[order], np.arange(len(order)))
    )
    kept = fair_choice(len(states), room, generator)
    position = np.full(len(states), -1, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    is_shown = position[child] >= 0
    order, child = order[is_shown], position[child][is_shown]
    return _Level(
        local=states[kept],
        parent=parent[order],
        child=child,
        weight=weight[order],
        is_own=order < len(parents),
        hidden=drawn + 1 - np.bincount(parent[order], minlength=len(parents)),
    )


def _assembled(
    hops: Sequence[SampledHop], levels: Sequence[_Level], fan_outs: tuple[int | None, ...], *, merged: bool
) -> ComputationTree:
    """Join the levels into one record, with the sizes of the whole."""
    copies = _copies(hops)
    locals_ = [np.zeros(1, dtype=np.int64), *(level.local for level in levels)]
    names = [hops[0].nodes, *(hop.nodes for hop in hops)]
    sizes = [len(local) for local in locals_]
    begin = np.cumsum([0, *sizes])
    shown = list(zip(names, copies, locals_, strict=True))
    last = np.zeros(sizes[-1], dtype=np.int64)  # the input of the first layer has no inputs of its own
    return ComputationTree(
        fan_outs=fan_outs,
        merged=merged,
        node=np.concatenate([name[local] for name, _, local in shown]),
        level=np.repeat(np.arange(len(sizes)), sizes),
        copies=np.concatenate([count[local] for _, count, local in shown]) if merged else np.ones(sum(sizes)),
        hidden_inputs=np.concatenate([*(level.hidden for level in levels), last]),
        source=np.concatenate([level.child + begin[number] for number, level in enumerate(levels, start=1)]),
        target=np.concatenate([level.parent + begin[number] for number, level in enumerate(levels)]),
        weight=np.concatenate([level.weight for level in levels]),
        is_own=np.concatenate([level.is_own for level in levels]),
        tree_sizes=np.array([count.sum() for count in copies]),
        merged_sizes=np.array([1, *(len(hop.nodes) for hop in hops)]),
    )


def _copies(hops: Sequence[SampledHop]) -> list[NDArray[np.float64]]:
    """Return, for each level, how often every node of it occurs in the whole tree."""
    copies: list[NDArray[np.float64]] = [np.ones(1)]
    for hop in hops:
        above = copies[-1]
        here = np.bincount(hop.source, above[hop.target], len(hop.nodes)).astype(np.float64)
        here[: hop.num_targets] += above
        copies.append(here)
    return copies
