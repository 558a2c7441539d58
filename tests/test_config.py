"""What decides a run: its JSON, its name, and what is refused before anything is trained."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import ConfigError, GnnvizError
from gnnviz.models import ModelConfig, divisors
from gnnviz.presets import PRESETS

CONFIG = RunConfig(DatasetSpec(), ModelConfig("gat", 3, 16, heads=4), TrainConfig(patience=7))


def test_a_config_survives_json():
    assert RunConfig.from_json(json.loads(json.dumps(CONFIG.to_json()))) == CONFIG


def test_a_run_id_is_the_same_in_every_process():
    # Written down once: a change means that every run folder there is loses its name.
    assert RunConfig(DatasetSpec(), ModelConfig(), TrainConfig()).run_id == "63abb897d6b2714b"


@pytest.mark.parametrize(
    "other",
    [
        replace(CONFIG, dataset=DatasetSpec(normalisation="l1")),
        replace(CONFIG, model=replace(CONFIG.model, num_layers=4)),
        replace(CONFIG, training=replace(CONFIG.training, seed=1)),
        replace(CONFIG, device="cuda"),
        replace(CONFIG, threads=2),
        replace(CONFIG, format_version=2),
    ],
)
def test_whatever_decides_the_result_decides_the_name(other):
    assert other.run_id != CONFIG.run_id


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"model": "gnc"}, "unknown model 'gnc'; choose from gat, gcn, mlp, sage"),
        ({"model": ["gcn"]}, "unknown model"),
        ({"num_layers": 0}, "num_layers is 0; choose a whole number from 1 to 64"),
        ({"num_layers": 65}, "from 1 to 64"),
        ({"num_layers": True}, "from 1 to 64"),
        ({"hidden_channels": 0}, "hidden_channels is 0"),
        ({"model": "gat", "hidden_channels": 10, "heads": 4}, "choose from 1, 2, 5, 10 heads"),
        ({"heads": 2}, "GCN has no attention; leave it at 1"),
        ({"attention_dropout": 0.5}, "leave it at 0"),
        ({"dropout": 1.0}, "from 0 up to, but not including, 1"),
        ({"dropout": float("nan")}, "dropout is nan"),
        ({"dropout_on": "outputs"}, "choose from inputs, between"),
        ({"activation": "tanh"}, "choose from relu, elu"),
    ],
)
def test_a_model_that_cannot_be_built_is_refused_in_words(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ModelConfig(**values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0; choose a whole number from 1 to 10000"),
        ({"learning_rate": 0.0}, "choose a finite number above 0"),
        ({"learning_rate": float("inf")}, "finite number"),
        ({"weight_decay": -1}, "of 0 or more"),
        ({"patience": 0}, "patience is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"decay_on": "last"}, "choose from first, all"),
    ],
)
def test_a_training_that_cannot_be_run_is_refused_in_words(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        TrainConfig(**values)


@pytest.mark.parametrize("cut", ["dataset", "model", "training", "threads"])
def test_json_that_lacks_a_part_is_refused_in_words(cut):
    values = CONFIG.to_json()
    del values[cut]
    with pytest.raises(ConfigError, match=cut):
        RunConfig.from_json(values)


@pytest.mark.parametrize("nonsense", [None, [], "gcn", 3, {"model": {}}, {**CONFIG.to_json(), "model": []}])
def test_json_of_another_shape_is_refused_in_words(nonsense):
    with pytest.raises(GnnvizError):
        RunConfig.from_json(nonsense)


def test_a_title_tells_model_depth_graph_and_seed():
    assert CONFIG.title == "GAT · 3 layers · Cora (kipf) · seed 0"
    assert "1 layer ·" in replace(CONFIG, model=ModelConfig(num_layers=1)).title


def test_divisors_of_a_number():
    assert divisors(12) == [1, 2, 3, 4, 6, 12]


def test_presets_are_the_published_recipes():
    kipf, velickovic, notes = PRESETS["kipf"], PRESETS["velickovic"], PRESETS["notes"]
    assert (kipf.model.hidden_channels, kipf.training.decay_on, kipf.training.learning_rate) == (
        16,
        "first",
        0.01,
    )
    assert (velickovic.model.heads, velickovic.model.hidden_channels, velickovic.model.dropout) == (
        8,
        64,
        0.6,
    )
    assert (notes.model.dropout_on, notes.training.decay_on, notes.training.seed) == ("between", "all", 42)
