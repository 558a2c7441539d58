"""What a graph is like before any model sees it: sizes, degrees, components, classes, split.

Pure counting on a `Graph`, in numpy; `find_nodes` finds a node by what people call it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.graph import Graph

# In the order in which `node_parts` numbers them.
PARTS = ("none", "train", "val", "test")


@dataclass(frozen=True, slots=True, eq=False)
class GraphStatistics:
    """Counts over a whole graph.

    Attributes:
        num_nodes: N.
        num_edges: undirected edges.
        unlabelled: nodes without a label; N where the graph has none at all.
        degree_counts: how many nodes have 0, 1, ... neighbours [largest degree + 1].
        component_sizes: nodes of each component [K], the largest first.
        homophily: share of edges between labelled nodes that join two of one class, in 0..1; None without
            such edges.
        expected_homophily: the same if every end of an edge were joined to another end at random.
        class_parts: labelled nodes of each class and part [C, 4], columns as `PARTS`; [0, 4] without labels.
        mixing: edges from nodes of each class to nodes of each class [C, C]; symmetric, an edge inside a
            class counts twice, and one with an end that has no label does not count.
    """

    num_nodes: int
    num_edges: int
    unlabelled: int
    degree_counts: NDArray[np.int64]
    component_sizes: NDArray[np.int64]
    homophily: float | None
    expected_homophily: float | None
    class_parts: NDArray[np.int64]
    mixing: NDArray[np.int64]

    @property
    def mean_degree(self) -> float:
        """Neighbours of a node on average; 0 for a graph without nodes."""
        return 2 * self.num_edges / self.num_nodes if self.num_nodes else 0.0

    @property
    def max_degree(self) -> int:
        """Neighbours of the node that has most."""
        return len(self.degree_counts) - 1

    @property
    def isolated(self) -> int:
        """Nodes without neighbours."""
        return int(self.degree_counts[0])


@dataclass(frozen=True, slots=True, eq=False)
class NodeReport:
    """What is known of one node.

    Attributes:
        node: its number.
        name: what it is called on screen.
        label: its class in 0..C-1, or None where it has no label.
        part: one of `PARTS`.
        neighbours: their numbers [d], ascending.
        neighbour_classes: how many of them are of each class [C]; [0] without labels. Those without a label
            are in none.
        local_homophily: share of its labelled neighbours that have its class, in 0..1; None where there are
            none, or where it has no label.
        component_size: nodes that can be reached from it, itself included.
    """

    node: int
    name: str
    label: int | None
    part: str
    neighbours: NDArray[np.int64]
    neighbour_classes: NDArray[np.int64]
    local_homophily: float | None
    component_size: int

    @property
    def degree(self) -> int:
        """The number of neighbours."""
        return len(self.neighbours)


def graph_statistics(graph: Graph) -> GraphStatistics:
    """Return the counts of a graph.

    Reference: Zhu et al., NeurIPS 2020, definition 1 (homophily); Platonov et al., NeurIPS 2023, eq. 1
        (what it would be by chance, from the classes' shares of the ends of edges).
    """
    mixing = np.zeros((graph.num_classes, graph.num_classes), dtype=np.int64)
    class_parts = np.zeros((graph.num_classes, len(PARTS)), dtype=np.int64)
    if graph.y is not None:
        source, target = graph.edge_index[:, graph.labelled[graph.edge_index].all(axis=0)]
        np.add.at(mixing, (graph.y[source], graph.y[target]), 1)
        labelled = np.flatnonzero(graph.labelled)
        np.add.at(class_parts, (graph.y[labelled], node_parts(graph)[labelled]), 1)
    known = mixing.any()
    ends = mixing.sum(axis=1) / max(1, mixing.sum())  # each class's share of the ends of edges
    return GraphStatistics(
        num_nodes=graph.num_nodes,
        num_edges=graph.num_edges,
        unlabelled=int((~graph.labelled).sum()),
        degree_counts=np.bincount(graph.degrees(), minlength=1),
        component_sizes=np.bincount(graph.components()),
        homophily=graph.homophily() if known else None,
        expected_homophily=float(np.square(ends).sum()) if known else None,
        class_parts=class_parts,
        mixing=mixing,
    )


def node_parts(graph: Graph) -> NDArray[np.int8]:
    """Return the part of each node [N], a place in `PARTS`; of masks that overlap, the first counts."""
    parts = np.zeros(graph.num_nodes, dtype=np.int8)
    for number, mask in ((3, graph.test_mask), (2, graph.val_mask), (1, graph.train_mask)):
        if mask is not None:
            parts[mask] = number
    return parts


def node_report(graph: Graph, node: int) -> NodeReport:
    """Return what is known of a node, 0..N-1."""
    neighbours = graph.edge_index[0, graph.edge_index[1] == node]
    label = int(graph.y[node]) if graph.y is not None and graph.labelled[node] else None
    classes = np.zeros(0, dtype=np.int64)
    if graph.y is not None:
        known = neighbours[graph.labelled[neighbours]]
        classes = np.bincount(graph.y[known], minlength=graph.num_classes)
    component = graph.components()
    return NodeReport(
        node=node,
        name=graph.node_name(node),
        label=label,
        part=PARTS[node_parts(graph)[node]],
        neighbours=neighbours,
        neighbour_classes=classes,
        local_homophily=None if label is None or not classes.any() else float(classes[label] / classes.sum()),
        component_size=int((component == component[node]).sum()),
    )


def find_nodes(graph: Graph, text: str, limit: int = 8) -> tuple[int, ...]:
    """Return the nodes that `text` may mean, the likeliest first.

    A node of that very name comes first, then the node of that number, then names that begin with the
    text, then names that contain it; capitals do not matter.

    Args:
        graph: whose nodes.
        text: a name, a part of one, or a number.
        limit: how many to return at most.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return ()
    names = [name.casefold() for name in graph.node_names]
    found = [node for node, name in enumerate(names) if name == wanted]
    # Longer numbers than any graph has nodes are not worth reading, and can be too long to be read.
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 12 and int(wanted) < graph.num_nodes:
        found.append(int(wanted))
    found += [node for node, name in enumerate(names) if name.startswith(wanted)]
    found += [node for node, name in enumerate(names) if wanted in name]
    return tuple(dict.fromkeys(found))[:limit]
