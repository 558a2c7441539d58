"""Verdicts on evidence made by hand: a run for each way to fail, and for each way to be unsure."""

import math
from dataclasses import replace

import pytest
from diagnosis_cases import AVERAGED, CASES, CHANCE, CONSTANT, DISTINCT, SMOOTHED, facts, run

from gnnviz import diagnosis_evidence as rules
from gnnviz import diagnosis_signal as signal
from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.diagnosis import SIGNS, VERDICTS, evidence_table, explain
from gnnviz.diagnosis_evidence import evidence_of
from gnnviz.diagnosis_facts import StateFacts, skill
from gnnviz.figures.layout import Chance
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch
from gnnviz.remedies import Remedies


@pytest.mark.parametrize("case", CASES)
def test_evidence_leads_to_its_verdict(case):
    given, verdict, confident = CASES[case]
    found = explain(given)
    assert (found.verdict, found.confident) == (verdict, confident), evidence_table(found.evidence)
    spec = VERDICTS[found.verdict]
    assert found.sentence == f"GCN with 4 layers {spec.headline if confident else spec.hedged}"


def test_every_verdict_is_reached_by_a_case():
    assert {verdict for _, verdict, _ in CASES.values()} == set(VERDICTS)


def test_equal_rows_that_averaging_alone_makes_are_smoothing_not_death():
    # on a complete graph one step of averaging makes all rows equal: nothing is left for a bias to kill
    equal = replace(SMOOTHED, spread=1e-12, aligned=1.0)
    averaged = replace(AVERAGED, spread=1e-13, aligned=1.0, energy=None)
    assert explain(facts(0.4, 0.35, equal, averaged=averaged)).verdict == "over_smoothing"
    assert explain(facts(0.4, 0.35, equal)).verdict == "signal_death"  # here averaging would leave half


def jumping(**training):
    model = ModelConfig(num_layers=4, remedies=Remedies(jumping="concat"))
    return RunConfig(DatasetSpec(), model, TrainConfig(**training))


def test_a_layer_that_jumping_goes_around_loses_no_signal():
    silent, nearly = StateFacts(size=0.0, dead=1.0), replace(DISTINCT, size=1e-5, dead=0.97, spread=0.9)
    given = facts(1.0, 0.4, config=jumping(), gradients=(0.1, 0.0, 0.0, 0.1, 0.1))
    given = replace(given, trained=(DISTINCT, silent, nearly, SMOOTHED, DISTINCT))
    found = explain(given)
    assert (found.verdict, found.confident) == ("over_fitting", True)
    assert all("signal_death" not in item.supports for item in found.evidence if item.name in SIGNS)
    numbers = {item.name: item.number for item in found.evidence}
    assert (numbers["flat"], numbers["dead"], numbers["faded"]) == (0.6, 0.0, 1.0)
    assert (numbers["aligned"], numbers["mad"]) == (0.4, 0.1)  # of the state that is least smoothed
    everywhere = replace(given, trained=(silent,) * 5)
    assert explain(replace(everywhere, history=facts(0.3, 0.3, config=jumping()).history)).verdict == (
        "signal_death"
    )


@pytest.mark.parametrize("remedies", [Remedies(residual="plain"), Remedies(residual="initial")])
def test_a_layer_without_gradient_kills_nothing_where_a_residual_goes_around_it(remedies):
    config = RunConfig(DatasetSpec(), ModelConfig(num_layers=4, remedies=remedies), TrainConfig())
    given = facts(0.4, 0.35, config=config, gradients=(0.1, 0.0, 0.1, 0.1))
    supports = {item.name: item.supports for item in evidence_of(given)}
    assert all("signal_death" not in supports[name] for name in ("gradient", "decay", "shrunk"))
    assert explain(given).verdict == "mixed"
    first = facts(0.4, 0.35, config=config, gradients=(0.0, 0.1, 0.1, 0.1))
    assert explain(first).verdict == "signal_death"  # nothing goes around the first layer
    assert explain(facts(0.4, 0.35, gradients=(0.1, 0.0, 0.1, 0.1))).verdict == "signal_death"


def test_weights_that_decay_has_put_out_are_a_death():
    given = facts(0.3, 0.3, gradients=(1e-4, 0.1, 0.1, 0.1))
    at_best = replace(given.history[1], weight_norms=(0.2, 5.0, 5.0, 5.0))
    found = explain(replace(given, history=(given.history[0], at_best, *given.history[2:])))
    assert (found.verdict, found.confident) == ("signal_death", True)
    assert "least share of a layer's weights that is left: 0.0400" in found.because


