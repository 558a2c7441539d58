"""Where the nodes of a graph are drawn: `place_nodes`, the same for the same edges on every call.

Neighbours pull each other together and all nodes push each other apart; the result shows which nodes
belong together and nothing else. Knows edges only: no features, no classes, no model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gnnviz.graph import Graph, shape_of
from gnnviz.packing import pack_around
from gnnviz.repulsion import MeshRepulsion, Points, exact_repulsion

LAYOUT_VERSION = 1  # counts changes to what `place_nodes` returns, so that kept layouts are not mixed
MAX_DRAWN = 20_000  # more dots than this cover each other, and a browser no longer moves them smoothly
ASPECT = 1.5  # width over height of a drawing
_EXACT_UP_TO = 400
_SMALL_UP_TO = 50
_PIVOTS = 50
_STEPS = 200
_STEPS_SMALL = 80
_GRAVITY = 0.1
_FIRST_STEP, _LAST_STEP = 0.2, 0.0005  # longest move in one step, as a share of the drawing's size
_JITTER = 0.02
_GAP = 1.0  # between components, in typical lengths of an edge of the largest
_SMALL_SCALE = 0.6  # of the other components, so that they leave the largest its room


@dataclass(frozen=True, slots=True, eq=False)
class NodePlaces:
    """Where nodes are drawn.

    Attributes:
        nodes: the nodes that are drawn [D] int64, ascending; all N unless there are too many.
        positions: of these nodes [D, 2] float32; the larger of the two coordinates' reaches is 1.
    """

    nodes: NDArray[np.int64]
    positions: NDArray[np.float32]


def place_nodes(graph: Graph, max_nodes: int = MAX_DRAWN) -> NodePlaces:
    """Return where to draw the nodes of a graph; its small components surround the largest one.

    The force between neighbours grows with the root of their distance; all pairs repel with
    (degree + 1) (degree + 1) / distance; a weak pull to the middle, stronger in height than in width,
    gives the whole its shape. It starts from distances to pivot nodes.

    Args:
        graph: any graph.
        max_nodes: of a larger graph only those with the most neighbours are drawn, ties by number.

    Reference: Jacomy, Venturini, Heymann & Bastian, PLoS ONE 9(6), 2014 (forces); Brandes & Pich,
        Graph Drawing 2006 (the start).
    Differs: they pull in proportion to the distance; the root keeps long chains from standing out.
    """
    nodes = _most_connected(graph, max_nodes)
    drawn = graph if len(nodes) == graph.num_nodes else graph.subgraph(nodes)
    if not drawn.num_nodes:
        return NodePlaces(nodes, np.zeros((0, 2), dtype=np.float32))
    adjacency, component = drawn.adjacency(), drawn.components()
    order = np.argsort(component, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(component[order])) + 1)
    drawings = [_component_drawing(adjacency[part][:, part]) for part in members]
    positions = np.zeros((drawn.num_nodes, 2))
    for part, drawing in zip(members, _side_by_side(drawings), strict=True):
        positions[part] = drawing
    positions -= (positions.max(axis=0) + positions.min(axis=0)) / 2
    reach = float(np.abs(positions).max()) or 1.0
    return NodePlaces(nodes, (positions / reach).astype(np.float32))


def drawn_edges(graph: Graph, nodes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the edges between drawn nodes [M, 2], each once, as places in `nodes` (ascending)."""
    place = np.full(graph.num_nodes, -1, dtype=np.int32)
    place[nodes] = np.arange(len(nodes), dtype=np.int32)
    ends = place[graph.edge_index]
    return ends[:, (ends[0] >= 0) & (ends[0] < ends[1])].T.copy()


def _most_connected(graph: Graph, max_nodes: int) -> NDArray[np.int64]:
    return np.sort(np.argsort(-graph.degrees(), kind="stable")[:max_nodes]).astype(np.int64)


