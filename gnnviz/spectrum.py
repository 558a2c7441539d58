"""Linear smoothing in the spectrum of A^ = D~^-1/2 (A + I) D~^-1/2: energies, slowest mode, plateau.

Exact: nothing is fitted, and nothing is assumed of a network. Numpy and scipy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, cg, eigsh

from gnnviz.checks import check_choice, check_share
from gnnviz.errors import ConfigError
from gnnviz.graph import Graph
from gnnviz.graph_input import shape_of
from gnnviz.propagation_only import averaging, propagated
from gnnviz.rows import ROUNDING, Matrix, MeasureUndefined, State, as_state
from gnnviz.smoothing_edges import dirichlet_sym, limit_basis, subspace_distance

MOST_NODES = 3000  # of a full eigen-decomposition: 27e9 operations, some ten seconds
RATE_MEASURES = ("rayleigh_sym", "dirichlet_sym", "subspace_distance", "subspace_distance_relative")
SUM_MEASURES = (*RATE_MEASURES, "norm")
_PER_NORM = ("rayleigh_sym", "subspace_distance_relative")
_DISTANCES = ("subspace_distance", "subspace_distance_relative")
_COLUMNS = 256  # of the features at a time: 2708 nodes take 5 MB
_DENSE = 200  # nodes up to which all eigenvalues are computed to find one
_SAME = 1e-9  # eigenvalues closer than this are one
_MODES = 6  # eigenvectors asked of Lanczos at first, in case the slowest has company
_MOST_COPIES = 512  # eigenvectors of one eigenvalue that are looked for one after the other
_MOST_RESTARTS = 2000  # of Lanczos: seconds; a path of 1000 nodes needs fewer, one of 2000 is given up
_EXACT = 1e-12  # relative size of what is left unsolved


@dataclass(frozen=True, slots=True, eq=False)
class LinearEnergies:
    """What linear smoothing X_l = A^^l X does, for l = 0 .. L; each [L + 1] float64, 0 or more.

    What float64 cannot tell from 0 beside |X_l| is 0.

    Attributes:
        energy: tr(X_l^T (I - A^) X_l).
        norm: |X_l|^2.
        distance: d_M(X_l), the distance from the space of GCN's limits.
    """

    energy: NDArray[np.float64]
    norm: NDArray[np.float64]
    distance: NDArray[np.float64]

    def measure(self, name: str) -> NDArray[np.float64]:
        """Return one of `SUM_MEASURES` [L + 1].

        Raises:
            ConfigError: another measure.
            MeasureUndefined: a share of a signal that is 0.
        """
        check_choice("measure", name, SUM_MEASURES)
        if name in _PER_NORM and not self.norm.all():
            raise MeasureUndefined("every value is 0: the signal is dead")
        if name == "norm":
            return self.norm
        if name in _DISTANCES:
            return self.distance / np.sqrt(self.norm) if name in _PER_NORM else self.distance
        return self.energy / self.norm if name in _PER_NORM else self.energy


@dataclass(frozen=True, slots=True)
class SlowestMode:
    """The part of a signal outside GCN's limit that linear smoothing removes last.

    Attributes:
        size: |lambda| of A^'s eigenvalue nearest to 1 or -1, those that are 1 left out; in [0, 1).
        weight: sum of |u^T X|^2 over the eigenvectors u of that size, 0 or more.
        energy: the same sum, each term times 1 - lambda.
        limit: |E^T X|^2, what smoothing never removes, 0 or more.
    """

    size: float
    weight: float
    energy: float
    limit: float

    @property
    def half_life(self) -> float:
        """Layers in which the energy halves in the end, ln 2 / (-2 ln size); 0 where the size is 0."""
        return math.log(2) / (-2 * math.log(self.size)) if self.size else 0.0

    @property
    def relaxation(self) -> float:
        """The relaxation time 1 / (1 - size), in layers."""
        return 1 / (1 - self.size)

    def measure(self, name: str, steps: int) -> NDArray[np.float64]:
        """Return what one of `RATE_MEASURES` comes to in the end, extended back to l = 0 [steps + 1].

        Raises:
            ConfigError: another measure.
            MeasureUndefined: a share of a limit in which the signal has no part.
        """
        check_choice("measure", name, RATE_MEASURES)
        if name in _PER_NORM and not self.limit:
            raise MeasureUndefined("nothing of the signal is in GCN's limit")
        start = self.weight if name in _DISTANCES else self.energy
        decay = np.power(self.size, 2.0 * np.arange(steps + 1), dtype=np.float64)
        decay *= start / (self.limit if name in _PER_NORM else 1.0)
        return np.sqrt(decay) if name in _DISTANCES else decay


def linear_energies(graph: Graph, x: State, steps: int) -> LinearEnergies:
    """Return the exact sums over the spectrum of A^ by smoothing X itself, without any eigenvector.

    E_l = sum_k (1 - lambda_k) lambda_k^(2 l) |u_k^T X|^2 over the eigenpairs. X is taken in blocks of
    columns, so that memory grows with N and not with the width of sparse features.

    Args:
        graph: with one edge or more.
        x: [N, F], dense or sparse.
        steps: L, 0 or more.

    Raises:
        MeasureUndefined: the graph has no edges.

    Reference: Cai & Wang, arXiv 2006.13318, section 3 (the energy in the spectrum).
    """
    sums = np.zeros((3, steps + 1))
    columns = x.tocsc() if isinstance(x, sparse.csr_array) else np.asarray(x)
    for start in range(0, shape_of(x)[1], _COLUMNS):
        block = columns[:, start : start + _COLUMNS]
        dense = block if isinstance(block, np.ndarray) else block.toarray()
        for step, state in enumerate(propagated(graph, "sym", steps, dense)):
            sums[0, step] += dirichlet_sym(state, graph)
            sums[1, step] += np.vdot(state, state)
            sums[2, step] += subspace_distance(state, graph) ** 2
    energy, norm, squares = sums
    told = squares > ROUNDING**2 * norm  # else X_l is in the limit, as far as float64 can say
    return LinearEnergies(np.where(told, energy, 0.0), norm, np.sqrt(np.where(told, squares, 0.0)))


def spectral_energies(graph: Graph, x: State, steps: int) -> LinearEnergies:
    """Return the sums of `linear_energies` from all eigenpairs of A^: a second road, for small graphs.

    Raises:
        MeasureUndefined: more than 3000 nodes.
    """
    if graph.num_nodes > MOST_NODES:
        raise MeasureUndefined(
            f"{graph.num_nodes} nodes are too many for all eigenvalues; at most {MOST_NODES} are allowed"
        )
    values, vectors = np.linalg.eigh(averaging(graph, "sym").toarray())
    values[-(graph.components().max() + 1) :] = 1.0  # one for each component, exactly
    weight = ((x.T @ vectors) ** 2).sum(axis=0)
    powers = values ** (2 * np.arange(steps + 1)[:, None])  # [L + 1, N]
    outside = powers @ np.where(values < 1, weight, 0.0)
    return LinearEnergies(powers @ ((1 - values) * weight), powers @ weight, np.sqrt(outside))


def slowest_mode(graph: Graph, x: State) -> SlowestMode:
    """Return what of X linear smoothing removes last, by Lanczos on the space outside the limit.

    Args:
        graph: with one edge or more.
        x: [N, F], dense or sparse.

    Raises:
        MeasureUndefined: the graph has no edges, or its slowest eigenvalue could not be found.

    Reference: Oono & Suzuki, ICLR 2020 (their lambda).
    """
    if not graph.num_edges:
        raise MeasureUndefined(f"{graph.name} has no edges, so there is nothing to average over")
    basis, signal = limit_basis(graph), x.astype(np.float64)
    try:
        values, vectors = _outside_limit(averaging(graph, "sym"), basis)
    except ArpackNoConvergence as error:
        raise MeasureUndefined(
            f"the slowest eigenvalue of {graph.name} could not be told from the next ones: they are too close"
        ) from error
    size = float(np.abs(values).max())
    if size < _SAME:
        size = 0.0
    slowest = np.abs(values) > size - _SAME
    weights = ((signal.T @ vectors[:, slowest]) ** 2).sum(axis=0)  # [modes]
    limit = float(((basis @ signal) ** 2).sum())
    nothing = ROUNDING**2 * float((signal * signal).sum())
    has_part = size > 0 and weights.sum() > nothing
    return SlowestMode(
        size=size,
        weight=float(weights.sum()) if has_part else 0.0,
        energy=float(((1 - values[slowest]) * weights).sum()) if has_part else 0.0,
        limit=limit if limit > nothing else 0.0,
    )


def plateau(graph: Graph, first: State, alpha: float) -> Matrix:
    """Return where mixing in the first state leads, Z = alpha (I - (1 - alpha) A^)^-1 H, [N, C] float64.

    The fixed point of Z = (1 - alpha) A^ Z + alpha H, solved by conjugate gradients column by column.

    Args:
        graph: the graph.
        first: H [N, C], dense or sparse.
        alpha: share of H in every layer, above 0 and below 1.

    Raises:
        ConfigError: another alpha.
        MeasureUndefined: the system could not be solved, or the first state is not finite.

    Reference: Klicpera, Bojchevski & Guennemann, ICLR 2019, eq. 3 (personalised PageRank).
    """
    check_share("alpha", alpha)
    if not alpha:
        raise ConfigError("alpha is 0, which mixes nothing in; choose a number above 0 and below 1")
    system = sparse.eye_array(graph.num_nodes) - (1 - alpha) * averaging(graph, "sym")
    h = as_state(first)
    solution = np.empty_like(h)
    for column in range(h.shape[1]):
        solution[:, column], failed = cg(system, alpha * h[:, column], rtol=_EXACT)
        if failed:
            raise MeasureUndefined(f"the plateau for alpha {alpha:g} could not be solved in {failed} steps")
    return solution


def _outside_limit(
    operator: sparse.csr_array, basis: sparse.csr_array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eigenvalues of A^ outside the limit, all that are largest in size among them, and their vectors.

    Lanczos finds some vectors of an eigenvalue that has many, as a star's 1/2 does. So those found are taken
    out, and it is asked again until none of that size is left.

    Raises:
        MeasureUndefined: too many vectors share the eigenvalue.
        ArpackNoConvergence: eigenvalues too close to be told apart.
    """
    num_nodes = shape_of(operator)[0]
    if num_nodes <= _DENSE:
        return _dense_outside(operator, basis)
    values, vectors = np.zeros(0), np.zeros((num_nodes, 0))
    size, modes = 0.0, _MODES
    while len(values) + modes < num_nodes // 2 and len(values) < _MOST_COPIES:
        found, directions = _largest(operator, basis, values, vectors, modes)
        size = max(size, float(np.abs(found).max()))
        slow = np.abs(found) > size - _SAME
        if size < _SAME or not slow.any():
            return (values, vectors) if len(values) else (found, directions)
        values, vectors = np.append(values, found[slow]), np.hstack([vectors, directions[:, slow]])
        modes *= 2
    if num_nodes > MOST_NODES:
        raise MeasureUndefined(
            f"more than {len(values) - 1} patterns on the {num_nodes} nodes fade equally slowly: too many to "
            "look for"
        )
    return _dense_outside(operator, basis)


def _dense_outside(
    operator: sparse.csr_array, basis: sparse.csr_array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, vectors = np.linalg.eigh((operator - basis.T @ basis).toarray())
    return values, vectors


def _largest(
    operator: sparse.csr_array,
    basis: sparse.csr_array,
    known: NDArray[np.float64],
    vectors: NDArray[np.float64],
    modes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return so many eigenpairs of largest size outside the limit and outside the known pairs."""

    def outside(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        rest = operator @ vector - basis.T @ (basis @ vector)
        return rest - vectors @ (known * (vectors.T @ vector))

    num_nodes = shape_of(operator)[0]
    deflated = LinearOperator((num_nodes, num_nodes), matvec=outside, dtype=np.float64)  # pyright: ignore[reportCallIssue]
    start = np.random.default_rng(0).normal(size=num_nodes)
    values, directions = eigsh(deflated, k=modes, which="LM", v0=start, maxiter=_MOST_RESTARTS)
    return np.asarray(values), np.asarray(directions)
