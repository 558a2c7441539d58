"""The one data type, `Graph`: cleaned by construction, numpy and scipy only, never changed.

Knows nodes, edges, labels and masks; knows no dataset, no model and no torch (`to_torch` imports
it on demand, in the process that asks).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gnnviz.errors import DatasetError
from gnnviz.graph_input import (
    UNLABELLED,
    Cleaning,
    Features,
    as_features,
    as_labels,
    as_mask,
    as_nodes,
    clean_edges,
    fitting_class_names,
    shape_of,
)

if TYPE_CHECKING:
    from gnnviz.torch_graph import TorchGraph


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """An undirected graph with node features and, if known, labels and a split.

    Whatever edges are given, the graph is clean: both directions of every edge are there, self-loops
    and duplicates are not, isolated nodes stay. What that changed is counted in `cleaning`.

    Attributes:
        x: features [N, F], float32; a dense array, or `scipy.sparse.csr_array` for bags of words.
        edge_index: [2, E] int64, row 0 source, row 1 target, sorted by target, then source;
            E is twice the number of undirected edges.
        y: class of each node [N] int64 in 0..C-1, or `UNLABELLED` for a node without one; or None.
        train_mask: nodes to train on [N] bool, all of them labelled where `y` is given; or None.
        val_mask: nodes to choose the epoch on [N] bool, or None.
        test_mask: nodes to report on [N] bool, or None.
        class_names: the C names; made up as "class 0", ... where none are given.
        node_names: the N names shown to the user, or () for the node's number.
        name: what the graph is called on screen.
        cleaning: what was changed to make it so.

    Raises:
        DatasetError: shapes that do not fit, ids out of range, features that are not finite, a node
            without a label in a mask.
    """

    x: Features
    edge_index: NDArray[np.int64]
    y: NDArray[np.int64] | None = None
    train_mask: NDArray[np.bool_] | None = None
    val_mask: NDArray[np.bool_] | None = None
    test_mask: NDArray[np.bool_] | None = None
    class_names: tuple[str, ...] = ()
    node_names: tuple[str, ...] = ()
    name: str = "graph"
    cleaning: Cleaning = field(default_factory=Cleaning)

    def __post_init__(self) -> None:
        """Check every field and clean the edges."""
        x = as_features(self.x)
        num_nodes = shape_of(x)[0]
        edge_index, found = clean_edges(self.edge_index, num_nodes)
        _set(self, "x", x)
        _set(self, "edge_index", edge_index)
        _set(self, "cleaning", self.cleaning + found)
        if self.y is not None:
            _set(self, "y", as_labels(self.y, num_nodes))
        for part in ("train_mask", "val_mask", "test_mask"):
            if getattr(self, part) is not None:
                _set(self, part, as_mask(getattr(self, part), num_nodes, part, self.y))
        _set(self, "class_names", fitting_class_names(self.class_names, self.y))
        _set(self, "node_names", tuple(map(str, self.node_names)))
        if self.node_names and len(self.node_names) != num_nodes:
            raise DatasetError(
                f"got {len(self.node_names)} node names for {num_nodes} nodes; give one per node or none"
            )

    @property
    def num_nodes(self) -> int:
        """N, the number of nodes, isolated ones included."""
        return shape_of(self.x)[0]

    @property
    def num_edges(self) -> int:
        """The number of undirected edges, E / 2."""
        return self.edge_index.shape[1] // 2

    @property
    def num_features(self) -> int:
        """F, the number of features of a node."""
        return shape_of(self.x)[1]

    @property
    def num_classes(self) -> int:
        """C, the number of classes; 0 without labels."""
        return len(self.class_names)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which nodes have a label [N]; none where the graph has no labels."""
        return np.zeros(self.num_nodes, dtype=bool) if self.y is None else self.y != UNLABELLED

    def node_name(self, node: int) -> str:
        """Return what a node is called on screen: its name, or its number."""
        return self.node_names[node] if self.node_names else str(node)

    def find_node(self, text: str) -> int | None:
        """Return the node of that name, or else of that number; None if there is neither."""
        if text in self.node_names:
            return self.node_names.index(text)
        is_number = text.isascii() and text.isdecimal() and len(text) < 19 and int(text) < self.num_nodes
        return int(text) if is_number else None

    def example_node(self) -> int:
        """Return a node that is good to look at first: the first with 6 neighbours, or nearly as many."""
        return int(np.abs(self.degrees() - 6).argmin())

    def degrees(self) -> NDArray[np.int64]:
        """Return the number of neighbours of each node [N], the node itself not counted."""
        return np.bincount(self.edge_index[1], minlength=self.num_nodes).astype(np.int64)

    def adjacency(self) -> sparse.csr_array:
        """Return A [N, N], float64, symmetric, with ones at edges and no diagonal."""
        ones = np.ones(self.edge_index.shape[1])
        shape = (self.num_nodes, self.num_nodes)
        return sparse.csr_array((ones, (self.edge_index[1], self.edge_index[0])), shape=shape)

    def components(self) -> NDArray[np.int64]:
        """Return the component of each node [N]; component 0 is the largest, ties by lowest node."""
        _, labels = csgraph.connected_components(self.adjacency(), directed=False)
        sizes = np.bincount(labels)
        first_node = np.unique(labels, return_index=True)[1]
        rank = np.empty_like(sizes)
        rank[np.lexsort((first_node, -sizes))] = np.arange(len(sizes))
        return rank[labels].astype(np.int64)

    def homophily(self) -> float:
        """Return the share of edges that join two nodes of one class, in 0..1.

        Edges with an end that has no label do not count.

        Raises:
            DatasetError: no edge joins two labelled nodes.

        Reference: Zhu et al., NeurIPS 2020, definition 1 (edge homophily).
        """
        source, target = self.edge_index[:, self.labelled[self.edge_index].all(axis=0)]
        if self.y is None or not len(source):
            raise DatasetError(
                f"homophily of {self.name} is not defined: it needs labels and edges between labelled nodes"
            )
        return float(np.mean(self.y[source] == self.y[target]))

    def k_hop(self, nodes: ArrayLike, hops: int) -> NDArray[np.int64]:
        """Return the hops of every node from the nearest of `nodes` (indices or a mask) [N]; -1 beyond."""
        distance = np.full(self.num_nodes, -1, dtype=np.int64)
        frontier = np.zeros(self.num_nodes, dtype=bool)
        frontier[as_nodes(nodes, self.num_nodes)] = True
        source, target = self.edge_index
        for hop in range(hops + 1):
            distance[frontier] = hop
            reached = np.zeros_like(frontier)
            reached[target[frontier[source]]] = True
            frontier = reached & (distance < 0)
            if not frontier.any():
                break
        return distance

    def subgraph(self, nodes: ArrayLike) -> Graph:
        """Return the graph induced by `nodes` (indices or a mask), renumbered in their order."""
        kept = as_nodes(nodes, self.num_nodes)
        if len(np.unique(kept)) != len(kept):
            raise DatasetError(f"a subgraph of {self.name} names a node twice; give every node once")
        new_id = np.full(self.num_nodes, -1, dtype=np.int64)
        new_id[kept] = np.arange(len(kept))
        edges = new_id[self.edge_index]
        per_node = ("x", "y", "train_mask", "val_mask", "test_mask")
        rows = {part: values[kept] for part in per_node if (values := getattr(self, part)) is not None}
        names = tuple(self.node_name(int(node)) for node in kept)
        return replace(self, edge_index=edges[:, (edges >= 0).all(axis=0)], node_names=names, **rows)

    def largest_component(self) -> Graph:
        """Return the largest connected component as a graph of its own."""
        return self.subgraph(self.components() == 0)

    def to_torch(self, device: str = "cpu") -> TorchGraph:
        """Return the tensors and sparse operators that layers take, on `device`."""
        from gnnviz.torch_graph import TorchGraph  # torch only where somebody asks for it

        return TorchGraph.from_graph(self, device)


def _set(graph: Graph, field: str, value: object) -> None:
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    object.__setattr__(graph, field, value)
