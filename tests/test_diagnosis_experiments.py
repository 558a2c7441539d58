"""What a diagnosis proposes to train next: another run that can be built, and that would decide."""

from dataclasses import replace

import pytest
from diagnosis_cases import CASES, CONSTANT, DISTINCT, FALLING, SMOOTHED, facts, run

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.diagnosis import explain
from gnnviz.diagnosis_experiments import control_of
from gnnviz.models import MODELS, ModelConfig
from gnnviz.remedies import Remedies


@pytest.mark.parametrize("case", CASES)
def test_an_experiment_is_another_run_than_the_one_that_is_judged(case):
    given, _, _ = CASES[case]
    experiment = explain(given).experiment
    assert experiment is not None
    assert given.config not in experiment.configs
    assert len(set(experiment.configs)) == len(experiment.configs)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("depth", [1, 2, 64])
def test_every_model_and_verdict_has_an_experiment_that_can_be_built(model, depth):
    for given, verdict, _ in CASES.values():
        config = run(model, depth)
        states = config.model.num_states
        record_ = replace(given.history[0], grad_norms=(0.1,) * states, weight_norms=(5.0,) * states)
        history = tuple(replace(record_, epoch=old.epoch) for old in given.history)
        moved = replace(given, config=config, history=history, trained=(given.trained[0],) * states)
        experiment = explain(moved).experiment
        assert experiment is None or config not in experiment.configs, verdict


def test_a_dead_net_is_tried_without_decay_and_dropout_and_beside_its_control():
    experiment = explain(CASES["one row for all nodes"][0]).experiment
    assert experiment is not None
    free, control = experiment.configs
    assert (free.training.weight_decay, free.model.dropout, free.model.num_layers) == (0.0, 0.0, 4)
    assert control == control_of(run())
    assert control.model.model == "mlp"


def test_a_dead_net_without_either_is_tried_beside_its_control_then_with_a_residual():
    bare = replace(run(weight_decay=0.0), model=ModelConfig(num_layers=4, dropout=0.0))
    first = explain(facts(0.3, 0.3, CONSTANT, bare)).experiment
    assert first is not None
    assert first.configs == (control_of(bare),)
    second = explain(facts(0.3, 0.3, CONSTANT, bare, control=0.3)).experiment
    assert second is not None
    assert second.configs[0].model.remedies == Remedies(residual="initial")


def test_smoothing_is_tried_with_the_first_state_mixed_in():
    experiment = explain(facts(0.4, 0.35, SMOOTHED, run("sgc", 64))).experiment
    assert experiment is not None
    assert experiment.configs[0].model.model == "appnp"


def test_a_run_that_was_stopped_is_tried_for_longer():
    given = facts(0.5, 0.4, config=run(epochs=6, patience=3), losses=FALLING, val_losses=FALLING)
    experiment = explain(given).experiment
    assert experiment is not None
    assert (experiment.configs[0].training.epochs, experiment.configs[0].training.patience) == (200, None)


def test_the_control_of_a_run_that_sees_no_labels_keeps_a_head():
    model = ModelConfig("sage", remedies=Remedies(post_layers=1))
    training = TrainConfig(objective="unsupervised", batch_size=64, fan_outs=(5, 5))
    control = control_of(RunConfig(DatasetSpec(), model, training))
    assert control.model.has_head
    assert control.training.batch_size is None
    gcnii = RunConfig(DatasetSpec(), ModelConfig("gcnii"), TrainConfig(objective="unsupervised"))
    assert control_of(gcnii).model.has_head


def test_smoothing_among_weights_is_told_from_averaging_by_sgc():
    experiment = explain(facts(0.4, 0.35, SMOOTHED, run("gcn", 16), gradients=(0.1,) * 16)).experiment
    assert experiment is not None
    assert (experiment.configs[0].model.model, experiment.configs[0].model.num_layers) == ("sgc", 16)


def test_steps_that_are_too_long_or_too_short_are_tried_at_the_usual_rate():
    thrown = explain(facts(0.3, 0.3, CONSTANT, run(learning_rate=10.0))).experiment
    crept = explain(facts(0.3, 0.3, config=run(learning_rate=1e-5))).experiment
    assert thrown is not None
    assert crept is not None
    assert thrown.configs == crept.configs == (run(learning_rate=0.01),)


def test_sums_that_explode_are_tried_as_averages():
    sums = replace(run(), model=ModelConfig(num_layers=4, normalisation="sum"))
    experiment = explain(facts(0.3, 0.3, replace(DISTINCT, size=1e6), sums)).experiment
    assert experiment is not None
    assert experiment.configs == (run(),)
