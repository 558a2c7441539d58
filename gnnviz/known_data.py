"""The citation graphs and the karate club, read from where they are kept, without any choice of theirs.

Cora is bundled, the karate club comes with networkx, and Planetoid files are looked for in the folder that
GNNVIZ_PLANETOID names. Knows no registry and no torch.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.graph import UNLABELLED, Graph
from gnnviz.own_data import folder_of
from gnnviz.readers import read_planetoid

PLANETOID_VARIABLE = "GNNVIZ_PLANETOID"
CORA_FILE = Path(__file__).resolve().parents[1] / "data" / "cora.npz"
# In the order in which the Planetoid files number them; they do not name them.
PLANETOID_CORA_CLASSES = (
    "Theory",
    "Reinforcement learning",
    "Genetic algorithms",
    "Neural networks",
    "Probabilistic methods",
    "Case based",
    "Rule learning",
)


def read_bundled_cora() -> Graph:
    """Return Cora in the order of `cora.content`, without a split."""
    with np.load(CORA_FILE, allow_pickle=False) as stored:
        arrays = dict(stored)
    ones = np.ones(len(arrays["word_indices"]), dtype=np.float32)
    shape = (len(arrays["paper_ids"]), int(arrays["num_words"]))
    words = (ones, arrays["word_indices"].astype(np.int32), arrays["word_indptr"])
    return Graph(
        x=sparse.csr_array(words, shape=shape),
        edge_index=arrays["citations"].astype(np.int64),
        y=arrays["labels"].astype(np.int64),
        class_names=tuple(arrays["class_names"].tolist()),
        node_names=tuple(map(str, arrays["paper_ids"].tolist())),
        name="Cora",
    )


def read_planetoid_cora() -> Graph:
    """Return Cora in the order of the Planetoid files, with its public split and the bundled one's classes.

    Raises:
        DatasetError: as `read_public`, or files with other than 7 classes.
    """
    graph = read_public("cora", "Cora")
    if graph.num_classes != len(PLANETOID_CORA_CLASSES) or graph.y is None:
        raise DatasetError(f"the Planetoid files of Cora have {graph.num_classes} classes instead of 7")
    class_names = tuple(sorted(PLANETOID_CORA_CLASSES))
    number = np.array([class_names.index(name) for name in PLANETOID_CORA_CLASSES])
    y = np.where(graph.labelled, number[graph.y], UNLABELLED)
    return replace(graph, y=y, class_names=class_names)


def read_public(name: str, label: str) -> Graph:
    """Return a graph from the Planetoid files, with its public split.

    Args:
        name: as in the names of the files.
        label: what the graph is called on screen.

    Raises:
        DatasetError: the files are missing or cannot be used.
    """
    folder = folder_of(PLANETOID_VARIABLE)
    if folder is None:
        raise DatasetError(
            f"the public split of {label} needs the Planetoid files; "
            f"set {PLANETOID_VARIABLE} to the folder that holds ind.{name}.x and the seven others"
        )
    return replace(read_planetoid(folder, name), name=label)


def read_karate() -> Graph:
    """Return the karate club with the identity as features, without a split."""
    import networkx  # only where somebody asks for the karate club

    club = networkx.karate_club_graph()
    class_names = ("Mr. Hi", "Officer")
    return Graph(
        x=np.eye(club.number_of_nodes(), dtype=np.float32),
        edge_index=np.array(list(club.edges)).T,
        y=np.array([class_names.index(club.nodes[node]["club"]) for node in club]),
        class_names=class_names,
        name="Karate club",
    )