def test_a_head_that_adam_does_not_train_has_no_gradient_to_lose():
    model = ModelConfig(num_layers=3, remedies=Remedies(post_layers=1))
    heads = {
        objective: RunConfig(DatasetSpec(), model, TrainConfig(objective=objective))
        for objective in ("unsupervised", "both")
    }
    numbers = {
        objective: {
            item.name: item.number
            for item in evidence_of(facts(config=config, gradients=(0.1, 0.1, 0.1, 0.0)))
        }
        for objective, config in heads.items()
    }
    assert (numbers["unsupervised"]["gradient"], numbers["both"]["gradient"]) == (1.0, 0.0)
    assert numbers["unsupervised"]["decay"] == pytest.approx(40)
    assert numbers["both"]["decay"] == 0.0


@pytest.mark.parametrize(("epochs", "threshold"), [(5, 0.001), (6, 0.002), (50, 0.01), (200, 0.01)])
def test_a_short_training_need_not_fall_as_far_as_a_long_one(epochs, threshold):
    losses = tuple(2 - 0.003 * min(epoch, 5) for epoch in range(epochs))
    given = facts(0.4, 0.35, losses=losses, val_losses=losses)
    falling = next(item for item in evidence_of(given) if item.name == "falling")
    assert falling.threshold == pytest.approx(threshold)
    assert (explain(given).verdict == "under_trained") == (epochs < 50)


def test_one_epoch_is_too_short_to_say_more():
    given = facts(0.35, 0.3)
    given = replace(given, history=given.history[:1], best=BestEpoch(1, 0.3, 1.9, 0.3))
    found = explain(given)
    assert (found.verdict, found.confident) == ("under_trained", False)
    assert "the farthest that a weight can have moved: 0.0100" in found.because


def test_of_mini_batches_it_is_not_known_how_far_they_moved_a_weight():
    config = RunConfig(DatasetSpec(), ModelConfig("sage"), TrainConfig(learning_rate=1e-4, batch_size=8))
    assert "moved" not in {item.name for item in evidence_of(facts(0.4, 0.35, config=config))}


def test_rounding_in_the_limit_is_no_distance_from_averaging():
    there = replace(SMOOTHED, energy=5e-15)
    given = facts(0.4, 0.35, there, averaged=replace(AVERAGED, aligned=1.0, energy=1e-29))
    energy = next(item for item in evidence_of(given) if item.name == "energy")
    assert (energy.number, energy.supports) == (pytest.approx(5e-3), ())


@pytest.mark.parametrize("model", ["sgc", "appnp"])
def test_as_many_layers_with_weights_are_no_control_of_averaging(model):
    given = facts(0.4, 0.35, SMOOTHED, config=run(model, 16), gradients=(0.1,) * 16, control=0.3)
    found = explain(given)
    assert (found.verdict, found.confident) == ("over_smoothing", True)
    assert "control" not in {item.name for item in found.evidence}
    works = explain(facts(config=run(model, 64), gradients=(0.1,) * 64)).experiment
    assert works is not None
    alone = works.configs[0].model
    assert (alone.model, alone.num_layers) == ("mlp", {"sgc": 1, "appnp": 2}[model])


def test_the_training_nodes_that_were_right_at_the_end_are_told_as_such():
    told = explain(facts(0.5, 0.4, lucky_end=1.0)).because
    assert told.startswith(
        "It gets 100.0\u202f% of the training nodes right, at its end, and 40.0\u202f% of the"
    )
    assert "at its end" not in explain(facts(0.5, 0.4)).because


def test_rows_that_single_precision_makes_equal_in_the_limit_are_smoothing():
    # a regular graph: averaging leaves 1e-33 of the differences, the network's own rounding nothing at all
    equal = replace(SMOOTHED, spread=0.0, aligned=1.0, energy=0.0)
    averaged = replace(AVERAGED, spread=1e-33, aligned=1.0, energy=1e-33)
    assert explain(facts(0.4, 0.35, equal, averaged=averaged)).verdict == "over_smoothing"


def test_features_that_are_in_the_limit_already_are_not_brought_there_by_averaging():
    given = replace(facts(0.4, 0.35, SMOOTHED), features=replace(DISTINCT, aligned=0.96))
    found = explain(given)
    assert found.verdict == "mixed"
    averaged = next(item for item in found.evidence if item.name == "averaged")
    assert averaged.text.endswith("and nothing else; 96.0\u202f% before")
    assert averaged.supports == ()


def test_what_explodes_is_not_smoothed():
    found = explain(facts(0.4, 0.35, replace(SMOOTHED, size=1e6)))
    assert (found.verdict, found.confident) == ("signal_death", False)


def test_the_control_never_smooths():
    found = explain(facts(0.4, 0.35, SMOOTHED, config=run("mlp"), averaged=None))
    assert found.verdict == "mixed"
    assert all("over_smoothing" not in item.supports for item in found.evidence if "aver" in item.text)


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(0.3, 0.0), (1.0, 1.0), (0.65, 0.5), (0.0, -3 / 7), (0.79, 0.7)]
)
def test_skill_counts_from_guessing_to_all_right(accuracy, expected):
    assert skill(accuracy, CHANCE) == pytest.approx(expected)
    assert skill(accuracy, Chance(majority=1.0, uniform=0.5)) is None


