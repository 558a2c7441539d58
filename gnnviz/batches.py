"""What one training step is given: a `Batch`, its loss, and the batch that is the whole graph.

Knows models and graphs; knows no optimiser. `gnnviz.mini_batches` makes the smaller ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gnnviz.config import TrainConfig
from gnnviz.csr import CSR
from gnnviz.graph import Graph
from gnnviz.node_sets import NodeSets
from gnnviz.objectives import OBJECTIVES
from gnnviz.pair_losses import pair_loss
from gnnviz.pairs import PairSampler, SkippedStarts
from gnnviz.seeding import epoch_generator
from gnnviz.stack import Stack
from gnnviz.torch_graph import Blocks, TorchGraph


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Nodes whose class is known.

    Attributes:
        rows: of the model's output [T], 1 or more.
        labels: their classes [T].
    """

    rows: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class PairRows:
    """Pairs of nodes, as rows of the model's output.

    Attributes:
        starts: [S], 1 or more.
        near: [S, P]; a start's own row is no pair.
        far: [S, M].
    """

    starts: Tensor
    near: Tensor
    far: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step is computed from; it has labelled nodes, pairs, or both.

    Attributes:
        x: features of the nodes that take part.
        graph: the whole graph, or the sampled hops.
        labelled: None where the objective uses no labels, or no labelled node is in the batch.
        pairs: None where the objective uses none, or none is in the batch.
    """

    x: Tensor | CSR
    graph: TorchGraph | Blocks
    labelled: Labelled | None
    pairs: PairRows | None


class Batches(Protocol):
    """The batches of each epoch.

    Attributes:
        skipped: the nodes without a pair of the epoch that was last begun.
    """

    skipped: SkippedStarts

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield one batch or more; the same ones whenever that epoch is asked for."""
        ...


def batch_loss(model: Stack, batch: Batch, config: TrainConfig) -> Tensor:
    """Return what is minimised, a scalar with gradient: the cross-entropy, the pairs' loss, or their sum."""
    if batch.pairs is None:
        return _cross_entropy(model(batch.x, batch.graph), batch.labelled)
    embeddings = model.embeddings(batch.x, batch.graph)
    pairs = batch.pairs
    loss = pair_loss(config.objective, embeddings, pairs.starts, pairs.near, pairs.far, config.pairs)
    if batch.labelled is None:
        return loss
    return loss + _cross_entropy(model.classify(embeddings), batch.labelled)


class WholeGraph:
    """One batch an epoch: all nodes, with all their neighbours.

    Args:
        graph: what is trained on.
        sets: its training nodes.
        config: the objective, and what draws its pairs.
        structure: the same graph in numpy, or None where no pairs are drawn.

    Attributes:
        skipped: see `Batches`.

    Raises:
        DatasetError: no node has a pair.
    """

    def __init__(
        self, graph: TorchGraph, sets: NodeSets, config: TrainConfig, structure: Graph | None
    ) -> None:
        self.skipped = SkippedStarts()
        self._graph, self._config = graph, config
        uses_labels = OBJECTIVES[config.objective].uses_labels
        self._labelled = Labelled(sets.train_nodes, sets.train_labels) if uses_labels else None
        self._pairs = None if structure is None else PairSampler(structure, config.pairs)

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the whole graph, with pairs of its own in each epoch."""
        pairs = None
        if self._pairs is not None:
            drawn = self._pairs.draw(self._pairs.starts, epoch_generator(self._config.seed, epoch))
            self.skipped = drawn.skipped
            ids = (drawn.starts, drawn.near, drawn.far)
            pairs = PairRows(*(torch.from_numpy(part).to(self._graph.device) for part in ids))
        yield Batch(self._graph.x, self._graph, self._labelled, pairs)


def numpy_graph(graph: Graph | TorchGraph) -> Graph:
    """Return a graph with the same edges and training nodes in numpy, features aside."""
    if isinstance(graph, Graph):
        return graph
    mask = None if graph.train_mask is None else graph.train_mask.cpu().numpy()
    return Graph(np.zeros((graph.num_nodes, 1), np.float32), graph.edge_index.cpu().numpy(), train_mask=mask)


def _cross_entropy(logits: Tensor, labelled: Labelled | None) -> Tensor:
    assert labelled is not None  # a batch without pairs has labels
    return F.cross_entropy(logits.index_select(0, labelled.rows), labelled.labels)
