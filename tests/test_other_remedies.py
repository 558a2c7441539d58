"""Rows of the same recipe with other remedies: which runs are in them, and their means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.models import MODELS, ModelConfig
from gnnviz.other_remedies import PLAIN, rows_with_other_remedies
from gnnviz.records import BestEpoch
from gnnviz.remedies import REMEDIES, Remedies
from gnnviz.run_status import RunStatus
from gnnviz.runs import RunState
from gnnviz.sweeps import sweep

BASE = RunConfig(DatasetSpec("karate", "leaders"), ModelConfig("gcn", 4, 8), TrainConfig(epochs=5))
JUMPING = Remedies(jumping="concat")


def with_remedy(depth: int, remedies: Remedies, seed: int = 0) -> RunConfig:
    model = replace(BASE.model, num_layers=depth, remedies=remedies)
    return replace(BASE, model=model, training=replace(BASE.training, seed=seed))


def done(accuracy: float, state: RunState = RunState.DONE) -> RunStatus:
    best = BestEpoch(epoch=1, val_acc=accuracy, val_loss=1.0, test_acc=accuracy)
    return RunStatus(state=state, best=best, epochs_done=5)


def test_a_row_is_the_mean_of_each_depth_and_leaves_out_what_is_not_of_the_recipe() -> None:
    runs = {
        with_remedy(2, JUMPING): done(0.5),
        with_remedy(2, JUMPING, seed=1): done(0.7),
        with_remedy(8, JUMPING): done(0.4),
        with_remedy(8, JUMPING, seed=1): done(0.1, RunState.RUNNING),
        with_remedy(4, Remedies()): done(0.9),
        replace(
            with_remedy(4, JUMPING), model=replace(BASE.model, hidden_channels=16, remedies=JUMPING)
        ): done(0.2),
    }
    (row,) = rows_with_other_remedies(BASE, runs)
    assert (row.label, row.kind) == (JUMPING.label, "your runs")
    assert dict(row.accuracies) == pytest.approx({2: 0.6, 8: 0.4})
    assert row.note == "the mean over 1 to 2 seeds"
    of_jumping = replace(BASE, model=replace(BASE.model, remedies=JUMPING))
    (plain,) = rows_with_other_remedies(of_jumping, runs)
    assert (plain.label, dict(plain.accuracies)) == (PLAIN, {4: 0.9})


def test_a_sweep_tries_each_remedy_by_itself_where_it_can_be_had() -> None:
    runs = sweep(BASE, ["gcn", "sgc"], [1, 4], 1, ["jumping_concat", "drop_edge", "residual"])
    tried = [(run.model.model, run.model.num_layers, run.model.remedies.label) for run in runs]
    assert tried == [
        ("gcn", 1, ""),
        ("gcn", 1, "DropEdge 0.5"),
        ("sgc", 1, ""),
        ("sgc", 1, "DropEdge 0.5"),
        ("gcn", 4, ""),
        ("gcn", 4, "JK concat"),
        ("gcn", 4, "DropEdge 0.5"),
        ("gcn", 4, "residual"),
        ("sgc", 4, ""),
        ("sgc", 4, "DropEdge 0.5"),
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_swept_with_every_remedy(model: str) -> None:
    for depth in (1, 2, 64):
        assert sweep(BASE, [model], [depth], 1, list(REMEDIES))
