"""Where a graph's nodes are drawn, computed once and kept on disk beside the runs.

Named by the app, computed on a worker. What is kept is found by the edges themselves, so that every
split of a graph shares one picture, and own files that have changed get a new one.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from gnnviz.checkpoints import read_tensors, write_tensors
from gnnviz.datasets import DatasetSpec
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import RunError
from gnnviz.graph import Graph
from gnnviz.graph_layout import LAYOUT_VERSION, NodePlaces, place_nodes

FOLDER = ".layouts"  # a folder whose name begins with a dot is no run


def graph_places(store_root: str, spec: DatasetSpec) -> NodePlaces:
    """Return where to draw the nodes of a graph; read from disk if they were ever placed before.

    Args:
        store_root: the folder of runs.
        spec: which graph; only its edges count.

    Raises:
        DatasetError: the graph's files are missing or cannot be used.
    """
    graph = load_graph_once(spec)
    path = Path(store_root) / FOLDER / f"{_name(graph)}.safetensors"
    with suppress(RunError):  # never placed, or the file is damaged: then it is made anew
        kept, _ = read_tensors(path, "the kept places of nodes")
        return NodePlaces(kept["nodes"].astype(np.int64), kept["positions"].astype(np.float32))
    places = place_nodes(graph)
    with suppress(OSError):  # a disk that is full or read-only costs the next start seconds, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {"nodes": places.nodes, "positions": places.positions}, {})
    return places


def _name(graph: Graph) -> str:
    """Return what the layout of these edges is kept under."""
    digest = hashlib.sha256(f"{LAYOUT_VERSION} {graph.num_nodes} ".encode())
    digest.update(graph.edge_index.astype("<i8").tobytes())
    return digest.hexdigest()[:16]
