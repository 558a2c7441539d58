"""Pairs of nodes that an unsupervised objective compares: neighbours on random walks, and far nodes.

Numpy only: knows no model. `gnnviz.pair_losses` says what the pairs are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import DatasetError
from gnnviz.far_nodes import FarNodes
from gnnviz.graph import Graph
from gnnviz.objectives import PairConfig

# Nodes that are asked, before training, whether they have a pair; where none of so many has, hardly any
# other node will have.
_ASKED = 1024
_AT_ONCE = 64  # nodes asked until the first has one


@dataclass(frozen=True, slots=True)
class SkippedStarts:
    """How many nodes an epoch had to leave out because they have no pair.

    Attributes:
        starts: nodes that pairs were to start at.
        without_neighbour: those of them whose walks met no other node that takes part.
        without_far: those with a neighbour, but without a far node.
    """

    starts: int = 0
    without_neighbour: int = 0
    without_far: int = 0

    def __add__(self, other: SkippedStarts) -> SkippedStarts:
        """Return the counts of both."""
        return SkippedStarts(
            self.starts + other.starts,
            self.without_neighbour + other.without_neighbour,
            self.without_far + other.without_far,
        )

    def __str__(self) -> str:
        """Return a sentence about them, or "" where no node was left out."""
        skipped = self.without_neighbour + self.without_far
        if not skipped:
            return ""
        return (
            f"{skipped} of {self.starts} nodes have no pair and were skipped: "
            f"{self.without_neighbour} without a neighbour, {self.without_far} without a far node"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Near and far nodes of some starts.

    Attributes:
        starts: node ids [S].
        near: nodes on the walks [S, walks * walk_length]; where a walk is back at its start, or at a node
            that takes no part, that start, which is then no pair.
        far: far nodes [S, negatives].
        skipped: of the starts that were asked for.
    """

    starts: NDArray[np.int64]
    near: NDArray[np.int64]
    far: NDArray[np.int64]
    skipped: SkippedStarts


class PairSampler:
    """Draws pairs from one graph; prepared once, then quick for every epoch and batch.

    Args:
        graph: the graph.
        config: how many pairs, and how far apart.

    Attributes:
        starts: the nodes that take part, at which pairs start and of which they are made, node ids [S]:
            all, or the training nodes.

    Raises:
        DatasetError: no node has a pair.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, section 3.2.
    Differs: far nodes are uniform among those outside the `far_hops`-hop ball; the paper draws from all
        nodes, by degree.
    """

    def __init__(self, graph: Graph, config: PairConfig) -> None:
        self._config = config
        self._neighbours = graph.edge_index[0]  # grouped by target
        self._degrees = graph.degrees()
        self._first = self._degrees.cumsum() - self._degrees
        self._among = graph.train_mask if config.nodes == "training" else None
        self._far = FarNodes(graph, config.far_hops, self._among)
        self.starts = np.arange(graph.num_nodes) if self._among is None else self._among.nonzero()[0]
        self._check_that_there_are_pairs(graph.name)

    def draw(self, starts: NDArray[np.int64], generator: np.random.Generator) -> Pairs:
        """Draw the pairs of those starts that have both a neighbour and a far node.

        Args:
            starts: node ids [B], each once.
            generator: equal states give equal pairs.
        """
        connected = starts[self._degrees.take(starts) > 0]
        near = self._walk(connected, generator)
        has_near = (near != connected[:, None]).any(axis=1)
        paired = connected[has_near]
        drawn = self._far.draw(paired, self._config.negatives, generator)
        kept = paired[drawn.has_far]
        skipped = SkippedStarts(
            starts=len(starts),
            without_neighbour=len(starts) - len(paired),
            without_far=len(paired) - len(kept),
        )
        return Pairs(kept, near[has_near][drawn.has_far], drawn.nodes, skipped)

    def _walk(self, starts: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
        """Return the nodes on random walks [S, walks * walk_length]; every start has a neighbour.

        A node that takes no part is replaced by the start; the walk goes on through it.
        """
        steps = []
        at = np.repeat(starts[:, None], self._config.walks, axis=1)
        for _ in range(self._config.walk_length):
            at = self._neighbours.take(self._first.take(at) + generator.integers(0, self._degrees.take(at)))
            steps.append(at)
        near = np.concatenate(steps, axis=1)
        return near if self._among is None else np.where(self._among[near], near, starts[:, None])

    def _check_that_there_are_pairs(self, name: str) -> None:
        asked = self.starts[:: max(1, len(self.starts) // _ASKED)]
        skipped = SkippedStarts()
        for begin in range(0, len(asked), _AT_ONCE):
            found = self.draw(asked[begin : begin + _AT_ONCE], np.random.default_rng(0))
            if len(found.starts):
                return
            skipped += found.skipped
        if skipped.without_far == 0:
            raise DatasetError(
                f"no node of {name} from which pairs start has a neighbour; an unsupervised objective "
                "compares neighbours: choose the supervised one, or a graph with more edges"
            )
        raise DatasetError(
            f"no node of {name} lies more than {self._config.far_hops} hops away from another (the largest "
            f"distance found is {self._far.largest_distance}), so there are no far pairs to compare; "
            "lower far_hops"
        )
