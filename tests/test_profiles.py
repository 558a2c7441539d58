"""Moments of a run, gradients by layer, and the sentences: they say what the numbers say."""

import math

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.models import MODELS, ModelConfig
from gnnviz.profiles import (
    LayerProfile,
    Measurement,
    Moment,
    gradient_profiles,
    layers_finding,
    missing_values,
    moments,
    stage_label,
    standard_measures,
)
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.remedies import Remedies
from gnnviz.smoothing import METRICS

START, BEST, LAST = Moment("start", 0), Moment("best", 118), Moment("last", 200)


def best(epoch: int) -> BestEpoch:
    return BestEpoch(epoch, 0.5, 1.0, 0.5)


def profile(moment: Moment, *values: float | None) -> LayerProfile:
    return LayerProfile(
        moment, tuple(Measurement(value, "" if value is not None else "it is dead") for value in values)
    )


def plain(words: str) -> str:
    return words.replace("\u202f", " ").replace("\u2011", "-")


def finding(*profiles: LayerProfile, measure: str = "mad", model: str = "gcn") -> str:
    depth = len(profiles[0].layers) if profiles else 4
    config = RunConfig(DatasetSpec(), ModelConfig(model, depth), TrainConfig())
    return plain(layers_finding(METRICS[measure], config, profiles))


def test_moments_are_start_best_and_last_each_epoch_once():
    assert moments((0, 1, 118, 200), best(118)) == (START, BEST, LAST)
    assert moments((0, 1, 118), best(118)) == (START, BEST)
    assert moments((0, 1, 8), best(7)) == (START, Moment("last", 8))  # the best is not kept yet
    assert moments((0,), None) == (START,)
    assert moments((), None) == ()


def test_gradients_are_taken_from_the_first_the_best_and_the_last_epoch():
    def record(epoch: int, *norms: float) -> EpochRecord:
        return EpochRecord(epoch, 1, 1, 1, 1, 0.5, 0.5, 0.5, norms, norms, 0.1)

    history = [record(1, 0.1, 0.2), record(2, 0.3, 0.0), record(3, math.inf, 1.0)]
    first, middle, last = gradient_profiles(history, best(2))
    assert [item.moment for item in (first, middle, last)] == [
        Moment("start", 1), Moment("best", 2), Moment("last", 3),
    ]  # fmt: skip
    assert first.layers == (Measurement(0.1), Measurement(0.2))
    assert middle.layers == (Measurement(0.3), Measurement(0.0))
    assert last.layers[0].value is None
    assert "exploded" in last.layers[0].reason
    assert gradient_profiles([], None) == ()
    assert len(gradient_profiles(history[:1], best(1))) == 1


@pytest.mark.parametrize("model", MODELS)
def test_standard_measures_fit_the_model(model):
    names = standard_measures(ModelConfig(model))
    averages_like_gcn = model in ("gcn", "sgc", "appnp", "gcnii")
    fitting = ("dirichlet_sym", "rayleigh_sym") if averages_like_gcn else ("dirichlet_rusch", "rayleigh_rw")
    assert names == ("mad", *fitting, "effective_rank", "norm")
    assert set(names) <= set(METRICS)


@pytest.mark.parametrize(
    ("profiles", "sentence"),
    [
        (
            [profile(START, 0.3, 0.1, 0.001, 9.0), profile(BEST, 0.2, 0.1, 0.05, 9.0)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, falls 300-fold before training; "
            "at the best epoch it falls 4.0-fold",
        ),
        (
            [profile(START, 0.1, 0.2, 0.25, 0.1), profile(LAST, 1e-9, 0.1, 1.0, 0.1)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, grows 2.5-fold before training; "
            "after 200 epochs it grows about 10⁹-fold",
        ),
        (
            [profile(START, 0.105, 0.1, 0.1, 0.1), profile(BEST, 0.1, 0.001, 0.1, 0.1)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, ends within 10 % of where it begins "
            "before training; at the best epoch it falls 100-fold by layer 2 and rises again",
        ),
        (
            [profile(START, 0.1, 0.0, 0.1, 0.1), profile(BEST, 0.1, 0.0, 0.0, 0.1)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, goes from 0.100 to exactly 0 by layer 2 "
            "and rises again before training; at the best epoch it goes from 0.100 to exactly 0",
        ),
        (
            [profile(START, 0.4, 0.1)],
            "MAD (neighbours), from layer 1 to the logits of this GCN, falls 4.0-fold before training",
        ),
        (
            [profile(START, 0.4), profile(BEST, 0.1)],
            "MAD (neighbours), in the logits of this GCN, its only layer, is 0.400 before training; "
            "at the best epoch it is 0.100",
        ),
        (
            [profile(START, 0.4, 0.2, 0.1, 0.1), profile(BEST, 0.8, 0.4, 0.4, 0.1)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, falls 4.0-fold before training; "
            "at the best epoch it falls 2.0-fold",
        ),
        (
            [profile(START, 0.4, 0.2, 0.1, 0.1), profile(BEST, 0.8, 0.4, 0.2, 0.1)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, falls 4.0-fold before training "
            "and at the best epoch",
        ),
        (
            [profile(START, 0.4, 0.2, 0.1, 0.1), profile(BEST, 0.4, None, None, 0.1)],
            "MAD (neighbours), from layer 1 to layer 3 of this GCN, falls 4.0-fold before training; "
            "at the best epoch it has no value in 2 of 3 layers",
        ),
        ([], "MAD (neighbours) in the layers of this GCN will appear here"),
    ],
)
def test_the_finding_says_what_was_measured(profiles, sentence):
    assert finding(*profiles) == sentence


def test_with_a_head_the_last_graph_layer_is_a_hidden_one():
    model = ModelConfig("gcn", 2, remedies=Remedies(jumping="max"))
    config = RunConfig(DatasetSpec(), model, TrainConfig())
    assert plain(layers_finding(METRICS["mad"], config, [profile(START, 0.4, 0.1, 0.9)])) == (
        "MAD (neighbours), from layer 1 to layer 2 of this GCN, falls 4.0-fold before training"
    )


def test_a_factor_is_not_broken_at_the_end_of_a_line():
    config = RunConfig(DatasetSpec(), ModelConfig("gcn", 3), TrainConfig())
    sentence = layers_finding(METRICS["mad"], config, [profile(START, 0.4, 0.2, 0.1)])
    assert "falls 2.0\u2011fold before training" in sentence
    assert "-" not in sentence


def test_a_linear_measure_is_told_by_its_ends():
    assert finding(profile(START, 56, 12, 9, 2), measure="effective_rank", model="mlp") == (
        "Effective rank, from layer 1 to layer 3 of this MLP (no graph), goes from 56.0 to 9.00 "
        "before training"
    )


def test_layers_without_a_value_are_named_with_the_reason():
    assert missing_values([profile(START, 1, 2), profile(BEST, 1, None, None), profile(LAST, None)]) == (
        "best: epoch 118: no value in 2 layers from layer 2 on: it is dead.",
        "last: epoch 200: no value in layer 1: it is dead.",
    )


def test_moments_are_labelled():
    assert [stage_label(moment) for moment in (START, Moment("start", 1), BEST, Moment("last", 1000))] == [
        "untrained",
        "first epoch",
        "best: epoch 118",
        "last: epoch 1,000",
    ]