def test_a_part_of_one_class_gets_a_sentence():
    one_class = replace(facts(), test_chance=Chance(majority=1.0, uniform=0.5))
    found = explain(one_class)
    assert (found.verdict, found.evidence, found.experiment) == ("mixed", (), None)
    assert found.because == "All test nodes are of one class, so that guessing is always right"
    assert "training nodes" in explain(replace(facts(), train_chance=Chance(1.0, 0.5))).because


def test_each_number_is_worked_out_as_on_paper():
    given = facts(
        0.65, 0.475, losses=(2.0, 1.0, 1.0, 1.0, 1.0, 0.9), val_losses=(2.0, 1.0, 1.0, 1.0, 1.0, 1.2),
        gradients=(0.001, 0.1, 0.1, 0.1), control=0.3, untrained=replace(DISTINCT, size=2.0),
        config=run(weight_decay=1e-3),
    )  # fmt: skip
    numbers = {item.name: item.number for item in evidence_of(given)}
    assert numbers["train"] == pytest.approx(0.5)
    assert numbers["test"] == pytest.approx(0.25)
    assert numbers["kept"] == pytest.approx(0.5)
    assert numbers["rises"] == pytest.approx(0.2)
    assert numbers["falling"] == pytest.approx(0.1)  # of 6 epochs the last fifth is 2: from 1.0 to 0.9
    assert numbers["energy"] == pytest.approx(0.02 / 1e-3)
    assert numbers["gradient"] == pytest.approx(0.01)
    assert numbers["decay"] == pytest.approx(0.001 / (1e-3 * 5))
    assert numbers["start"] == 1.0
    assert "control" not in numbers  # it is asked only where the run itself does not fit


@pytest.mark.parametrize(
    ("name", "at", "verdict"),
    [
        ("flat", signal.FLAT, "signal_death"),
        ("aligned", rules.ALIGNED, "over_smoothing"),
        ("rank", signal.ONE_DIRECTION, "signal_death"),
        ("mad", rules.SAME_DIRECTION, "over_smoothing"),
        ("faded", signal.FADED, "signal_death"),
        ("exploded", signal.EXPLODED, "signal_death"),
        ("dead", signal.DEAD_NODES, "signal_death"),
    ],
)
def test_a_threshold_itself_counts_and_the_other_side_does_not(name, at, verdict):
    field = {"flat": "spread", "faded": "size", "exploded": "size"}.get(name, name)

    def supports(value):
        given = facts(0.3, 0.3, replace(DISTINCT, **{field: value}))
        return next(item for item in evidence_of(given) if item.name == name).supports

    assert verdict in supports(at)
    beyond = 0.999 if name in ("aligned", "exploded", "dead") else 1.001
    assert verdict not in supports(at * beyond)


def test_nothing_that_has_no_value_becomes_evidence():
    empty = StateFacts(size=0.0, dead=1.0)
    given = facts(0.3, 0.3, empty, gradients=(math.nan, 0.1, 0.1, 0.1), averaged=None, untrained=empty)
    found = explain(given)
    assert all(math.isfinite(item.number) for item in found.evidence)
    assert not {"flat", "rank", "aligned", "energy", "mad", "gradient", "start"} & {
        item.name for item in found.evidence
    }
    assert found.verdict == "signal_death"


def test_one_layer_has_a_verdict():
    assert explain(facts(config=run(depth=1))).verdict == "works"
    found = explain(facts(0.4, 0.35, SMOOTHED, config=run(depth=1)))
    assert found.verdict == "over_smoothing"
    assert not {"gradient", "start"} & {item.name for item in found.evidence}


def test_the_table_is_text_with_values_thresholds_and_what_they_speak_for():
    table = evidence_table(explain(facts(0.3, 0.3, CONSTANT, gradients=(0.0, 0.1, 0.1, 0.1))).evidence)
    assert list(table) == ["What", "Value", "Threshold", "Speaks for"]
    lines = {row[0]: row[1:] for row in zip(*table.values(), strict=True)}
    flat = next(line for what, line in lines.items() if what.startswith("Share of layer 1's state"))
    assert flat == ("1.00e-09", "at most 0.0001", "dead signal")
    gradient = next(line for what, line in lines.items() if what.startswith("Gradient of the weakest"))
    assert gradient == ("0", "at most 1e-06", "dead signal")
    guessing = next(line for what, line in lines.items() if what.startswith("Test nodes"))
    assert guessing == ("0.0\u202f%", "at least 40\u202f%", "a failure of some kind")
