"""Propagation only: what averaging over neighbours does to the features with no weights in between.

The control for smoothing by the graph itself. Numpy and scipy; knows graphs and features, no network.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from gnnviz.checks import check_choice
from gnnviz.errors import ConfigError
from gnnviz.graph import Graph
from gnnviz.graph_input import shape_of
from gnnviz.models import MODELS, ModelConfig, Normalisation
from gnnviz.rows import Matrix, MeasureUndefined, State
from gnnviz.smoothing import RAYLEIGH_OF_CONV

MOST_VALUES = 2**27  # of one dense state: 1 GiB in float64; two are held at a time
MOST_MEASURED = 17  # a measure of Cora's features takes 0.1 to 4 s
_DENSE_START = 8  # the first steps change the most, and are measured one by one


def averaging(graph: Graph, normalisation: Normalisation) -> sparse.csr_array:
    """Return what a state is multiplied by in one step [N, N], float64.

    Args:
        graph: the graph; self-loops are added to it.
        normalisation: "sym": A^ = D~^-1/2 (A + I) D~^-1/2, as GCN; "row": P = D~^-1 (A + I), whose
            rows sum to 1, as a mean over a node and its neighbours; "sum": A + I.

    Raises:
        ConfigError: another normalisation.

    Reference: Kipf & Welling, ICLR 2017, eq. 2.
    """
    check_choice("normalisation", normalisation, ("sym", "row", "sum"))
    with_loops = graph.adjacency() + sparse.eye_array(graph.num_nodes)
    degree = graph.degrees() + 1.0
    if normalisation == "sym":
        root = sparse.diags_array(1 / np.sqrt(degree))
        return sparse.csr_array(root @ with_loops @ root)
    if normalisation == "row":
        return sparse.csr_array(sparse.diags_array(1 / degree) @ with_loops)
    return sparse.csr_array(with_loops)


def normalisation_of(config: ModelConfig) -> Normalisation:
    """Return how the layers of a model average, their weights put aside.

    Attention and GraphSAGE's mean are stood for by the plain mean over a node and its neighbours.
    """
    if "normalisation" in MODELS[config.model].takes:
        return config.normalisation
    return "sym" if RAYLEIGH_OF_CONV[MODELS[config.model].conv] == "rayleigh_sym" else "row"


def propagated(
    graph: Graph, normalisation: Normalisation, steps: int, x: State | None = None
) -> Iterator[Matrix]:
    """Yield the state after 0, 1, ... `steps` steps of averaging, each [N, F] float64.

    Two states are in memory at a time, however many steps there are.

    Args:
        graph: the graph.
        normalisation: as for `averaging`.
        steps: 0 or more.
        x: what to begin with [N, F], dense or sparse; the graph's features if None.

    Raises:
        ConfigError: fewer than 0 steps, or another normalisation.
        MeasureUndefined: a dense state would not fit the memory that is allowed for it.
    """
    if steps < 0:
        raise ConfigError(f"got {steps} steps; choose 0 or more")
    start = graph.x if x is None else x
    num_nodes, width = shape_of(start)
    if num_nodes * width > MOST_VALUES:
        raise MeasureUndefined(
            f"smoothed features are dense, and {num_nodes:,} nodes with {width:,} features take "
            f"{8e-9 * num_nodes * width:.1f} GB; give a graph with fewer features"
        )
    operator = averaging(graph, normalisation)
    state = np.array(start.toarray() if isinstance(start, sparse.csr_array) else start, dtype=np.float64)
    yield state
    for _ in range(steps):
        state = operator @ state
        yield state


def measured_steps(steps: int) -> tuple[int, ...]:
    """Return at which of 0 .. `steps` steps to measure: all if they are few, else sparser and the last."""
    if steps < MOST_MEASURED:
        return tuple(range(steps + 1))
    later = np.linspace(_DENSE_START, steps, MOST_MEASURED - _DENSE_START).round().astype(int)
    return (*range(_DENSE_START), *later.tolist())
