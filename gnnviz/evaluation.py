"""What a model is worth after an epoch: losses and accuracies on the three sets of nodes.

Knows a model and a graph; knows no optimiser.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from gnnviz.errors import RunError
from gnnviz.layers import Linear
from gnnviz.logistic_regression import fit_head
from gnnviz.node_sets import NodeSets
from gnnviz.stack import Stack
from gnnviz.torch_graph import TorchGraph


@torch.no_grad()
def evaluate(
    model: Stack, graph: TorchGraph, sets: NodeSets, epoch: int, *, fits_head: bool
) -> tuple[list[float], list[float]]:
    """Return mean cross-entropies in nats, and accuracies in 0..1, each on train, val and test.

    Every node is given all its neighbours, and nothing is dropped.

    Args:
        model: to be measured.
        graph: all of it.
        sets: its three sets of nodes.
        epoch: that has just been trained, for errors.
        fits_head: whether the head, one linear layer, becomes the logistic regression that reads the
            training nodes' classes off the embeddings first.

    Raises:
        RunError: a number is infinite or undefined.
    """
    model.eval()
    logits = _fitted_logits(model, graph, sets, epoch) if fits_head else model(graph.x, graph)  # [N, C]
    sums = sets.sums(logits).tolist()  # [6]
    if not all(map(math.isfinite, sums)):
        raise not_finite(model, graph, epoch, "the loss")
    means = [total / size for total, size in zip(sums, sets.sizes * 2, strict=True)]
    return means[:3], means[3:]


@torch.no_grad()
def not_finite(model: Stack, graph: TorchGraph, epoch: int, what: str) -> RunError:
    """Return the error that names the first layer whose output is not finite, or else `what`."""
    for layer, h in enumerate(model.hidden_states(graph.x, graph)):
        if not h.isfinite().all():
            what = f"layer {layer}'s output"
            break
    return RunError(
        f"{what} is not finite at epoch {epoch}: the numbers grew too large; "
        "choose a lower learning rate, fewer layers or normalised features"
    )


def _fitted_logits(model: Stack, graph: TorchGraph, sets: NodeSets, epoch: int) -> Tensor:
    embeddings = model.embeddings(graph.x, graph)
    known = embeddings.index_select(0, sets.train_nodes)  # [T, H]
    if not known.isfinite().all():
        raise not_finite(model, graph, epoch, "an embedding")
    (head,) = model.head
    fit_head(cast(Linear, head), known, sets.train_labels)
    return model.classify(embeddings)
