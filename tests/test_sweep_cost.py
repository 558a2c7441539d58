"""What a sweep will take: counted against nets that are built, and when it must be confirmed."""

from __future__ import annotations

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.models import MODELS, ModelConfig, build_model
from gnnviz.sweep_cost import SweepCost, num_weights, sweep_cost

KARATE = DatasetSpec("karate", "leaders")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("depth", [1, 4])
def test_the_number_of_weights_is_that_of_the_net(model: str, depth: int) -> None:
    hidden = {} if model == "sgc" else {"hidden_channels": 32}
    config = ModelConfig(model, depth, **hidden)
    built = sum(parameter.numel() for parameter in build_model(config, 200, 7).parameters())
    assert built / 2 <= num_weights(config, 200, 7) <= 2 * built


def cost_of(*configs: RunConfig, workers: int = 2) -> SweepCost:
    return sweep_cost(configs, 10.0, workers, num_nodes=34, num_features=34, num_classes=2)


def test_memory_is_of_the_largest_runs_at_a_time_and_disk_of_all() -> None:
    small = RunConfig(KARATE, ModelConfig("gcn", 2, 8), TrainConfig(epochs=10))
    large = RunConfig(KARATE, ModelConfig("gcn", 32, 512), TrainConfig(epochs=10))
    assert cost_of(small, large, workers=1).memory == cost_of(large, workers=1).memory
    assert cost_of(small, large).memory == pytest.approx(cost_of(small).memory + cost_of(large).memory)
    assert cost_of(small, large).disk == pytest.approx(cost_of(small).disk + cost_of(large).disk)


def test_dense_attention_takes_an_array_of_all_pairs_in_every_head_and_layer() -> None:
    sparse = RunConfig(KARATE, ModelConfig("gat", 4, 8, heads=2), TrainConfig(epochs=10))
    dense = RunConfig(
        KARATE, ModelConfig("gat", 4, 8, heads=2, attention_form="dense"), TrainConfig(epochs=10)
    )
    more = cost_of(dense, workers=1).memory - cost_of(sparse, workers=1).memory
    pairs = 4 * 2 * 34**2 * 4  # layers, heads, pairs of nodes, bytes
    assert pairs <= more <= 5 * pairs


def test_what_is_large_must_be_confirmed_and_says_why() -> None:
    assert SweepCost(5, 60.0, 1e9, 1e8).reasons_to_ask(8e9, 8e9) == ()
    assert SweepCost(61, 4000.0, 1e9, 1e8).reasons_to_ask(8e9, 8e9) == ("61 runs", "more than an hour")
    assert SweepCost(5, None, 5e9, 5e9).reasons_to_ask(8e9, 8e9) == (
        "more than half of the free memory",
        "more than half of the free disk",
    )
