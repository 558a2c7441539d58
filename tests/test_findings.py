"""Sentences and numbers above the pictures, computed from what is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_graph
from gnnviz.errors import DatasetError
from gnnviz.findings import (
    chance_levels,
    cosine_finding,
    in_time,
    layer_name,
    purity_finding,
    seconds_left,
    training_finding,
)
from gnnviz.graph import Graph
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.remedies import Remedies
from gnnviz.runs import RunState, RunStatus

CONFIG = RunConfig(DatasetSpec(), ModelConfig("gcn", 4), TrainConfig(epochs=200))
BEST = BestEpoch(epoch=3, val_acc=0.8, val_loss=0.5, test_acc=0.814)


def record(epoch: int, seconds: float) -> EpochRecord:
    return EpochRecord(epoch, 1, 1, 1, 1, 0.5, 0.5, 0.5, (1.0,), (1.0,), seconds)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (RunStatus(RunState.QUEUED), "GCN with 4 layers is waiting for its turn"),
        (RunStatus(RunState.RUNNING), "GCN with 4 layers has not finished an epoch yet"),
        (
            RunStatus(RunState.RUNNING, epochs_done=10, best=BEST),
            "81.4 % of the test nodes right, running at 10 of 200",
        ),
        (
            RunStatus(RunState.DONE, epochs_done=200, best=BEST),
            "GCN with 4 layers gets 81.4 % of the test nodes right",
        ),
        (
            RunStatus(RunState.FAILED, epochs_done=2, best=BEST),
            "GCN with 4 layers failed after 2 of 200 epochs",
        ),
        (RunStatus(RunState.INTERRUPTED, epochs_done=5, best=BEST), "interrupted at 5 of 200 epochs"),
    ],
)
def test_a_run_is_told_by_its_state_and_its_best_epoch(status, sentence):
    assert sentence in training_finding(CONFIG, status).replace("\u202f", " ")


def test_one_layer_is_not_layers():
    single = replace(CONFIG, model=ModelConfig(num_layers=1))
    assert training_finding(single, RunStatus(RunState.QUEUED)).startswith("GCN with 1 layer is")


def test_chance_is_that_of_the_split_on_screen():
    graph = load_graph("cora")
    chance = chance_levels(graph)
    assert chance.majority == pytest.approx(0.309)
    assert chance.uniform == pytest.approx(1 / 7)
    with pytest.raises(DatasetError, match="no labelled test nodes"):
        chance_levels(Graph(np.eye(2), np.array([[0], [1]])))


def test_time_left_is_the_median_pace_times_what_is_left():
    history = [record(1, 9.0), record(2, 0.1), record(3, 0.1)]  # the first epoch of a worker is slow
    assert seconds_left(history, 13) == pytest.approx(1.0)
    assert seconds_left([], 13) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "under a second"),
        (42, "42 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (2129, "35 min"),
        (3580, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_for_people(seconds, words):
    assert in_time(seconds) == words


def test_places_in_a_stack_have_names():
    with_head = ModelConfig("gcn", 2, remedies=Remedies(post_layers=1))
    assert layer_name(2, with_head.num_states) == "hidden layer 2"
    assert [layer_name(layer, 2) for layer in range(3)] == ["the features", "hidden layer 1", "the logits"]
    assert "77.0 %" in purity_finding("the logits", 0.77).replace("\u202f", " ")


def test_alike_pairs_are_those_of_the_last_bin():
    edges = np.linspace(-1, 1, 5)
    sentence = cosine_finding("the logits", edges, np.array([0, 1, 0, 3])).replace("\u202f", " ")
    assert sentence == "In the logits, 75.0 % of all pairs of nodes have a cosine above 0.50"
    assert "no two nodes" in cosine_finding("the logits", edges, np.zeros(4, dtype=np.int64))
