"""What a picture of a sampled neighbourhood shows: drawn nodes, some that were not, and the edges between.

Cuts a sample to a size that can be drawn, fairly, and counts what it cuts. Knows graphs and samples; knows
no figure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.graph import Graph
from gnnviz.sampling import SampledNeighbourhood, fair_choice


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourhoodView:
    """The shown part of a sampled neighbourhood, and how large the whole is.

    Attributes:
        nodes: node ids [n], the seeds first.
        num_seeds: how many of them are seeds, 1 or more.
        found_at: hop at which each node was first drawn [n]; 0 for seeds, -1 for nodes that were not drawn.
        ring: hops from the nearest seed along the shown edges [n].
        parent: position [n] of the neighbour one ring further in, drawn edges preferred; -1 for seeds.
        edges: positions of the two ends of each shown edge [2, m], each undirected edge once. All the
            graph's edges between shown nodes, except those between two that were not drawn.
        edge_hop: first hop at which each edge was drawn, in either direction [m]; 0 for never.
        hops: K, the number of hops that were sampled.
        drawn_neighbours: how many neighbours the seeds drew at hop 1.
        all_neighbours: how many neighbours the seeds have.
        nodes_drawn: how many nodes take part, shown or not, seeds included.
        nodes_within: how many nodes are within K hops of the seeds, seeds included.
        hidden_drawn: drawn nodes that are not shown.
        hidden_others: neighbours of shown nodes that could have been drawn, were not, and are not shown.
    """

    nodes: NDArray[np.int64]
    num_seeds: int
    found_at: NDArray[np.int64]
    ring: NDArray[np.int64]
    parent: NDArray[np.int64]
    edges: NDArray[np.int64]
    edge_hop: NDArray[np.int64]
    hops: int
    drawn_neighbours: int
    all_neighbours: int
    nodes_drawn: int
    nodes_within: int
    hidden_drawn: int
    hidden_others: int

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


def neighbourhood_view(
    graph: Graph, sample: SampledNeighbourhood, generator: np.random.Generator, max_nodes: int = 250
) -> NeighbourhoodView:
    """Return what to draw of a sample: what was drawn, then, as room allows, what could have been.

    Where there is too much, every hop gets a fair part of the room and a uniform choice is shown; a
    node is only shown together with one that drew it.

    Args:
        graph: the graph from which was sampled.
        sample: one seed, or a few.
        generator: decides what is shown if not all is.
        max_nodes: the most nodes to show; more than there are seeds.

    Raises:
        ConfigError: `max_nodes` leaves no room beside the seeds.
    """
    if max_nodes <= len(sample.seeds):
        raise ConfigError(f"got max_nodes {max_nodes} for {len(sample.seeds)} seeds; choose more than that")
    drawn = _shown_drawn(sample, max_nodes, generator)  # positions in sample.nodes
    others, hidden_others = _shown_others(graph, sample, drawn, max_nodes - len(drawn), generator)
    nodes = np.concatenate([sample.nodes[drawn], others])
    found_at = np.concatenate([sample.found_at[drawn], np.full(len(others), -1)])
    edges, edge_hop = _shown_edges(graph, sample, nodes, found_at >= 0)
    ring, parent = _rings(len(nodes), len(sample.seeds), edges, edge_hop)
    first = sample.hops[0]
    return NeighbourhoodView(
        nodes=nodes,
        num_seeds=len(sample.seeds),
        found_at=found_at,
        ring=ring,
        parent=parent,
        edges=edges,
        edge_hop=edge_hop,
        hops=len(sample.hops),
        drawn_neighbours=int(first.drawn.sum()),
        all_neighbours=int(first.degrees.sum()),
        nodes_drawn=len(sample.nodes),
        nodes_within=int((graph.k_hop(sample.seeds, len(sample.hops)) >= 0).sum()),
        hidden_drawn=len(sample.nodes) - len(drawn),
        hidden_others=hidden_others,
    )


def _shown_drawn(
    sample: SampledNeighbourhood, max_nodes: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return positions in `sample.nodes`, ascending: the seeds, then a fair choice hop by hop."""
    is_shown = np.zeros(len(sample.nodes), dtype=bool)
    is_shown[: len(sample.seeds)] = True
    room = max_nodes - len(sample.seeds)
    for number, hop in enumerate(sample.hops):
        candidates = np.unique(hop.source[is_shown[hop.target] & (hop.source >= hop.num_targets)])
        kept = fair_choice(len(candidates), room // (len(sample.hops) - number), generator)
        is_shown[candidates[kept]] = True
        room -= len(kept)
    return np.flatnonzero(is_shown)


def _shown_others(
    graph: Graph,
    sample: SampledNeighbourhood,
    drawn: NDArray[np.int64],
    room: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], int]:
    """Return neighbours that shown nodes could have drawn but did not, and how many more there are."""
    asked = drawn[drawn < sample.hops[-1].num_targets]
    could_draw = np.zeros(graph.num_nodes, dtype=bool)
    could_draw[sample.nodes[asked]] = True
    takes_part = np.zeros(graph.num_nodes, dtype=bool)
    takes_part[sample.nodes] = True
    source, target = graph.edge_index
    others = np.unique(source[could_draw[target] & ~takes_part[source]])
    kept = fair_choice(len(others), room, generator)
    return others[kept], len(others) - len(kept)


def _shown_edges(
    graph: Graph, sample: SampledNeighbourhood, nodes: NDArray[np.int64], is_drawn: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the edges between shown nodes [2, m] and the hop at which each was first drawn [m], or 0."""
    position = np.full(graph.num_nodes, -1, dtype=np.int64)
    position[nodes] = np.arange(len(nodes))
    ends = np.sort(position[graph.edge_index], axis=0)  # [2, E], -1 where an end is not shown
    ends = np.unique(ends[:, ends[0] >= 0], axis=1)
    # Drawn nodes come first, so the lower end is the one to ask.
    ends = ends[:, is_drawn[ends[0]]]
    keys = ends[0] * len(nodes) + ends[1]  # ascending
    edge_hop = np.zeros(len(keys), dtype=np.int64)
    for number in range(len(sample.hops), 0, -1):  # the first hop is written last
        hop = sample.hops[number - 1]
        pairs = np.sort(position[np.stack([hop.nodes[hop.source], hop.nodes[hop.target]])], axis=0)
        pairs = pairs[:, pairs[0] >= 0]
        edge_hop[np.searchsorted(keys, pairs[0] * len(nodes) + pairs[1])] = number
    return ends, edge_hop


def _rings(
    count: int, num_seeds: int, edges: NDArray[np.int64], edge_hop: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ring of every node [n] and its parent one ring further in [n]."""
    ring = np.full(count, -1, dtype=np.int64)
    parent = np.full(count, -1, dtype=np.int64)
    ring[:num_seeds] = 0
    inner, outer = np.concatenate([edges, edges[::-1]], axis=1)
    never_last = np.where(edge_hop > 0, edge_hop, edge_hop.max(initial=0) + 1)
    order = np.argsort(np.tile(never_last, 2), kind="stable")  # early hops first
    inner, outer = inner[order], outer[order]
    for number in range(count):
        steps = np.flatnonzero((ring[inner] == number) & (ring[outer] < 0))
        if not len(steps):
            break
        children, first = np.unique(outer[steps], return_index=True)
        parent[children] = inner[steps[first]]
        ring[children] = number + 1
    return ring, parent
