"""Measures of over-smoothing along the edges: energies, distance from the limit, neighbours' cosines.

Each takes a checked hidden state [N, d] in float64 and its graph, and takes O(E d) time. The registry
`gnnviz.smoothing.METRICS` says what each is called and means.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from gnnviz.graph import Graph
from gnnviz.rows import Matrix, MeasureUndefined, balanced, binary_exponent, unit_rows

_MOST_RESTARTS = 1000  # of the search: seconds; a path of 2000 nodes needs fewer, one of 6000 is given up
_DENSE_NODES = 64  # up to here all eigenvectors are quicker than the search for one


def dirichlet_sym(h: Matrix, graph: Graph) -> float:
    """Return the sum over undirected edges of |x_i / sqrt(1 + d_i) - x_j / sqrt(1 + d_j)|^2, 0 or more.

    Equal to tr(X^T (I - A_hat) X), where A_hat is the GCN operator; 0 at columns along sqrt(d + 1).

    Raises:
        MeasureUndefined: the graph has no edges.

    Reference: Cai & Wang, arXiv 2006.13318, definition 3.1.
    """
    return _edge_energy(h / np.sqrt(graph.degrees() + 1.0)[:, None], graph)


def dirichlet_rusch(h: Matrix, graph: Graph) -> float:
    """Return (1 / N) times the sum over nodes and their neighbours of |x_i - x_j|^2, 0 or more.

    Raises:
        MeasureUndefined: the graph has no edges.

    Reference: Rusch, Bronstein & Mishra, arXiv 2303.10993 (a survey), section 2; their measure is its root.
    """
    return 2.0 * _edge_energy(h, graph) / graph.num_nodes


def rayleigh_sym(h: Matrix, graph: Graph) -> float:
    """Return `dirichlet_sym` over |X|^2, in [0, 2): the energy without the size of the signal.

    Raises:
        MeasureUndefined: the graph has no edges, or every value is 0.

    Reference: Di Giovanni et al., TMLR 2023 (energy of the features divided by their norm).
    """
    state = _nonzero(h)
    return dirichlet_sym(state, graph) / float(np.vdot(state, state))


def rayleigh_rw(h: Matrix, graph: Graph) -> float:
    """Return tr(X^T L X) / |X|^2, in [0, 2 x largest degree]; 0 at constants.

    L = D - A: each undirected edge counts |x_i - x_j|^2 once. For operators whose rows sum to 1.

    Raises:
        MeasureUndefined: the graph has no edges, or every value is 0.

    Reference: Roth & Liebig, LoG 2023 (energy of the features divided by their norm).
    """
    state = _nonzero(h)
    return _edge_energy(state, graph) / float(np.vdot(state, state))


def rayleigh_sum(h: Matrix, graph: Graph) -> float:
    """Return 1 - tr(X^T (A + I) X) / (l |X|^2), in [0, 2), l the largest eigenvalue of A + I.

    0 at the eigenvectors of l, which sums over a node and its neighbours, not normalised, lead to.

    Raises:
        MeasureUndefined: the graph has no edges, every value is 0, or the eigenvalue could not be found.

    Reference: Di Giovanni et al., TMLR 2023 (energy of the features divided by their norm).
    """
    state = _nonzero(h)
    source, target = _undirected_edges(graph)
    largest, vector = leading_eigenvector(graph)
    along = vector @ state  # [d]
    rest = state - vector[:, None] * along
    # l |x|^2 - x^T (A + I) x without the part that cancels, so that 0 is reached exactly
    energy = (largest - 1.0) * float(np.vdot(rest, rest)) - 2.0 * float(np.vdot(rest[source], rest[target]))
    return max(energy, 0.0) / (largest * float(np.vdot(state, state)))


@lru_cache(maxsize=4)
def leading_eigenvector(graph: Graph) -> tuple[float, NDArray[np.float64]]:
    """Return the largest eigenvalue of A + I, 1 or more, and its eigenvector [N] of length 1, 0 or more.

    Of several, as two equal components have them, one.

    Raises:
        MeasureUndefined: eigenvalues too close to be told apart.
    """
    operator = graph.adjacency() + sparse.eye_array(graph.num_nodes)
    if graph.num_nodes <= _DENSE_NODES:
        values, vectors = np.linalg.eigh(operator.toarray())
    else:
        try:
            values, vectors = eigsh(
                operator, k=1, which="LA", v0=np.ones(graph.num_nodes), maxiter=_MOST_RESTARTS
            )
        except ArpackNoConvergence as error:
            raise MeasureUndefined(
                f"the largest eigenvalue of {graph.name} could not be told from the next: they are too close"
            ) from error
    return float(values[-1]), np.abs(vectors[:, -1])


def subspace_distance(h: Matrix, graph: Graph) -> float:
    """Return the Frobenius distance of X from the space M that repeated GCN averaging leads to.

    M is spanned by one vector per component, sqrt(d + 1) on it and 0 elsewhere. An isolated node is a
    component and always in M.

    Raises:
        MeasureUndefined: the graph has no edges, so that every X is in M.

    Reference: Oono & Suzuki, ICLR 2020 (the distance d_M of theorem 2).
    """
    _check_edges(graph)
    basis = limit_basis(graph)
    state = balanced(h)  # no square of it under- or overflows
    return float(np.ldexp(np.linalg.norm(state - basis.T @ (basis @ state)), binary_exponent(h)))


def limit_basis(graph: Graph) -> sparse.csr_array:
    """Return the orthonormal vectors that span GCN's limits, one for each component [components, N]."""
    component = graph.components()
    weight = np.sqrt(graph.degrees() + 1.0)
    weight /= np.sqrt(np.bincount(component, weights=weight**2))[component]
    nodes = np.arange(graph.num_nodes)
    return sparse.csr_array((weight, (component, nodes)), shape=(component.max() + 1, graph.num_nodes))


