"""A run in mini-batches that is cancelled within an epoch, and a run that says which nodes it skipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_probe import assert_same_run, undisturbed

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.engine import tasks
from gnnviz.models import ModelConfig
from gnnviz.objectives import PairConfig
from gnnviz.remedies import Remedies
from gnnviz.runs import RunState, RunStore

SAGE = ModelConfig("sage", num_layers=2, hidden_channels=4, remedies=Remedies(post_layers=1))
TRAINING = TrainConfig(epochs=3, batch_size=10, fan_outs=(3, 3))


def test_a_cancelled_run_stops_between_two_batches_and_goes_on_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = RunConfig(DatasetSpec(), SAGE, TRAINING)  # 140 training nodes: 14 batches an epoch
    looks = []

    def asked(store: RunStore, run_id: str) -> bool:
        looks.append(len(store.history(run_id)))
        return len(looks) == 20

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "LOOK_SECONDS", 0.0)
        patch.setattr(RunStore, "cancel_requested", asked)
        store = undisturbed(tmp_path / "cancelled", config)
    status = store.status(config.run_id)
    assert (status.state, status.message) == (RunState.CANCELLED, "cancelled after epoch 1")
    # a look after each batch and each epoch: the 20th is in the second epoch
    assert looks == [0] * 14 + [1] * 6
    state = store.load_state(config.run_id)
    assert state is not None
    assert state.epoch == status.epochs_done == 1
    last = store.load_checkpoint(config.run_id, 1)
    np.testing.assert_array_equal(last["head.0.weight"], state.tensors["model.head.0.weight"])
    continued = undisturbed(tmp_path / "cancelled", config)
    assert continued.status(config.run_id).state is RunState.DONE
    assert_same_run(continued, undisturbed(tmp_path / "whole", config), config.run_id)


def test_a_run_that_had_to_skip_nodes_says_how_many(tmp_path: Path):
    pairs = PairConfig(far_hops=3)
    training = TrainConfig(epochs=1, objective="unsupervised", pairs=pairs)
    config = RunConfig(DatasetSpec("karate", "random"), SAGE, training)
    store = undisturbed(tmp_path, config)
    status = store.status(config.run_id)
    assert status.state is RunState.DONE
    assert status.message == (  # the club's centre: eight members whom nobody is more than 3 hops from
        "8 of 34 nodes have no pair and were skipped: 0 without a neighbour, 8 without a far node"
    )
    too_far = replace(config, training=replace(training, pairs=PairConfig()))
    status = undisturbed(tmp_path, too_far).status(too_far.run_id)
    assert status.state is RunState.FAILED
    assert "lower far_hops" in status.message
