"""The sparse matrices that layers multiply by, made from a graph's edges on demand and kept.

Knows nodes and edges on a device; knows no features, no layer and no dataset.
"""

from __future__ import annotations

from functools import cached_property
from typing import get_args

import torch
from torch import Tensor

from gnnviz.checks import check_choice, check_share
from gnnviz.csr import CSR
from gnnviz.errors import DatasetError
from gnnviz.models import Normalisation
from gnnviz.sequences import NeighbourSequences
from gnnviz.sparse import spmm


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
        self._places: dict[int, Tensor] = {}
        self._sequences: dict[int, NeighbourSequences] = {}

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
        return self._numbered_with_loops.with_values(None)

    def gcn(self, dtype: torch.dtype, normalisation: Normalisation = "sym") -> CSR:
        """Return A~ = A + I [N, N], normalised by D~, the in-degrees with self-loops.

        Args:
            dtype: of the values.
            normalisation: "sym": D~^-1/2 A~ D~^-1/2; "row": D~^-1 A~, whose rows sum to 1;
                "sum": A~ itself.

        Raises:
            ConfigError: another normalisation.

        Reference: Kipf & Welling, ICLR 2017, eq. 2 (renormalisation trick).
        """
        key = (normalisation, dtype)
        if key not in self._matrices:
            check_choice("normalisation", normalisation, get_args(Normalisation))
            edges = self.with_loops
            degree = edges.row_lengths().to(dtype)  # 1 or more
            self._matrices[key] = edges.with_values(_normalised(edges, None, degree, normalisation))
        return self._matrices[key]

    def weighted_gcn(
        self, edge_weight: Tensor, dtype: torch.dtype, normalisation: Normalisation = "sym"
    ) -> CSR:
        """Return what `gcn` returns for weighted edges; nothing is kept, gradients reach the weights.

        Degrees are sums of weights; a node whose weights sum to 0 gets a row of zeros. A missing
        self-loop has weight 1, a given one its own (of several at one node, the last one's).

        Args:
            edge_weight: [E] in the order of `edge_index`.
            dtype: of the values.
            normalisation: as for `gcn`.

        Raises:
            ConfigError: another normalisation.
            DatasetError: not one finite weight per edge; or, for "sym", which takes the square root of
                degrees, a node whose weights sum to less than 0.
        """
        check_choice("normalisation", normalisation, get_args(Normalisation))
        self._check_weights(edge_weight)
        edges = self._numbered_with_loops
        assert edges.values is not None
        one_and_weights = torch.cat([edge_weight.new_ones(1, dtype=dtype), edge_weight.to(dtype)])
        weights = one_and_weights.index_select(0, edges.values)
        matrix = edges.with_values(weights)
        if normalisation == "sum":
            return matrix
        degree = spmm(matrix, weights.new_ones(self.num_nodes, 1)).view(-1)
        if normalisation == "sym" and bool((degree < 0).any()):
            node = int(degree.argmin())
            raise DatasetError(
                f"the edge weights into node {node} sum to {float(degree[node]):.4g}, self-loop included; "
                "normalisation 'sym' takes its square root: give sums of 0 or more, or choose 'sum'"
            )
        return edges.with_values(_normalised(edges, weights, degree, normalisation))

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

    def attention_places(self, heads: int) -> Tensor:
        """Return where each entry of A + I is among those of `attention(heads)` [nnz, heads] int64."""
        if heads not in self._places:
            self._places[heads] = self.with_loops.block_places(heads)
        return self._places[heads]

    def sequences(self, order_seed: int) -> NeighbourSequences:
        """Return each node's neighbours as a sequence, in a random order that the seed fixes."""
        if order_seed not in self._sequences:
            self._sequences[order_seed] = NeighbourSequences.from_structure(self.as_given, order_seed)
        return self._sequences[order_seed]

    def without_edges(self, share: float) -> Operators:
        """Return the operators of what is left when a random share of the undirected edges is dropped.

        Both directions of an edge, and its duplicates, stay or go together; nodes stay. The choice
        is drawn from torch's global random state of the device.

        Args:
            share: of the undirected edges to drop, in [0, 1), rounded to a whole number of them.

        Raises:
            ConfigError: another share.

        Reference: Rong et al., ICLR 2020, section 3.1 (DropEdge).
        """
        check_share("share", share)
        pair, count = self._pairs
        dropped = torch.randperm(count, device=self.device)[: round(share * count)]
        stays = torch.ones(count, dtype=torch.bool, device=self.device)
        stays[dropped] = False
        return Operators(self.edge_index[:, stays.index_select(0, pair)], self.num_nodes)

    @cached_property
    def _numbered_with_loops(self) -> CSR:
        """A + I whose values say where an entry's weight is [nnz] int64: 1 + edge, or 0 for an added loop."""
        source, target = self.edge_index
        is_loop = source == target
        between, loops = (~is_loop).nonzero().view(-1), is_loop.nonzero().view(-1)
        nodes = torch.arange(self.num_nodes, device=self.device)
        of_loops = torch.zeros_like(nodes).scatter_reduce(0, source[loops], loops + 1, "amax")
        return CSR.from_entries(
            rows=torch.cat([target[between], nodes]),
            columns=torch.cat([source[between], nodes]),
            values=torch.cat([between + 1, of_loops]),
            shape=(self.num_nodes, self.num_nodes),
        )

    @cached_property
    def _pairs(self) -> tuple[Tensor, int]:
        """The undirected edge that each edge belongs to [E], and how many there are."""
        lower, higher = self.edge_index.aminmax(dim=0)
        pairs, pair = torch.unique(lower * self.num_nodes + higher, return_inverse=True)
        return pair, len(pairs)

    def _check_weights(self, edge_weight: Tensor) -> None:
        count = self.edge_index.shape[1]
        if edge_weight.shape != (count,):
            raise DatasetError(
                f"edge_weight has shape {list(edge_weight.shape)}; give one number per edge [{count}]"
            )
        if edge_weight.device != self.device:
            raise DatasetError(f"the edge weights are on {edge_weight.device}, the edges on {self.device}")
        if not bool(edge_weight.isfinite().all()):
            raise DatasetError("edge_weight holds NaN or infinity; give finite numbers")


def _normalised(
    edges: CSR, weights: Tensor | None, degree: Tensor, normalisation: Normalisation
) -> Tensor | None:
    """Return the values of the edges, whose weights are 1 unless given; rows of degree 0 become 0."""
    if normalisation == "sum":
        return weights
    safe = degree.where(degree != 0, 1)
    inverse = (safe.rsqrt() if normalisation == "sym" else safe.reciprocal()).where(degree != 0, 0)
    values = inverse.index_select(0, edges.rows)
    if normalisation == "sym":
        values = values * inverse.index_select(0, edges.indices)
    return values if weights is None else values * weights
