"""Mini-batches against the whole graph where they must agree, and what each batch of an epoch holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from gnnviz.batches import batch_loss, numpy_graph
from gnnviz.config import TrainConfig
from gnnviz.csr import CSR
from gnnviz.errors import ConfigError, RunError
from gnnviz.graph import Graph
from gnnviz.mini_batches import MiniBatches, feature_rows
from gnnviz.models import ModelConfig
from gnnviz.node_sets import NodeSets
from gnnviz.objectives import PairConfig
from gnnviz.pair_losses import pair_loss
from gnnviz.remedies import Remedies
from gnnviz.training import Training, initial_model, train

HEAD = Remedies(post_layers=1)
SAGE = ModelConfig("sage", num_layers=2, hidden_channels=8, dropout=0.0, activation="elu")
CONFIG = TrainConfig(epochs=6, learning_rate=0.02, seed=3, batch_size=7, fan_outs=(3, 2))
ALL = (100, 100)  # more than any node has
FAR = PairConfig(far_hops=2)


def ring(num_nodes: int = 40, *, is_sparse: bool = True) -> Graph:
    """Return a ring with chords and one node on its own; its features are the identity."""
    nodes = np.arange(num_nodes - 1)
    edges = np.concatenate([np.stack([nodes, (nodes + step) % len(nodes)]) for step in (1, 9)], axis=1)
    part = np.arange(num_nodes) // 2 % 4
    x = np.eye(num_nodes, dtype=np.float32)
    return Graph(
        x=sparse.csr_array(x) if is_sparse else x,
        edge_index=edges,
        y=np.arange(num_nodes) % 2,
        train_mask=part < 2,
        val_mask=part == 2,
        test_mask=part == 3,
    )


GRAPH = ring()


def begin(training: TrainConfig, model: ModelConfig = SAGE, graph: Graph = GRAPH) -> Training:
    return train(initial_model(model, training.seed, graph.num_features, 2), graph, training)


def batches_of(training: TrainConfig, graph: Graph = GRAPH, num_layers: int = 2) -> MiniBatches:
    on_device = graph.to_torch()
    return MiniBatches(on_device, graph, NodeSets(on_device), training, num_layers)


def ids_of(batch, count: int) -> np.ndarray:
    """Return the nodes of a batch's first rows, which the identity tells."""
    return batch.x.to_dense().argmax(dim=1).numpy()[:count]


def untimed(records):
    return [replace(record, seconds=0.0) for record in records]


def assert_same(arrays, others) -> None:
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


@pytest.mark.parametrize("aggregator", ["mean", "max"])
@pytest.mark.parametrize("is_sparse", [True, False])
def test_one_batch_of_all_nodes_with_all_neighbours_is_the_whole_graph(aggregator, is_sparse):
    graph, model = ring(is_sparse=is_sparse), replace(SAGE, num_layers=3, aggregator=aggregator)
    whole = begin(replace(CONFIG, batch_size=None, fan_outs=()), model, graph)
    batch = begin(replace(CONFIG, batch_size=40, fan_outs=(100, 100, 100)), model, graph)
    for expected, found in zip(whole, batch, strict=True):
        for name in ("objective", "train_loss", "val_loss", "test_loss", "grad_norms", "weight_norms"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-4), name


def test_a_batchs_loss_of_pairs_is_that_of_the_whole_graphs_embeddings():
    training = replace(CONFIG, objective="both", pairs=FAR, fan_outs=ALL, batch_size=9)
    model = initial_model(replace(SAGE, remedies=HEAD), 0, 40, 2)
    whole = GRAPH.to_torch()
    embeddings = model.embeddings(whole.x, whole)
    count = 0
    for batch in batches_of(training).of_epoch(1):
        ids = torch.tensor(ids_of(batch, batch.graph[-1].num_targets))
        rows = batch.pairs
        pairs = (ids[rows.starts], ids[rows.near], ids[rows.far])
        expected = pair_loss("both", embeddings, *pairs, FAR)
        known = ids[batch.labelled.rows]
        assert torch.equal(batch.labelled.labels, torch.tensor(GRAPH.y)[known])
        expected = expected + torch.nn.functional.cross_entropy(
            model.classify(embeddings)[known], batch.labelled.labels
        )
        found = batch_loss(model, batch, training)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
        for start, near, far in zip(*(part.tolist() for part in pairs), strict=True):
            distance = GRAPH.k_hop([start], 100)
            assert (distance[near] == 1).all()
            assert ((distance[far] > 2) | (distance[far] < 0)).all()
        count += 1
    assert count == 5


def test_an_epoch_goes_over_the_training_nodes_once_in_an_order_of_its_own():
    batches = batches_of(CONFIG)
    epochs = []
    for epoch in (1, 2, 1):
        nodes = [ids_of(batch, 7)[batch.labelled.rows.numpy()] for batch in batches.of_epoch(epoch)]
        assert [len(part) for part in nodes] == [7, 7, 6]
        epochs.append(np.concatenate(nodes))
        np.testing.assert_array_equal(np.sort(epochs[-1]), np.flatnonzero(GRAPH.train_mask))
    assert (epochs[0] != epochs[1]).any()
    np.testing.assert_array_equal(epochs[0], epochs[2])
    other = next(batches_of(replace(CONFIG, seed=4)).of_epoch(1))
    assert (ids_of(other, 7)[other.labelled.rows.numpy()] != epochs[0][:7]).any()


