"""Which nodes train, validate and test: the registry `SPLITS`.

Makes masks from a graph and a seed; knows no dataset's files and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import DatasetError
from gnnviz.graph import Graph

# One leader of each faction for training, 28 nodes left to choose the epoch on and to report on.
KARATE_LEADERS = (0, 33)
KARATE_VALIDATION = (4, 8, 12, 16, 20, 24, 28, 32)
# The `random` split; the shares are for classes and graphs too small for the numbers.
TRAIN_PER_CLASS, TRAIN_SHARE = 20, 5
VALIDATION_NODES, VALIDATION_SHARE = 500, 3
TEST_NODES = 1000

Masks = tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class SplitRecord:
    """What the user is told about a split, and how its masks are made.

    Attributes:
        label: the name on screen.
        help: one line that says which nodes train, validate and test.
        assign: makes the three masks [N] from a graph and a seed; None: the files fix them.
        seeded: True if another `split_seed` gives another split.
    """

    label: str
    help: str
    assign: Callable[[Graph, int], Masks] | None
    seeded: bool = False


def _masks(num_nodes: int, *parts: Iterable[int]) -> Masks:
    train, val, test = (np.zeros(num_nodes, dtype=bool) for _ in range(3))
    for mask, nodes in zip((train, val, test), parts, strict=True):
        mask[list(nodes)] = True
    return train, val, test


def _kipf_split(graph: Graph, _seed: int) -> Masks:
    return _masks(graph.num_nodes, range(140), range(200, 500), range(500, 1500))


def _leaders_split(graph: Graph, _seed: int) -> Masks:
    rest = set(range(graph.num_nodes)) - {*KARATE_LEADERS, *KARATE_VALIDATION}
    return _masks(graph.num_nodes, KARATE_LEADERS, KARATE_VALIDATION, rest)


def _random_split(graph: Graph, seed: int) -> Masks:
    """Return 20 nodes of each class, then 500, then 1000, or the shares that `SPLITS` tells; all labelled."""
    if graph.y is None:
        raise DatasetError(f"{graph.name} has no labels; a random split takes nodes of every class")
    order = np.random.default_rng(seed).permutation(graph.num_nodes)
    order = order[graph.labelled[order]]
    train: list[int] = []
    for label in range(graph.num_classes):
        members = order[graph.y[order] == label]
        train.extend(members[: min(TRAIN_PER_CLASS, max(1, len(members) // TRAIN_SHARE))])
    rest = order[~np.isin(order, train)]
    val_end = min(VALIDATION_NODES, len(rest) // VALIDATION_SHARE)
    if not val_end:
        raise DatasetError(
            f"{graph.name} has {len(order)} nodes in {graph.num_classes} classes, too few to split; "
            f"at least {VALIDATION_SHARE} must be left after one of each class is taken for training"
        )
    return _masks(graph.num_nodes, train, rest[:val_end], rest[val_end : val_end + TEST_NODES])


SPLITS: dict[str, SplitRecord] = {
    "kipf": SplitRecord(
        label="Kipf's demo",
        help="The first 140 nodes train, nodes 200-499 validate, nodes 500-1499 test; classes as they fall.",
        assign=_kipf_split,
    ),
    "leaders": SplitRecord(
        label="Two leaders",
        help="Only the two leaders train; every fourth node, four of each faction, validates; 24 test.",
        assign=_leaders_split,
    ),
    "public": SplitRecord(
        label="Planetoid (public)",
        help="The split that papers report on: 20 nodes of each class train, 500 validate, 1000 test.",
        assign=None,
    ),
    "random": SplitRecord(
        label="Random",
        help=(
            "20 nodes of each class train (at most a fifth of the class, at least one), of the others "
            "500 validate (at most a third) and up to 1000 test."
        ),
        assign=_random_split,
        seeded=True,
    ),
}