def subspace_distance_relative(h: Matrix, graph: Graph) -> float:
    """Return `subspace_distance` over |X|, in 0..1.

    Raises:
        MeasureUndefined: the graph has no edges, or every value is 0.

    Reference: Oono & Suzuki, ICLR 2020 (the distance d_M of theorem 2).
    """
    state = _nonzero(h)
    return subspace_distance(state, graph) / float(np.linalg.norm(state))


def mad(h: Matrix, graph: Graph) -> float:
    """Return the mean average distance of neighbours: mean over nodes of the mean of 1 - cos, in 0..2.

    The mask is the adjacency matrix without its diagonal. A node's mean is over its live neighbours;
    the mean over nodes is over live nodes that have one.

    Raises:
        MeasureUndefined: no edge joins two live rows.

    Reference: Chen et al., AAAI 2020, eq. 1 to 4, with neighbours as the target mask.
    Differs: a dead (all-zero) row has no direction and is left out, where the authors' code reads
        distance 1, so that a dead network looks not smoothed at all; and a mean divides by the number
        of mask entries, where theirs divides by the number of distances that are not exactly 0, so that
        neighbours with equal rows would drop out.
    """
    ends, distance = _edge_cosine_distances(h, graph)
    total = np.bincount(ends.ravel(), weights=np.tile(distance, 2), minlength=graph.num_nodes)
    count = np.bincount(ends.ravel(), minlength=graph.num_nodes)
    return float(np.mean(total[count > 0] / count[count > 0]))


def edge_cosine(h: Matrix, graph: Graph) -> float:
    """Return the mean over edges between live rows of cos(x_i, x_j), in -1..1; 1 is smoothed.

    Raises:
        MeasureUndefined: no edge joins two live rows.
    """
    return 1.0 - float(np.mean(_edge_cosine_distances(h, graph)[1]))


def _check_edges(graph: Graph) -> None:
    if not graph.num_edges:
        raise MeasureUndefined(f"{graph.name} has no edges, so there is nothing for neighbours to share")


def _nonzero(h: Matrix) -> Matrix:
    if not h.any():
        raise MeasureUndefined("every value of the hidden state is 0: the signal is dead")
    return balanced(h)


def _undirected_edges(graph: Graph) -> NDArray[np.int64]:
    """Return each undirected edge once [2, E / 2]."""
    _check_edges(graph)
    return graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]]


def _edge_energy(h: Matrix, graph: Graph) -> float:
    """Return the sum over undirected edges of |x_i - x_j|^2."""
    source, target = _undirected_edges(graph)
    difference = h[source] - h[target]  # [E / 2, d]
    return float(np.vdot(difference, difference))


def _edge_cosine_distances(h: Matrix, graph: Graph) -> tuple[NDArray[np.int64], Matrix]:
    """Return the undirected edges between live rows [2, M], and 1 - cos along each [M]."""
    rows, live = unit_rows(h)
    edges = _undirected_edges(graph)
    edges = edges[:, live[edges].all(axis=0)]
    if not edges.shape[1]:
        dead = int((~live).sum())
        raise MeasureUndefined(f"no edge joins two live rows: {dead} of {len(live)} rows are all zero")
    difference = rows[edges[0]] - rows[edges[1]]
    return edges, 0.5 * np.einsum("ed,ed->e", difference, difference)  # unlike 1 - cos, exact near 0
