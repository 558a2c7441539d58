"""Training against hand-made steps, and a continued training against an uninterrupted one, to the bit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import sparse

from gnnviz.config import RunConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import RunError
from gnnviz.graph import Graph
from gnnviz.models import ModelConfig
from gnnviz.node_sets import NodeSets
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.runs import Owner, RunStore
from gnnviz.seeding import stream_seed
from gnnviz.training import TrainConfig, Training, initial_model, seed_torch, torch_device, train

GCN = ModelConfig("gcn", num_layers=3, hidden_channels=8, dropout=0.5)
GAT = ModelConfig("gat", num_layers=2, hidden_channels=8, heads=2, dropout=0.4, attention_dropout=0.3)
TRAINING = TrainConfig(epochs=14, learning_rate=0.02, seed=3)


def two_groups(num_nodes: int = 40) -> Graph:
    """Return a graph of two groups, joined mostly within, with words that tell them apart a little."""
    rng = np.random.default_rng(0)
    y = np.arange(num_nodes) % 2
    chances = np.where(y[:, None] == y, 0.3, 0.05)
    words = rng.random((num_nodes, 12)) < 0.2 + 0.3 * (y[:, None] == np.arange(12) % 2)
    part = np.arange(num_nodes) // 2 % 4
    return Graph(
        x=sparse.csr_array(words.astype(np.float32)),
        edge_index=np.array(np.nonzero(rng.random((num_nodes, num_nodes)) < chances)),
        y=y,
        train_mask=part == 0,
        val_mask=part == 1,
        test_mask=part >= 2,
    )


GRAPH = two_groups()


def begin(model: ModelConfig = GCN, training: TrainConfig = TRAINING, graph: Graph = GRAPH) -> Training:
    return train(initial_model(model, training.seed, graph.num_features, 2), graph, training)


def untimed(records) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in records]


def assert_same(arrays, others) -> None:
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


@pytest.mark.parametrize("model", [GCN, GAT], ids=["gcn", "gat"])
@pytest.mark.parametrize("cut", [0, 1, 5, 13, 14])
def test_a_continued_training_equals_an_uninterrupted_one_to_the_bit(model, cut):
    whole = begin(model)
    expected = untimed(whole)
    first = begin(model)
    records = untimed(next(first) for _ in range(cut))
    state = first.state()
    next(first, None)  # what happens to the first after that must not matter
    torch.manual_seed(99)
    other_weights = initial_model(model, 77, GRAPH.num_features, 2)
    second = train(other_weights, GRAPH, TRAINING, resume=state)
    if cut == 0:
        # A state before the first epoch holds the initial weights and the seed's random states.
        assert second.best is None
    records += untimed(second)
    assert records == expected
    assert [record.epoch for record in records] == list(range(1, 15))
    assert_same(second.weights(), whole.weights())
    assert_same(second.best_weights(), whole.best_weights())
    assert_same(second.state().tensors, whole.state().tensors)
    assert replace(second.state(), tensors={}) == replace(whole.state(), tensors={})


def test_a_training_continued_from_the_store_stops_early_where_an_uninterrupted_one_does(tmp_path):
    training = replace(TRAINING, epochs=400, learning_rate=0.05, patience=6)
    whole = begin(training=training)
    expected = untimed(whole)
    assert 6 < len(expected) < 400
    store = RunStore(tmp_path)
    config = RunConfig(DatasetSpec(), GCN, training)
    store.claim(config, Owner.current())
    records, state = [], None
    while True:  # one epoch a process
        model = initial_model(GCN, 1 if state else training.seed, GRAPH.num_features, 2)
        training_of_one = train(model, GRAPH, training, resume=state)
        record = next(training_of_one, None)
        if record is None:
            break
        records.append(replace(record, seconds=0.0))
        store.save_state(config.run_id, training_of_one.state())
        state = store.load_state(config.run_id)
    assert records == expected
    assert_same(training_of_one.weights(), whole.weights())
    assert training_of_one.best == whole.best


def test_trainings_that_take_turns_do_not_disturb_each_other_nor_torch():
    alone, other_alone = untimed(begin()), untimed(begin(GAT))
    one, other = begin(), begin(GAT)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    pairs = [(next(one), next(other)) for _ in range(TRAINING.epochs)]
    assert torch.equal(torch.get_rng_state(), before)
    assert untimed(pair[0] for pair in pairs) == alone
    assert untimed(pair[1] for pair in pairs) == other_alone


def test_a_seed_decides_the_training_and_another_seed_makes_another():
    assert untimed(begin()) == untimed(begin())
    assert untimed(begin()) != untimed(begin(training=replace(TRAINING, seed=4)))


def test_streams_of_a_seed_are_different_and_seed_torch_uses_them():
    seeds = {stream_seed(seed, stream) for seed in range(50) for stream in range(2)}
    assert len(seeds) == 100
    seed_torch(7, 1)
    drawn = torch.rand(4)
    torch.manual_seed(stream_seed(7, 1))
    assert torch.equal(torch.rand(4), drawn)


@pytest.mark.parametrize("decay_on", ["first", "all"])
def test_epochs_equal_steps_made_by_hand(decay_on):
    config = replace(TRAINING, epochs=5, weight_decay=0.1, decay_on=decay_on)
    model = replace(GCN, dropout=0.0)
    records = list(begin(model, config))
    by_hand = initial_model(model, config.seed, GRAPH.num_features, 2).double()
    x, y = torch.tensor(GRAPH.x.toarray()).double(), torch.tensor(GRAPH.y)
    edges = torch.tensor(GRAPH.edge_index)
    masks = {name: torch.tensor(getattr(GRAPH, f"{name}_mask")) for name in ("train", "val", "test")}
    layers = [list(layer.parameters()) for layer in by_hand.layers]
    moments = {p: [torch.zeros_like(p), torch.zeros_like(p)] for p in by_hand.parameters()}
    for step, record in enumerate(records, start=1):
        loss = F.cross_entropy(by_hand(x, edges)[masks["train"]], y[masks["train"]])
        gradients = [torch.autograd.grad(loss, layer, retain_graph=True) for layer in layers]
        assert record.objective == pytest.approx(loss.item(), rel=1e-4)
        norms = [math.sqrt(sum(float((g**2).sum()) for g in layer)) for layer in gradients]
        assert record.grad_norms == pytest.approx(norms, rel=1e-3)
        for number, (layer, slopes) in enumerate(zip(layers, gradients, strict=True)):
            decay = 0.1 if number == 0 or decay_on == "all" else 0.0
            for parameter, slope in zip(layer, slopes, strict=True):
                first, second = moments[parameter]
                slope = slope + decay * parameter.detach()
                first.mul_(0.9).add_(0.1 * slope)
                second.mul_(0.999).add_(0.001 * slope**2)
                divisor = (second / (1 - 0.999**step)).sqrt() + 1e-8
                parameter.data -= config.learning_rate * first / (1 - 0.9**step) / divisor
        logits = by_hand(x, edges).detach()
        for name, mask in masks.items():
            loss = float(F.cross_entropy(logits[mask], y[mask]))
            right = float((logits[mask].argmax(dim=1) == y[mask]).double().mean())
            assert getattr(record, f"{name}_loss") == pytest.approx(loss, rel=1e-3), name
            assert getattr(record, f"{name}_acc") == right, name
        norms = [math.sqrt(sum(float((p.detach() ** 2).sum()) for p in layer)) for layer in layers]
        assert record.weight_norms == pytest.approx(norms, rel=1e-4)


def test_losses_and_right_answers_worked_out_on_paper():
    graph = Graph(
        x=np.zeros((5, 1)),
        edge_index=np.zeros((2, 0)),
        y=np.array([0, 1, 0, 1, 1]),
        train_mask=np.array([True, True, False, False, False]),
        val_mask=np.array([False, False, True, False, False]),
        test_mask=np.array([True, False, False, True, True]),  # sets may share nodes
    )
    sets = NodeSets(graph.to_torch())
    assert sets.sizes == [2, 1, 3]
    three = math.log(3)  # against 0: shares 3/4 and 1/4
    logits = torch.tensor([[three, 0], [0, 0], [0, three], [0, three], [three, 0]])
    # cross-entropies: ln 4/3, ln 2, ln 4, ln 4/3, ln 4; node 1 is a tie, which counts for class 0
    right, half, wrong = math.log(4 / 3), math.log(2), math.log(4)
    expected = [right + half, wrong, right + right + wrong, 1, 0, 2]
    assert sets.sums(logits).tolist() == pytest.approx(expected, rel=1e-6)
    assert sets.train_nodes.tolist() == [0, 1]
    assert sets.train_labels.tolist() == [0, 1]


def test_a_model_of_zeros_begins_with_the_loss_of_guessing_and_no_gradient_but_the_last_bias():
    model = initial_model(replace(GCN, dropout=0.0), 0, GRAPH.num_features, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    record = next(train(model, GRAPH, TRAINING))
    assert record.objective == pytest.approx(math.log(2), rel=1e-6)
    # half of the training nodes are of each class: their pulls on the last bias cancel, too
    assert record.grad_norms == (0, 0, pytest.approx(0, abs=1e-7))


def test_the_best_epoch_is_the_first_of_highest_accuracy_then_lowest_loss_and_its_weights_are_kept():
    noisy = replace(GRAPH, y=np.random.default_rng(1).integers(0, 2, 40))  # nothing to learn but noise
    training = begin(training=replace(TRAINING, epochs=60), graph=noisy)
    records = list(training)
    best = max(records, key=lambda record: (record.val_acc, -record.val_loss, -record.epoch))
    assert training.best == BestEpoch(best.epoch, best.val_acc, best.val_loss, best.test_acc)
    assert best.epoch < 60
    model = initial_model(GCN, 0, GRAPH.num_features, 2).eval()
    model.load_state_dict({name: torch.tensor(w) for name, w in training.best_weights().items()})
    graph = noisy.to_torch()
    answers = model(graph.x, graph).argmax(dim=1)
    assert float((answers == graph.y)[graph.test_mask].double().mean()) == best.test_acc


def test_early_stopping_counts_epochs_without_any_new_best():
    standing_still = replace(TRAINING, epochs=50, learning_rate=1e-30, patience=4)
    model = replace(GCN, dropout=0.0)
    assert len(list(begin(model, standing_still))) == 1 + 4  # the first epoch is a best one
    assert len(list(begin(model, replace(standing_still, patience=None)))) == 50


def test_weights_are_copies_that_later_epochs_do_not_change():
    training = begin()
    next(training)
    weights, best, state = training.weights(), training.best_weights(), training.state()
    kept = [
        {name: array.copy() for name, array in arrays.items()} for arrays in (weights, best, state.tensors)
    ]
    for _ in training:
        pass
    for arrays, copies in zip((weights, best, state.tensors), kept, strict=True):
        assert_same(arrays, copies)
    assert any((weights[name] != array).any() for name, array in training.weights().items())


def test_there_are_no_best_weights_before_the_first_epoch():
    training = begin()
    assert training.best is None
    with pytest.raises(RunError, match="no best epoch yet; train one epoch or more"):
        training.best_weights()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_training_is_continued_on_a_gpu():
    def on_gpu(seed: int):
        return initial_model(GCN, seed, GRAPH.num_features, 2).to(torch_device("cuda"))

    whole, first = train(on_gpu(3), GRAPH, TRAINING), train(on_gpu(3), GRAPH, TRAINING)
    for _ in whole:
        pass
    for _ in range(5):
        next(first)
    second = train(on_gpu(8), GRAPH, TRAINING, resume=first.state())
    for _ in second:
        pass
    for name, weights in whole.weights().items():
        np.testing.assert_allclose(second.weights()[name], weights, rtol=1e-3, atol=1e-5)
