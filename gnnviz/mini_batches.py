"""Mini-batches: a few nodes at a time, each with sampled neighbours, so that memory follows the batch.

Turns what `gnnviz.sampling` draws into what a model takes. Knows no optimiser.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gnnviz.batches import Batch, Labelled, PairRows
from gnnviz.config import USUAL_FAN_OUT, TrainConfig
from gnnviz.csr import CSR
from gnnviz.graph import Graph
from gnnviz.node_sets import NodeSets
from gnnviz.objectives import OBJECTIVES
from gnnviz.operators import Operators
from gnnviz.pairs import Pairs, PairSampler, SkippedStarts
from gnnviz.sampling import NeighbourSampler, SampledNeighbourhood
from gnnviz.seeding import epoch_generator
from gnnviz.torch_graph import BatchHop, Blocks, TorchGraph

Ids = NDArray[np.int64]


class MiniBatches:
    """The batches of each epoch: every training node, or every start of pairs, once, in random order.

    With both labels and pairs an epoch goes over the starts, and the training nodes are dealt out evenly
    over its batches.

    Args:
        graph: what is trained on.
        structure: the same graph in numpy.
        sets: its training nodes.
        config: batch size, fan-outs, objective and seed.
        num_layers: of the model.

    Attributes:
        skipped: see `gnnviz.batches.Batches`.

    Raises:
        DatasetError: no node has a pair.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, algorithm 2.
    Differs: neighbours are drawn without replacement.
    """

    def __init__(
        self, graph: TorchGraph, structure: Graph, sets: NodeSets, config: TrainConfig, num_layers: int
    ) -> None:
        self.skipped = SkippedStarts()
        self._graph, self._config = graph, config
        self._train_nodes = sets.train_nodes.cpu().numpy()
        self._labels = sets.train_labels
        self._fan_outs = config.fan_outs or (USUAL_FAN_OUT,) * num_layers
        self._sampler = NeighbourSampler(structure)
        uses_pairs = OBJECTIVES[config.objective].uses_pairs
        self._pairs = PairSampler(structure, config.pairs) if uses_pairs else None

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches in turn; each is drawn when it is asked for."""
        generator = epoch_generator(self._config.seed, epoch)
        self.skipped = SkippedStarts()
        for places, starts in self._dealt(generator):
            pairs = None
            if self._pairs is not None:
                pairs = self._pairs.draw(starts, generator)
                self.skipped += pairs.skipped
                pairs = pairs if len(pairs.starts) else None
            if pairs is not None or len(places):
                yield self._batch(places, pairs, generator)

    def _dealt(self, generator: np.random.Generator) -> Iterator[tuple[Ids, Ids]]:
        """Yield, for each batch, places in the list of training nodes and starts of pairs, if any."""
        size = self._config.batch_size
        assert size is not None  # otherwise it would be no mini-batch
        uses_labels = OBJECTIVES[self._config.objective].uses_labels
        places = generator.permutation(len(self._train_nodes) if uses_labels else 0)
        starts = generator.permutation(self._pairs.starts) if self._pairs is not None else np.arange(0)
        count = -(-(len(places) if self._pairs is None else len(starts)) // size)
        if self._pairs is None:
            dealt = [places[number * size : (number + 1) * size] for number in range(count)]
        else:
            dealt = np.array_split(places, count)
        for number, labelled in enumerate(dealt):
            yield labelled, starts[number * size : (number + 1) * size]

    def _batch(self, places: Ids, pairs: Pairs | None, generator: np.random.Generator) -> Batch:
        """Return the batch of some training nodes and pairs, with neighbours drawn for all their nodes."""
        device = self._graph.device
        parts = [self._train_nodes[places]]
        parts += [] if pairs is None else [pairs.starts, pairs.near, pairs.far]
        seeds, rows = np.unique(np.concatenate([part.ravel() for part in parts]), return_inverse=True)
        ends = np.cumsum([part.size for part in parts])[:-1]
        row_parts = [
            torch.from_numpy(row.reshape(part.shape)).to(device)
            for row, part in zip(np.split(rows, ends), parts, strict=True)
        ]
        neighbourhood = self._sampler.sample(seeds, self._fan_outs, generator)
        labels = self._labels.index_select(0, torch.from_numpy(places).to(device))
        return Batch(
            x=feature_rows(self._graph.x, torch.tensor(neighbourhood.nodes, device=device)),
            graph=blocks_of(neighbourhood, device),
            labelled=Labelled(row_parts[0], labels) if len(places) else None,
            pairs=PairRows(*row_parts[1:]) if pairs is not None else None,
        )


def blocks_of(neighbourhood: SampledNeighbourhood, device: torch.device) -> Blocks:
    """Return what the layers of a model see of a sampled neighbourhood, first layer first.

    The model is then given the features of `neighbourhood.nodes`, and returns rows for its seeds.
    """
    return tuple(
        BatchHop(
            Operators(torch.from_numpy(np.stack([hop.source, hop.target])).to(device), len(hop.nodes)),
            hop.num_targets,
        )
        for hop in reversed(neighbourhood.hops)
    )


def feature_rows(x: Tensor | CSR, nodes: Tensor) -> Tensor | CSR:
    """Return the features of some nodes [S, F], sparse where they are sparse.

    Args:
        x: [N, F].
        nodes: node ids [S].
    """
    if isinstance(x, Tensor):
        return x.index_select(0, nodes)
    lengths = x.row_lengths().index_select(0, nodes)
    rows = torch.arange(len(nodes), device=nodes.device).repeat_interleave(lengths)
    # Entry e of row i is entry e - (those of earlier rows) after the place where node i's entries begin.
    shift = x.indptr.index_select(0, nodes) - (lengths.cumsum(0) - lengths)
    entries = torch.arange(len(rows), device=nodes.device) + shift.index_select(0, rows)
    values = None if x.values is None else x.values.index_select(0, entries)
    return CSR.from_entries(rows, x.indices.index_select(0, entries), values, (len(nodes), x.shape[1]))
