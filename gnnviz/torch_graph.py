"""A graph's tensors on one device, and the sparse operators that layers make from its edges.

`Operators` prepares them on demand and keeps them; `TorchGraph` adds features, labels and masks.
Knows no layer and no dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph


class Operators:
    """The edges of a graph, and the sparse matrices that layers multiply by, each made once.

    Edges are treated as they are: one-way edges stay one-way, duplicates count twice. A subset of
    edges, or a mini-batch, is simply another `Operators`.

    Attributes:
        edge_index: [2, E] int64, row 0 source, row 1 target.
        num_nodes: N.
    """

    def __init__(self, edge_index: Tensor, num_nodes: int) -> None:
        self.edge_index = edge_index
        self.num_nodes = num_nodes
        self._matrices: dict[tuple[str, torch.dtype], CSR] = {}
        self._blocks: dict[int, CSR] = {}

    @classmethod
    def from_edge_index(cls, edge_index: Tensor, num_nodes: int) -> Operators:
        """Return the operators of edges that have not been checked yet.

        Raises:
            DatasetError: not whole numbers [2, E], or nodes that do not exist.
        """
        if (
            edge_index.ndim != 2
            or edge_index.shape[0] != 2
            or edge_index.dtype not in (torch.int64, torch.int32)
        ):
            raise DatasetError(
                f"edge_index has shape {list(edge_index.shape)} and type {edge_index.dtype}; "
                "give whole numbers (int64) [2, edges]"
            )
        if edge_index.numel():
            lowest, highest = (int(bound) for bound in edge_index.aminmax())
            if lowest < 0 or highest >= num_nodes:
                raise DatasetError(
                    f"edges name nodes {lowest} to {highest}; the features are of nodes 0 to {num_nodes - 1}"
                )
        return cls(edge_index.long(), num_nodes)

    @property
    def device(self) -> torch.device:
        """The device of the edges and of every operator."""
        return self.edge_index.device

    @cached_property
    def as_given(self) -> CSR:
        """The structure of A [N, N], without values: row i holds the sources of node i's edges."""
        source, target = self.edge_index
        return CSR.from_entries(target, source, None, (self.num_nodes, self.num_nodes))

    @cached_property
    def with_loops(self) -> CSR:
        """The structure of A + I [N, N], without values: one self-loop a node, whatever loops were given."""
        between = self.edge_index[:, self.edge_index[0] != self.edge_index[1]]
        nodes = torch.arange(self.num_nodes, device=self.device)
        source, target = torch.cat([between, nodes.expand(2, -1)], dim=1)
        return CSR.from_entries(target, source, None, (self.num_nodes, self.num_nodes))

    def gcn(self, dtype: torch.dtype) -> CSR:
        """Return D^-1/2 (A + I) D^-1/2 [N, N], D the in-degrees with self-loops.

        Reference: Kipf & Welling, ICLR 2017, eq. 2 (renormalisation trick).
        """
        key = ("gcn", dtype)
        if key not in self._matrices:
            edges = self.with_loops
            scale = edges.row_lengths().to(dtype).rsqrt()  # no length is 0
            values = scale.index_select(0, edges.rows) * scale.index_select(0, edges.indices)
            self._matrices[key] = edges.with_values(values)
        return self._matrices[key]

    def mean(self, dtype: torch.dtype) -> CSR:
        """Return D^-1 A [N, N], which averages over the incoming edges; a node without any gets 0."""
        key = ("mean", dtype)
        if key not in self._matrices:
            edges = self.as_given
            degree = edges.row_lengths().to(dtype)
            self._matrices[key] = edges.with_values(degree.index_select(0, edges.rows).reciprocal())
        return self._matrices[key]

    def attention(self, heads: int) -> CSR:
        """Return A + I once per head, as one structure [N * heads, N * heads] (see `CSR.blocks`)."""
        if heads not in self._blocks:
            self._blocks[heads] = self.with_loops.blocks(heads)
        return self._blocks[heads]


@dataclass(frozen=True, slots=True, eq=False)
class TorchGraph:
    """A `Graph` as tensors on one device.

    Attributes:
        x: features [N, F] float32; `CSR` where the graph's are sparse.
        y: class of each node [N] int64, or None.
        train_mask: [N] bool, or None; likewise `val_mask` and `test_mask`.
        operators: the edges and what layers make of them.
    """

    x: Tensor | CSR
    y: Tensor | None
    train_mask: Tensor | None
    val_mask: Tensor | None
    test_mask: Tensor | None
    operators: Operators

    @classmethod
    def from_graph(cls, graph: Graph, device: torch.device | str = "cpu") -> TorchGraph:
        """Return the graph's tensors on `device`."""
        edges = torch.tensor(graph.edge_index, device=device)
        return cls(
            x=_features(graph, device),
            y=_tensor(graph.y, device),
            train_mask=_tensor(graph.train_mask, device),
            val_mask=_tensor(graph.val_mask, device),
            test_mask=_tensor(graph.test_mask, device),
            operators=Operators(edges, graph.num_nodes),
        )

    @property
    def edge_index(self) -> Tensor:
        """[2, E] int64, row 0 source, row 1 target."""
        return self.operators.edge_index

    @property
    def num_nodes(self) -> int:
        """N."""
        return self.operators.num_nodes

    @property
    def device(self) -> torch.device:
        """The device of every tensor."""
        return self.operators.device


GraphLike = TorchGraph | Operators | Tensor | Graph


def operators_of(graph: GraphLike, x: Tensor | CSR) -> Operators:
    """Return the operators for a layer that is given features `x` [N, F] and a graph in any form.

    A raw edge_index, and a numpy `Graph`, is prepared anew at every call; a `TorchGraph` keeps its own.

    Raises:
        DatasetError: the graph does not fit the features, or is on another device.
    """
    if isinstance(graph, TorchGraph):
        operators = graph.operators
    elif isinstance(graph, Operators):
        operators = graph
    elif isinstance(graph, Graph):
        operators = Operators(torch.tensor(graph.edge_index, device=x.device), graph.num_nodes)
    else:
        operators = Operators.from_edge_index(graph, x.shape[0])
    if operators.num_nodes != x.shape[0]:
        raise DatasetError(f"got features of {x.shape[0]} nodes for a graph of {operators.num_nodes} nodes")
    if operators.device != x.device:
        raise DatasetError(
            f"the features are on {x.device}, the edges on {operators.device}; move one to the other's device"
        )
    return operators


def _tensor(array: np.ndarray | None, device: torch.device | str) -> Tensor | None:
    return None if array is None else torch.tensor(array, device=device)


def _features(graph: Graph, device: torch.device | str) -> Tensor | CSR:
    x = graph.x
    if isinstance(x, np.ndarray):
        return torch.tensor(x, device=device)
    rows = np.repeat(np.arange(graph.num_nodes), np.diff(x.indptr))
    return CSR.from_entries(
        rows=torch.tensor(rows, dtype=torch.int64, device=device),
        columns=torch.tensor(x.indices, dtype=torch.int64, device=device),
        values=torch.tensor(x.data, device=device),
        shape=(graph.num_nodes, graph.num_features),
    )
