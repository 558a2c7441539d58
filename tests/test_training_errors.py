"""What training refuses, and how it says so: graphs, devices, states, numbers and memory."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gnnviz.datasets import load_graph
from gnnviz.errors import ConfigError, DatasetError, RunError
from gnnviz.graph import Graph
from gnnviz.layers import dense_gat
from gnnviz.models import ModelConfig
from gnnviz.training import TrainConfig, Training, initial_model, torch_device, train

GCN = ModelConfig("gcn", num_layers=3, hidden_channels=8, dropout=0.5)
GAT = ModelConfig("gat", num_layers=2, hidden_channels=8, heads=2, dropout=0.4, attention_dropout=0.3)
TRAINING = TrainConfig(epochs=14, learning_rate=0.02, seed=3)


NODES = np.arange(40)
GRAPH = Graph(
    x=np.random.default_rng(0).random((40, 12)),
    edge_index=np.stack([NODES, (NODES + 1) % 40]),
    y=NODES % 2,
    train_mask=NODES < 10,
    val_mask=(NODES >= 10) & (NODES < 20),
    test_mask=NODES >= 20,
)


def begin(model: ModelConfig = GCN, training: TrainConfig = TRAINING, graph: Graph = GRAPH) -> Training:
    return train(initial_model(model, training.seed, graph.num_features, 2), graph, training)


def assert_same(arrays, others) -> None:
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": None}, "the graph has no labels"),
        ({"train_mask": None}, "the graph has no training nodes; choose a split"),
        ({"val_mask": None}, "the graph has no validation nodes"),
        ({"test_mask": None}, "the graph has no test nodes"),
        ({"val_mask": np.zeros(40, dtype=bool)}, "the graph has no validation nodes"),
        ({"train_mask": NODES % 8 == 0}, "the 5 training nodes are all of one class"),
        ({"y": np.zeros(40, dtype=int)}, "the 10 training nodes are all of one class"),
    ],
)
def test_a_graph_that_cannot_be_trained_on_is_refused_at_once(change, words):
    model = initial_model(GCN, 0, GRAPH.num_features, 2)
    with pytest.raises(DatasetError, match=words):
        train(model, replace(GRAPH, **change), TRAINING)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    assert torch_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch finds no CUDA device on this machine; choose cpu"):
        torch_device("cuda")


def test_a_graph_on_another_device_than_the_model_is_refused():
    model = initial_model(GCN, 0, GRAPH.num_features, 2).to("meta")
    with pytest.raises(ConfigError, match="the model is on meta, the graph on cpu; move one"):
        train(model, GRAPH.to_torch(), TRAINING)


@pytest.mark.parametrize("other", [replace(GCN, hidden_channels=4), replace(GCN, num_layers=2), GAT])
def test_a_state_of_another_model_is_refused(other):
    state = begin().state()
    with pytest.raises(RunError, match="the saved state is of another model or device"):
        train(initial_model(other, 0, GRAPH.num_features, 2), GRAPH, TRAINING, resume=state)


def test_numbers_that_grow_too_large_are_reported_with_the_layer_where_it_began():
    # One step of Adam moves every weight by 1e30: layer 1 gives 1e30, layer 2 what float32 cannot hold.
    with pytest.raises(RunError, match=r"layer 2's output is not finite at epoch 1: .* lower learning rate"):
        next(begin(replace(GCN, dropout=0.0), replace(TRAINING, learning_rate=1e30)))
    loud = replace(GRAPH, x=np.full((40, 12), 3e38, dtype=np.float32))
    with pytest.raises(RunError, match=r"layer 1's output is not finite at epoch 1: .* normalised features"):
        next(begin(graph=loud))


def test_a_gradient_that_is_not_finite_is_reported_before_it_spoils_the_weights():
    training = begin()
    next(training)
    bias = training._model.layers[1].bias
    bias.register_hook(lambda gradient: gradient * math.inf)
    before = training.weights()
    with pytest.raises(RunError, match="the gradient of layer 2 is not finite at epoch 2"):
        next(training)
    assert_same(training.weights(), before)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"),
            "2.50 GiB more",
        ),
        (MemoryError("Unable to allocate"), "of 8 channels; lower the depth"),
    ],
)
def test_too_little_memory_is_reported_with_what_was_asked_for(monkeypatch, error, words):
    training = begin()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(training._model, "forward", fail)
    with pytest.raises(RunError, match=f"memory is too small for an epoch of 3 layers .*{words}"):
        next(training)


def test_torchs_own_words_for_too_little_memory_on_a_cpu_are_understood(monkeypatch):
    training = begin()
    monkeypatch.setattr(training._model, "forward", lambda *_: torch.empty(2**58))
    with pytest.raises(RunError, match=rf"memory is too small .*\({2**60} bytes more were asked for\)"):
        next(training)


def test_an_error_that_is_a_bug_passes_through(monkeypatch):
    training = begin()
    monkeypatch.setattr(training._model, "forward", lambda *_: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        next(training)


def test_dense_attention_that_would_not_fit_is_refused_before_training(monkeypatch):
    monkeypatch.setattr(dense_gat, "available_memory", lambda _device: 1000)
    model = initial_model(ModelConfig("gat", 2, 8, heads=4, attention_form="dense"), 0, 34, 2)
    with pytest.raises(ConfigError, match=r"dense attention over 34 x 34 nodes and 4 heads needs about"):
        train(model, load_graph("karate"), TrainConfig())
