"""A model trained on one graph is used on nodes and graphs that it has never seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from gnnviz.config import TrainConfig
from gnnviz.datasets import load_graph
from gnnviz.graph import Graph
from gnnviz.models import ModelConfig
from gnnviz.remedies import Remedies
from gnnviz.stack import Stack
from gnnviz.training import initial_model, train

SAGE = ModelConfig(
    "sage", num_layers=2, hidden_channels=32, activation="elu", remedies=Remedies(post_layers=1)
)
TRAINING = TrainConfig(epochs=12, learning_rate=0.01, batch_size=128)


def trained_on(graph: Graph, training: TrainConfig) -> Stack:
    model = initial_model(SAGE, training.seed, graph.num_features, graph.num_classes)
    for _ in train(model, graph, training):
        pass
    return model


def accuracy(model: Stack, graph: Graph, nodes: np.ndarray) -> float:
    """Return the share of right answers at some nodes of a graph, all of which the model may look at."""
    model.eval()
    on_device = graph.to_torch()
    with torch.no_grad():
        answers = model(on_device.x, on_device).argmax(dim=1).numpy()
    assert graph.y is not None
    return float(np.mean(answers[nodes] == graph.y[nodes]))


@pytest.mark.parametrize(
    ("training", "least"),
    [
        (TRAINING, 0.75),
        (replace(TRAINING, objective="unsupervised", epochs=3, weight_decay=0.0, batch_size=512), 0.6),
    ],
    ids=["supervised", "unsupervised"],
)
def test_a_model_trained_on_a_part_of_cora_classifies_the_rest(training, least):
    cora = load_graph("cora")
    assert cora.y is not None
    order = np.random.default_rng(0).permutation(cora.num_nodes)
    seen, unseen = np.sort(order[:1500]), order[1500:]
    place = np.arange(1500)
    part = replace(
        cora.subgraph(seen),
        train_mask=place % 5 < 2,
        val_mask=place % 5 == 2,
        test_mask=place % 5 > 2,
    )
    assert sparse.issparse(part.x)
    model = trained_on(part, training)
    chance = np.bincount(cora.y[unseen]).max() / len(unseen)
    assert chance < 0.35
    assert accuracy(model, cora, unseen) > least
    alone = cora.subgraph(unseen)  # and as a graph of their own
    assert accuracy(model, alone, np.arange(alone.num_nodes)) > least - 0.1


def two_groups(seed: int, num_nodes: int) -> Graph:
    """Return a graph of two groups whose features alone tell little of the group."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(num_nodes) % 2)
    chances = np.where(y[:, None] == y, 24, 2) / num_nodes
    part = np.arange(num_nodes) % 4
    return Graph(
        x=rng.normal(size=(num_nodes, 6)).astype(np.float32) + 0.5 * np.where(y, 1, -1)[:, None] / np.sqrt(6),
        edge_index=np.array(np.nonzero(rng.random((num_nodes, num_nodes)) < chances)),
        y=y,
        train_mask=part < 2,
        val_mask=part == 2,
        test_mask=part == 3,
    )


def test_a_model_trained_on_one_graph_classifies_another():
    model = trained_on(two_groups(0, 400), TRAINING)
    other = two_groups(1, 700)
    assert accuracy(model, other, np.arange(700)) > 0.9
    without_edges = replace(other, edge_index=np.zeros((2, 0), dtype=np.int64))
    assert accuracy(model, without_edges, np.arange(700)) < 0.8  # so the graph it had not seen helped
