"""Two graphs that are small enough to count by hand."""

import numpy as np

from gnnviz.graph import Graph


def plain(text):
    return text.replace("\u202f", " ")


def mask(*nodes):
    return np.isin(np.arange(6), nodes)


# A path 0-1-2-3 with a shortcut 0-2, and a pair 4-5; classes a a b b a b.
GRAPH = Graph(
    np.ones((6, 1)),
    np.array([(0, 1), (1, 2), (2, 3), (0, 2), (4, 5)]).T,
    np.array([0, 0, 1, 1, 0, 1]),
    train_mask=mask(0, 2),
    val_mask=mask(1),
    test_mask=mask(3, 4),
    class_names=("a", "b_c"),
    node_names=("zero", "one", "two", "three", "31", "<b>*5*</b>"),
    name="toy",
)
ALONE = Graph(np.ones((3, 1)), np.zeros((2, 0), dtype=np.int64), name="dust")
