"""What decides a run: its JSON, its name, and what is refused before anything is trained."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import ConfigError, GnnvizError
from gnnviz.models import ModelConfig, divisors
from gnnviz.objectives import PairConfig
from gnnviz.presets import PRESETS
from gnnviz.remedies import Remedies

CONFIG = RunConfig(DatasetSpec(), ModelConfig("gat", 3, 16, heads=4), TrainConfig(patience=7))
BATCHES = RunConfig(
    DatasetSpec(),
    ModelConfig(
        "sage", 2, aggregator="pool", remedies=Remedies(norm="pair_si", drop_edge=0.3, post_layers=1)
    ),
    TrainConfig(
        objective="unsupervised",
        pairs=PairConfig(walks=3, similarity="dot"),
        batch_size=512,
        fan_outs=(25, 10),
    ),
)


@pytest.mark.parametrize("config", [CONFIG, BATCHES])
def test_a_config_survives_json(config):
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_run_id_is_the_same_in_every_process():
    # Written down once: a change means that every run folder there is loses its name.
    assert RunConfig(DatasetSpec(), ModelConfig(), TrainConfig()).run_id == "53471490ea0121cb"


def test_equal_configs_have_one_name_however_their_numbers_were_written():
    def run(number: type[int] | type[float], nothing: float) -> RunConfig:
        return RunConfig(
            DatasetSpec("blocks", "random", homophily=number(1), signal=nothing),
            ModelConfig(
                "gat", heads=4, dropout=nothing, negative_slope=nothing,
                remedies=Remedies(norm="pair", norm_scale=number(2), drop_edge=nothing),
            ),
            TrainConfig(learning_rate=number(1), weight_decay=nothing, pairs=PairConfig(margin=number(3))),
        )  # fmt: skip

    whole, real = run(int, 0), run(float, -0.0)
    assert whole == real
    assert json.dumps(whole.to_json()) == json.dumps(real.to_json())
    # A new process remembers no name.
    assert _in_a_new_process(whole) == _in_a_new_process(real) == whole.run_id == real.run_id


def _in_a_new_process(config: RunConfig) -> str:
    code = f"from gnnviz.config import RunConfig; print(RunConfig.from_json({config.to_json()!r}).run_id)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout[
        :-1
    ]


@pytest.mark.parametrize(
    "other",
    [
        replace(CONFIG, dataset=DatasetSpec(normalisation="l1")),
        replace(CONFIG, model=replace(CONFIG.model, num_layers=4)),
        replace(CONFIG, training=replace(CONFIG.training, seed=1)),
        replace(CONFIG, device="cuda"),
        replace(CONFIG, threads=2),
        replace(CONFIG, format_version=3),
        replace(CONFIG, model=replace(CONFIG.model, attention_form="dense")),
        replace(CONFIG, model=replace(CONFIG.model, remedies=Remedies(residual="plain"))),
        replace(CONFIG, model=replace(CONFIG.model, remedies=Remedies(residual="initial"))),
        replace(CONFIG, training=replace(CONFIG.training, pairs=PairConfig(negatives=7))),
    ],
)
def test_whatever_decides_the_result_decides_the_name(other):
    assert other.run_id != CONFIG.run_id


@pytest.mark.parametrize(
    "changes", [{"objective": "both"}, {"batch_size": 256}, {"fan_outs": (10, 10)}, {"fan_outs": ()}]
)
def test_how_a_batch_is_drawn_and_what_is_minimised_decide_the_name_too(changes):
    assert replace(BATCHES, training=replace(BATCHES.training, **changes)).run_id != BATCHES.run_id


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"model": "gnc"}, "unknown model 'gnc'; choose from appnp, gat, gatv2, gcn, gcnii, mlp, sage, sgc"),
        ({"model": ["gcn"]}, "unknown model"),
        ({"num_layers": 0}, "num_layers is 0; choose a whole number from 1 to 64"),
        ({"num_layers": 65}, "from 1 to 64"),
        ({"num_layers": True}, "from 1 to 64"),
        ({"hidden_channels": 0}, "hidden_channels is 0"),
        ({"model": "gat", "hidden_channels": 10, "heads": 4}, "choose from 1, 2, 5, 10 heads"),
        ({"heads": 2}, "heads is 2, but GCN has none; leave it at 1"),
        ({"attention_dropout": 0.5}, "attention_dropout is 0.5, but GCN has none; leave it at 0"),
        ({"model": "gat", "heads": 65}, "heads is 65; choose a whole number from 1 to 64"),
        ({"model": "gat", "output_heads": 0}, "output_heads is 0; choose a whole number from 1 to 64"),
        ({"model": "gat", "negative_slope": 1.0}, "negative_slope is 1.0; choose a number from 0 up to"),
        ({"model": "gat", "attention_form": "full"}, "choose from sparse, dense"),
        ({"model": "gatv2", "attention_form": "dense"}, "GATv2 has none; leave it at 'sparse'"),
        ({"model": "gat", "output_elu": 1}, "output_elu is 1; choose from True, False"),
        ({"bias": None}, "bias is None; choose from True, False"),
        ({"normalisation": "left"}, "choose from sym, row, sum"),
        ({"model": "sage", "normalisation": "row"}, "GraphSAGE has none; leave it at 'sym'"),
        ({"model": "sage", "aggregator": "sum"}, "choose from mean, gcn, max, pool, lstm"),
        ({"aggregator": "max"}, "GCN has none; leave it at 'mean'"),
        ({"unit_length": True}, "GCN has none; leave it at False"),
        ({"model": "appnp", "alpha": 0}, "alpha is 0; choose a number above 0 and below 1, or the model SGC"),
        ({"model": "appnp", "alpha": 1.0}, "alpha is 1.0"),
        ({"model": "sgc", "alpha": 0.2}, "SGC has none; leave it at 0.1"),
        ({"model": "sgc", "hidden_channels": 16}, "SGC has none; leave it at 64"),
        ({"model": "appnp", "theta": 1.0}, "APPNP has none; leave it at 0.5"),
        ({"model": "gcnii", "theta": 0.0}, "theta is 0.0; choose a finite number above 0"),
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
        ({"objective": "contrastive"}, "choose from supervised, unsupervised, max_margin, both"),
        ({"batch_size": 0}, "batch_size is 0; choose a whole number from 1"),
        ({"batch_size": 64, "fan_outs": (10, 0)}, "fan_outs is 0; choose a whole number from 1"),
        ({"fan_outs": (10, 10)}, "fan_outs are given, but no batch_size; they only serve mini-batches"),
    ],
)
def test_a_training_that_cannot_be_run_is_refused_in_words(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        TrainConfig(**values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"similarity": "euclid"}, "choose from cosine, dot"),
        ({"nodes": "test"}, "choose from all, training"),
        ({"walks": 0}, "walks is 0; choose a whole number from 1 to 1000"),
        ({"walk_length": 101}, "walk_length is 101"),
        ({"negatives": 0}, "negatives is 0"),
        ({"far_hops": 65}, "far_hops is 65; choose a whole number from 1 to 64"),
        ({"negative_weight": 0.0}, "negative_weight is 0.0; choose a finite number above 0"),
        ({"margin": -1.0}, "margin is -1.0; choose a finite number of 0 or more"),
    ],
)
def test_pairs_that_cannot_be_drawn_are_refused_in_words(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        PairConfig(**values)


@pytest.mark.parametrize(
    ("model", "training", "sentence"),
    [
        (ModelConfig("gcn"), TrainConfig(batch_size=64), "GCN is trained on the whole graph"),
        (
            ModelConfig("sage", 3),
            TrainConfig(batch_size=64, fan_outs=(10, 25)),
            "got 2 fan_outs for 3 layers; give one per layer, or none for 10 each",
        ),
        (
            ModelConfig("sage"),
            TrainConfig(objective="max_margin"),
            "'max_margin' trains embeddings, and GraphSAGE as configured has no linear layer after them",
        ),
    ],
)
def test_a_training_that_this_model_cannot_have_is_refused_in_words(model, training, sentence):
    with pytest.raises(ConfigError, match=sentence):
        RunConfig(DatasetSpec(), model, training)


def test_a_head_adds_a_state_to_those_of_the_graph_layers():
    assert ModelConfig("gcn", 3).num_states == 3
    assert ModelConfig("gcnii", 3).num_states == 4
    assert ModelConfig("gcn", 3, remedies=Remedies(jumping="max")).num_states == 4
    assert ModelConfig("gcn", 3, remedies=Remedies(post_layers=2)).num_states == 4
    assert ModelConfig("gcn", 3, remedies=Remedies(pre_layers=2)).num_states == 3


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
