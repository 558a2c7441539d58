"""Sweeps: which runs they are, which are missing, which belong to one recipe, and how long they take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import ConfigError
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch
from gnnviz.runs import Owner, RunState, RunStatus, RunStore
from gnnviz.sweeps import (
    depth_points,
    in_recipe,
    of_one_recipe,
    opening_sweep,
    seconds_to_train,
    sweep,
    sweep_plan,
    sweep_seconds_left,
    usual_heads,
)

BASE = RunConfig(DatasetSpec("karate", "leaders"), ModelConfig("gcn", 2, 64), TrainConfig(epochs=10))
GAT = ModelConfig("gat", 2, 64, heads=4, output_heads=2, attention_dropout=0.6)


def seeded(config: RunConfig, seed: int) -> RunConfig:
    return replace(config, training=replace(config.training, seed=seed))


def test_a_sweep_is_every_model_depth_and_seed_once_shallow_first():
    configs = sweep(seeded(BASE, 5), ["gcn", "mlp"], [4, 1, 4], 2)
    assert [(run.model.model, run.model.num_layers, run.training.seed) for run in configs] == [
        ("gcn", 1, 5), ("mlp", 1, 5), ("gcn", 4, 5), ("mlp", 4, 5),
        ("gcn", 1, 6), ("mlp", 1, 6), ("gcn", 4, 6), ("mlp", 4, 6),
    ]  # fmt: skip
    assert len({run.run_id for run in configs}) == 8
    assert {replace(run, model=BASE.model, training=BASE.training) for run in configs} == {BASE}


def test_the_opening_sweep_is_a_sweep_of_its_first_run():
    opening = opening_sweep("cpu", 1)
    assert sweep(opening[0], ["gcn"], [2, 4, 8, 16, 32], 1) == opening


def test_what_no_worker_can_train_is_refused():
    with pytest.raises(ConfigError, match="num_layers is 65"):
        sweep(BASE, ["gcn"], [65], 1)
    with pytest.raises(ConfigError, match="unknown model 'gnc'"):
        sweep(BASE, ["gnc"], [2], 1)


def test_attention_comes_and_goes_with_the_model():
    assert in_recipe(BASE.model, "gat", 8) == ModelConfig("gat", 8, 64, heads=8)
    assert in_recipe(GAT, "gcn", 8) == ModelConfig("gcn", 8, 64)
    assert in_recipe(GAT, "gat", 8) == replace(GAT, num_layers=8)


@pytest.mark.parametrize(("channels", "heads"), [(64, 8), (16, 8), (12, 12), (7, 7), (34, 2), (1, 1)])
def test_heads_are_eight_or_the_most_that_divide(channels, heads):
    assert usual_heads(channels) == heads


def test_one_recipe_differs_in_model_depth_and_seed_only():
    same = sweep(BASE, ["gcn", "gat"], [1, 3], 2)
    other = [
        replace(BASE, dataset=DatasetSpec("karate", "random")),
        replace(BASE, model=replace(BASE.model, dropout=0.1)),
        replace(BASE, model=GAT),  # GAT, but with heads that the recipe would not have given it
        replace(BASE, training=replace(BASE.training, weight_decay=0.0)),
    ]
    assert of_one_recipe(BASE, [*other, *same]) == same
    assert of_one_recipe(same[-1], [*other, *same]) == same


def test_a_seed_on_two_devices_counts_once():
    assert of_one_recipe(BASE, [BASE, replace(BASE, threads=4), replace(BASE, device="cuda")]) == (BASE,)


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


def put(store: RunStore, config: RunConfig, state: RunState) -> None:
    store.claim(config, Owner.current())
    store.write_status(config.run_id, replace(store.status(config.run_id), state=state))


def test_a_plan_tells_new_from_begun_and_queues_only_what_is_missing(store):
    runs = sweep(BASE, ["gcn"], [1, 2, 3, 4, 5, 6], 1)
    states = [RunState.DONE, RunState.RUNNING, RunState.QUEUED, RunState.CANCELLED, RunState.FAILED]
    for run, state in zip(runs, states, strict=False):
        put(store, run, state)
    plan = sweep_plan(store.look(), runs)
    assert (plan.done, plan.active, plan.stopped, plan.new) == (runs[:1], runs[1:3], runs[3:5], runs[5:])
    assert plan.missing == runs[3:]
    assert (plan.waiting, plan.paused) == (runs[2:3], ())
    assert {run: status.state for run, status in plan.statuses.items()} == dict(
        zip(runs[:5], states, strict=True)
    )


def test_a_plan_knows_what_is_paused_in_the_order_of_its_queue(store):
    runs = sweep(BASE, ["gcn"], [1, 2, 3], 1)
    for run, queued_at in zip(runs, (3.0, 1.0, 2.0), strict=True):
        put(store, run, RunState.QUEUED)
        store.write_status(run.run_id, replace(store.status(run.run_id), queued_at=queued_at))
        store.request_cancel(run.run_id, pause=run != runs[2])
    plan = sweep_plan(store.look(), runs)
    assert (plan.stopped, plan.paused) == (runs, (runs[1], runs[0]))


def test_seeds_share_a_point_and_each_model_has_its_own():
    runs = sweep(BASE, ["gcn", "mlp"], [2], 2)
    accuracies = [0.8, 0.4, 0.6, 0.5]
    statuses = [RunStatus(RunState.DONE, best=BestEpoch(1, 0.5, 1.0, value)) for value in accuracies]
    points = depth_points(runs, statuses, {runs[0].run_id: 0.1, runs[2].run_id: 0.0})
    assert [(point.model, point.accuracies, point.smoothness) for point in points] == [
        ("gcn", (0.8, 0.6), (0.1, 0.0)),
        ("mlp", (0.4, 0.5), ()),
    ]


def test_time_follows_from_layers_epochs_and_the_models_own_pace():
    def known(model: str, seconds: float) -> tuple[RunConfig, RunStatus]:
        config = sweep(BASE, [model], [2], 1)[0]
        return config, RunStatus(RunState.DONE, epochs_done=10, seconds=seconds)

    paces = [known("gcn", 20.0), known("gat", 200.0)]  # 1 s and 10 s for a layer in an epoch
    assert seconds_to_train(sweep(BASE, ["gcn"], [3], 2), paces, 1) == 2 * 3 * 10
    assert seconds_to_train(sweep(BASE, ["gat"], [3], 1), paces, 1) == 300
    assert seconds_to_train(sweep(BASE, ["mlp"], [1], 1), paces, 1) == pytest.approx(55)  # as the others


def test_workers_share_the_runs_but_not_one_run():
    paces = [(BASE, RunStatus(RunState.DONE, epochs_done=10, seconds=20.0))]
    assert seconds_to_train(sweep(BASE, ["gcn"], [3], 4), paces, 2) == 60
    assert seconds_to_train(sweep(BASE, ["gcn"], [3], 1), paces, 2) == 30


def test_time_is_unknown_before_anything_was_trained():
    waiting = (BASE, RunStatus(RunState.QUEUED))
    assert seconds_to_train([BASE], [waiting], 1) is None
    assert seconds_to_train([], [(BASE, RunStatus(RunState.DONE, epochs_done=1, seconds=1.0))], 1) == 0


def test_time_left_is_the_median_pace_of_a_layer_times_the_layers_left():
    runs = sweep(BASE, ["gcn"], [1, 2, 4], 1)  # of 10 epochs each
    begun = RunStatus(RunState.RUNNING, epochs_done=5, seconds=1.0)  # 0.2 and 0.1 s for a layer and epoch
    active = dict(zip(runs, (begun, begun, RunStatus(RunState.QUEUED)), strict=True))
    layers_left = 1 * 5 + 2 * 5 + 4 * 10
    assert sweep_seconds_left(active, 2) == pytest.approx(0.15 * layers_left / 2)
    assert sweep_seconds_left({runs[0]: RunStatus(RunState.QUEUED)}, 2) is None
    assert sweep_seconds_left({}, 2) is None
