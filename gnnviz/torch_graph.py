"""A graph's tensors on one device: `TorchGraph`, and the sampled hops of a mini-batch, `Blocks`.

`operators_of` turns every form of graph that a layer may be given into `Operators`. Knows no layer and
no dataset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.operators import Operators


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


@dataclass(frozen=True, slots=True, eq=False)
class BatchHop:
    """One hop of a sampled mini-batch: what one layer sees.

    Attributes:
        operators: the sampled edges among the S nodes of the hop, numbered 0 to S - 1.
        num_targets: T, 1 to S: the first T rows of the layer's output [S, channels] are the nodes of
            the next layer; the others only sent messages.
    """

    operators: Operators
    num_targets: int


Blocks = tuple[BatchHop, ...]  # first layer first


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
