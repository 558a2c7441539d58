"""Training with pairs: what the layers may see, what the head becomes, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gnnviz.config import TrainConfig
from gnnviz.errors import ConfigError, DatasetError, RunError
from gnnviz.graph import Graph
from gnnviz.logistic_regression import LinearMap, fit_logistic_regression
from gnnviz.models import ModelConfig
from gnnviz.objectives import OBJECTIVES, PairConfig
from gnnviz.remedies import Remedies
from gnnviz.training import Training, initial_model, train

HEAD = Remedies(post_layers=1)
GCN = ModelConfig("gcn", num_layers=2, hidden_channels=8, dropout=0.3, activation="elu", remedies=HEAD)
GAT = replace(GCN, model="gat", heads=2)
PAIRS = PairConfig(far_hops=3)
TRAINING = TrainConfig(epochs=8, learning_rate=0.02, seed=3, objective="unsupervised", pairs=PAIRS)
NODES = np.arange(40)
GRAPH = Graph(
    x=np.random.default_rng(0).random((40, 12)),
    edge_index=np.stack([NODES[:-1], NODES[:-1] + 1]),
    y=NODES // 20,
    train_mask=NODES % 4 < 2,
    val_mask=NODES % 4 == 2,
    test_mask=NODES % 4 == 3,
)


def begin(training: TrainConfig = TRAINING, model: ModelConfig = GCN, graph: Graph = GRAPH) -> Training:
    return train(initial_model(model, training.seed, graph.num_features, 2), graph, training)


def untimed(records):
    return [replace(record, seconds=0.0) for record in records]


def weights_after(training: Training) -> dict[str, np.ndarray]:
    for _ in training:
        pass
    return training.weights()


@pytest.mark.parametrize("objective", [name for name, spec in OBJECTIVES.items() if not spec.uses_labels])
def test_the_layers_never_see_a_label(objective):
    training = replace(TRAINING, objective=objective)
    others = replace(GRAPH, y=np.random.default_rng(1).integers(0, 2, 40))
    one, other = weights_after(begin(training)), weights_after(begin(training, graph=others))
    for name, weights in one.items():
        is_same = (weights == other[name]).all()
        assert is_same != name.startswith("head."), name


def test_with_labels_too_the_layers_see_them():
    training = replace(TRAINING, objective="both")
    others = replace(GRAPH, y=np.random.default_rng(1).integers(0, 2, 40))
    one, other = weights_after(begin(training)), weights_after(begin(training, graph=others))
    assert (one["layers.0.lin.weight"] != other["layers.0.lin.weight"]).any()


@pytest.mark.parametrize("jumping", ["none", "concat"])
def test_the_head_is_the_logistic_regression_on_the_frozen_embeddings(jumping):
    training = begin(model=replace(GCN, remedies=Remedies(post_layers=1, jumping=jumping)))
    record = list(training)[-1]
    model, graph = training._model.eval(), GRAPH.to_torch()
    with torch.no_grad():
        embeddings = model.embeddings(graph.x, graph).double().numpy()
        answers = model(graph.x, graph).argmax(dim=1).numpy()
    start = LinearMap(np.zeros((2, embeddings.shape[1])), np.zeros(2))
    known = GRAPH.train_mask
    fitted = fit_logistic_regression(embeddings[known], GRAPH.y[known], start)
    np.testing.assert_allclose(training.weights()["head.0.weight"], fitted.weight, rtol=0.02, atol=2e-3)
    assert record.test_acc == np.mean((answers == GRAPH.y)[GRAPH.test_mask])
    # the head is not trained, but has weights
    assert record.grad_norms[-1] == 0
    assert record.weight_norms[-1] > 0
    assert len(record.grad_norms) == len(record.weight_norms) == 3


@pytest.mark.parametrize("objective", [name for name, spec in OBJECTIVES.items() if spec.uses_pairs])
@pytest.mark.parametrize("cut", [0, 3])
def test_a_continued_training_with_pairs_equals_an_uninterrupted_one_to_the_bit(objective, cut):
    training = replace(TRAINING, objective=objective)
    whole = begin(training, GAT)
    expected = untimed(whole)
    first = begin(training, GAT)
    records = untimed(next(first) for _ in range(cut))
    second = train(initial_model(GAT, 77, 12, 2), GRAPH, training, resume=first.state())
    records += untimed(second)
    assert records == expected
    for name, array in whole.state().tensors.items():
        np.testing.assert_array_equal(second.state().tensors[name], array, err_msg=name)


def test_pairs_are_drawn_anew_in_each_epoch_and_for_each_seed():
    still = replace(TRAINING, learning_rate=1e-30, epochs=3)
    model = replace(GCN, dropout=0.0)
    objectives = [record.objective for record in begin(still, model)]
    assert len(set(objectives)) == 3  # of the same embeddings
    weights = initial_model(model, 0, 12, 2)
    one, other = (next(train(weights, GRAPH, replace(still, seed=seed))).objective for seed in (0, 1))
    assert one != other


def test_embeddings_of_zeros_have_the_loss_of_a_coin():
    model = initial_model(replace(GCN, dropout=0.0), 0, 12, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    record = next(train(model, GRAPH, TRAINING))
    assert record.objective == pytest.approx(11 * math.log(2), rel=1e-6)
    assert record.grad_norms == (0, 0, 0)
    assert record.test_loss == pytest.approx(math.log(2), rel=1e-3)  # as many nodes of each class


def test_pairs_may_start_at_the_training_nodes_alone():
    training = replace(TRAINING, pairs=replace(PAIRS, nodes="training"))
    assert untimed(begin(training)) != untimed(begin())
    started = begin(training)
    next(started)
    assert started.skipped.starts == 20


def test_what_has_no_embeddings_or_no_plain_head_is_refused():
    bare = replace(GCN, remedies=Remedies())
    for objective in ("unsupervised", "max_margin", "both"):
        with pytest.raises(ConfigError, match=f"'{objective}' trains embeddings, and GCN .* set post_layers"):
            begin(replace(TRAINING, objective=objective), bare)
    deep = replace(GCN, remedies=Remedies(post_layers=2))
    with pytest.raises(ConfigError, match=r"its head is a logistic regression: one linear layer"):
        begin(TRAINING, deep)
    with pytest.raises(ConfigError, match="set post_layers to 1 and output_elu to False"):
        begin(TRAINING, replace(GAT, output_elu=True))
    next(begin(replace(TRAINING, objective="both"), deep))


def test_a_graph_without_far_nodes_is_refused_at_once():
    with pytest.raises(DatasetError, match=r"largest distance found is 39.*lower far_hops"):
        begin(replace(TRAINING, pairs=PairConfig(far_hops=39)))


def test_an_embedding_that_is_not_finite_is_reported():
    with pytest.raises(RunError, match=r"layer \d's output is not finite at epoch 1"):
        next(begin(replace(TRAINING, learning_rate=1e30), replace(GCN, dropout=0.0)))