def test_without_labels_an_epoch_goes_over_the_starts_and_counts_those_it_skips():
    batches = batches_of(replace(CONFIG, objective="unsupervised", pairs=FAR))
    starts = [
        ids_of(batch, batch.graph[-1].num_targets)[batch.pairs.starts.numpy()]
        for batch in batches.of_epoch(1)
    ]
    np.testing.assert_array_equal(np.sort(np.concatenate(starts)), np.arange(39))  # 39 is on its own
    assert batches.skipped.starts == 40
    assert batches.skipped.without_neighbour == 1
    training = begin(
        replace(CONFIG, objective="unsupervised", pairs=FAR, epochs=1), replace(SAGE, remedies=HEAD)
    )
    next(training)
    assert training.skipped == batches.skipped


def test_layers_see_no_more_neighbours_than_the_fan_outs_of_their_own():
    for batch in batches_of(CONFIG).of_epoch(1):
        first, last = batch.graph
        drawn = [torch.bincount(hop.operators.edge_index[1]) for hop in (first, last)]
        assert int(drawn[0].max()) == 2  # of 4 neighbours: the second fan-out serves the first layer
        assert int(drawn[1].max()) == 3
        assert last.operators.num_nodes == first.num_targets
        assert first.operators.num_nodes == batch.x.shape[0]
    usual = next(batches_of(replace(CONFIG, fan_outs=())).of_epoch(1))
    assert int(torch.bincount(usual.graph[0].operators.edge_index[1]).max()) == 4


def test_rows_of_sparse_features_equal_those_of_dense_ones():
    generator = torch.Generator().manual_seed(0)
    dense = torch.rand(9, 5, generator=generator) * (torch.rand(9, 5, generator=generator) < 0.4)
    dense[3] = 0
    nodes = torch.tensor([3, 8, 0, 8, 3, 5])
    rows = feature_rows(CSR.from_torch(dense), nodes)
    assert isinstance(rows, CSR)
    assert torch.equal(rows.to_dense(), dense[nodes])
    assert torch.equal(feature_rows(dense, nodes), dense[nodes])
    ones = feature_rows(CSR.from_torch(dense).with_values(None), nodes)
    assert torch.equal(ones.to_dense(), (dense[nodes] != 0).float())


def test_a_graph_that_is_on_a_device_already_gives_the_same_batches():
    structure = numpy_graph(GRAPH.to_torch())
    np.testing.assert_array_equal(structure.edge_index, GRAPH.edge_index)
    np.testing.assert_array_equal(structure.train_mask, GRAPH.train_mask)
    model = initial_model(SAGE, CONFIG.seed, 40, 2)
    assert untimed(train(model, GRAPH.to_torch(), CONFIG)) == untimed(begin(CONFIG))


@pytest.mark.parametrize("objective", ["supervised", "unsupervised", "both"])
def test_a_continued_training_in_batches_equals_an_uninterrupted_one_to_the_bit(objective):
    training = replace(CONFIG, objective=objective, pairs=FAR)
    model = replace(SAGE, dropout=0.4, remedies=Remedies(post_layers=1, drop_edge=0.3))
    whole = begin(training, model)
    expected = untimed(whole)
    first = begin(training, model)
    records = untimed(next(first) for _ in range(2))
    state = first.state()
    torch.manual_seed(5)
    second = train(initial_model(model, 8, 40, 2), GRAPH, training, resume=state)
    records += untimed(second)
    assert records == expected
    assert_same(second.state().tensors, whole.state().tensors)


def test_leaving_within_an_epoch_takes_its_steps_back():
    whole = untimed(begin(CONFIG))
    training = begin(replace(CONFIG, epochs=2))
    steps = training.steps()
    seen = [next(steps) for _ in range(4)]
    assert seen[:3] == [None, None, None]  # 20 training nodes, 7 at a time
    assert untimed(seen[3:]) == whole[:1]
    after_one = training.state()
    outside = torch.get_rng_state()
    assert [next(steps), next(steps)] == [None, None]
    assert torch.equal(torch.get_rng_state(), outside)
    assert (
        training.weights()["layers.0.lin_r.weight"] != after_one.tensors["model.layers.0.lin_r.weight"]
    ).any()
    steps.close()
    assert training.epoch == 1
    assert_same(training.state().tensors, after_one.tensors)
    assert untimed([next(training)]) == whole[1:2]
    assert next(training, None) is None


def test_a_whole_graph_is_one_step_that_nobody_leaves():
    assert None not in list(begin(replace(CONFIG, batch_size=None, fan_outs=())).steps())


def test_too_little_memory_for_a_batch_is_said_in_words(monkeypatch):
    training = begin(CONFIG)

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("gnnviz.mini_batches.feature_rows", fail)
    with pytest.raises(RunError, match="memory is too small for an epoch of 2 layers"):
        next(training)


def test_what_cannot_be_trained_in_batches_is_refused():
    with pytest.raises(ConfigError, match="batch_size is 7, but GCN is trained on the whole graph"):
        begin(replace(CONFIG, fan_outs=()), ModelConfig("gcn"))
    with pytest.raises(ConfigError, match="got 2 fan_outs for 3 layers"):
        begin(CONFIG, replace(SAGE, num_layers=3))