def _component_drawing(adjacency: sparse.csr_array) -> Points:
    """Return one connected piece [n, 2], around its middle, its typical edge 1 long."""
    count = shape_of(adjacency)[0]
    if count == 1:
        return np.zeros((1, 2))
    if count == 2:
        return np.array([(-0.5, 0.0), (0.5, 0.0)])
    points = _settled(adjacency, _pivot_start(adjacency))
    entries = adjacency.tocoo()
    lengths = np.linalg.norm(points[entries.row] - points[entries.col], axis=1)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    return (points - middle) / (float(np.median(lengths)) or 1.0)


def _pivot_start(adjacency: sparse.csr_array) -> Points:
    """Return a first drawing [n, 2], from how many hops each node is from up to 50 pivots far apart."""
    count = shape_of(adjacency)[0]
    nearest = np.full(count, np.inf)
    pivot = int(np.argmax(adjacency.sum(axis=1)))
    columns = []
    for _ in range(min(_PIVOTS, count)):
        columns.append(csgraph.dijkstra(adjacency, unweighted=True, indices=pivot))
        nearest = np.minimum(nearest, columns[-1])
        pivot = int(nearest.argmax())
    squared = np.stack(columns, axis=1) ** 2  # [n, pivots]
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    vectors = np.linalg.eigh(centred.T @ centred)[1][:, [-1, -2]]
    vectors *= np.where(vectors[np.abs(vectors).argmax(axis=0), [0, 1]] < 0, -1, 1)  # one of two signs
    points = centred @ vectors
    points /= np.sqrt(np.square(points).sum(axis=1).mean())
    # Nodes with the same distances start in one place, and would stay there.
    return points + np.random.default_rng(0).normal(scale=_JITTER, size=points.shape)


def _settled(adjacency: sparse.csr_array, start: Points) -> Points:
    """Return the drawing [n, 2] after its forces have moved it; steps grow shorter to the end."""
    count = len(start)
    entries = adjacency.tocoo()
    masses = np.asarray(adjacency.sum(axis=1)).ravel() + 1
    # So the reach of gravity and repulsion grows as that of the pull between neighbours.
    gravity = np.cbrt(_GRAVITY / masses.sum()) * np.array([ASPECT**-0.5, ASPECT**0.5])
    repulsion = _repulsion(count)
    steps = _STEPS_SMALL if count <= _SMALL_UP_TO else _STEPS
    points = start * 3 * np.sqrt(count)
    for step in range(steps):
        apart = points[entries.col] - points[entries.row]
        stiffness = (np.square(apart).sum(axis=1) + 1e-3) ** -0.25  # force over distance: 1 / root
        pull = np.stack(
            [np.bincount(entries.row, stiffness * apart[:, part], count) for part in (0, 1)], axis=1
        )
        weight = gravity * masses[:, None]  # [n, 2]
        force = repulsion(points, masses) + pull - weight * points
        move = force / (np.bincount(entries.row, stiffness, count)[:, None] + weight) / 2
        size = float(np.sqrt(np.square(points).sum(axis=1).mean()))
        longest = size * (_FIRST_STEP * (1 - step / steps) ** 2 + _LAST_STEP)
        lengths = np.linalg.norm(move, axis=1, keepdims=True)
        points = points + move * np.minimum(1, longest / (lengths + 1e-12))
    return points


def _repulsion(count: int) -> Callable[[Points, Points], Points]:
    if count <= _EXACT_UP_TO:
        return exact_repulsion
    return MeshRepulsion(2 ** int(np.ceil(np.log2(4 * np.sqrt(count)))))


def _side_by_side(drawings: list[Points]) -> list[Points]:
    """Return the drawings moved apart: the first in the middle, the others around it."""
    rest = [_SMALL_SCALE * drawing for drawing in drawings[1:]]
    radii = [float(np.linalg.norm(drawing, axis=1).max()) for drawing in rest]
    centres = pack_around(drawings[0], radii, _GAP, ASPECT)
    return [drawings[0], *(drawing + centre for drawing, centre in zip(rest, centres, strict=True))]
