"""What workers say about whole runs, against the same computed here by another road."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_probe import small_run, undisturbed

from gnnviz.config import RunConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.analyses import hidden_states
from gnnviz.engine.heads import attention_on, attention_shares, head_entropies
from gnnviz.engine.neighbours import drawn_neighbourhood, parse_fan_outs, reach_of
from gnnviz.engine.summaries import best_epoch, last_layers, layer_cosines, neighbour_purity, node_results
from gnnviz.errors import ConfigError, RunError
from gnnviz.models import ModelConfig
from gnnviz.runs import RunStore
from gnnviz.smoothing import METRICS

KARATE = DatasetSpec("karate", "leaders")


@pytest.fixture(scope="module")
def gcn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, RunConfig, RunStore]]:
    root = tmp_path_factory.mktemp("gcn")
    config = replace(small_run(20), model=ModelConfig("gcn", 3, 8))
    threads = torch.get_num_threads()
    yield str(root), config, undisturbed(root, config)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def gat(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, RunConfig]:
    root = tmp_path_factory.mktemp("gat")
    config = replace(small_run(20), model=ModelConfig("gat", 2, 8, heads=2))
    undisturbed(root, config)
    return str(root), config


def test_last_layers_are_those_of_the_best_epoch_with_their_measure(gcn):
    root, config, store = gcn
    summary = last_layers(root, (config.run_id,), "mad_all")
    state = hidden_states(root, config.run_id, best_epoch(store, config.run_id))[-2]
    assert summary.smoothness == (pytest.approx(METRICS["mad_all"](state, load_spec(KARATE))),)
    (points,) = summary.points
    beyond = np.abs(points).max(axis=1) > summary.limit
    assert points.shape == (34, 2)
    assert summary.outside == beyond.sum() <= 1


def test_node_results_give_the_accuracy_of_the_status(gcn):
    root, config, store = gcn
    graph = load_spec(KARATE)
    results = node_results(root, config.run_id, best_epoch(store, config.run_id))
    assert graph.y is not None
    assert graph.test_mask is not None
    best = store.status(config.run_id).best
    assert best is not None
    assert np.mean((results.predicted == graph.y)[graph.test_mask]) == pytest.approx(best.test_acc)
    assert ((results.probability >= 0.5) & (results.probability <= 1)).all()  # the larger of two


def test_purity_of_the_features_is_that_of_rows_that_are_all_equally_far(gcn):
    root, config, _ = gcn
    assert 0 <= neighbour_purity(root, config.run_id, 0, 3) <= 1


def test_cosines_count_every_pair_once(gcn):
    root, config, _ = gcn
    cosines = layer_cosines(root, config.run_id, 0, 1)
    live = 34 - cosines.dead
    assert cosines.counts.sum() == live * (live - 1) // 2


def test_a_run_without_an_epoch_has_no_best_one(tmp_path: Path):
    with pytest.raises(RunError):
        best_epoch(RunStore(tmp_path), small_run(5).run_id)


def test_attention_on_a_node_covers_its_neighbours_and_itself(gat):
    root, config = gat
    graph = load_spec(KARATE)
    found = attention_on(root, config.run_id, 20, 1, 0)
    neighbours = graph.edge_index[0, graph.edge_index[1] == 0]
    assert set(found.sources.tolist()) == {0, *neighbours.tolist()}
    assert found.coefficients.sum(axis=0) == pytest.approx(np.ones(2), abs=1e-5)
    with pytest.raises(RunError, match="choose from 1 to 2"):
        attention_on(root, config.run_id, 20, 3, 0)


def test_heads_of_every_layer_have_entropies_and_shares(gat):
    root, config = gat
    entropies = head_entropies(root, config.run_id, 20)
    assert [layer.values.shape[1] for layer in entropies] == [2, 1]
    shares = attention_shares(root, config.run_id, 20, 1)
    degrees = load_spec(KARATE).degrees()
    assert shares.itself.uniform == pytest.approx(np.mean(1 / (degrees + 1)))
    assert shares.same_class is not None


@pytest.mark.parametrize(("text", "expected"), [("10, 5", (10, 5)), ("3", (3,)), ("2-4-6", (2, 4, 6))])
def test_fan_outs_are_read_as_typed(text, expected):
    assert parse_fan_outs(text) == expected


@pytest.mark.parametrize("text", ["", "0", "ten", "5,,5", "1,1,1,1,1,1,1", "1001", "-3", "٣"])
def test_fan_outs_that_make_no_sense_are_refused_in_words(text):
    with pytest.raises(ConfigError, match="such as 10, 5"):
        parse_fan_outs(text)


def test_a_drawn_neighbourhood_counts_what_it_left_out():
    drawn = drawn_neighbourhood("", KARATE, 33, (3, 2), 0, merged=False)
    first, second = drawn.hops
    assert (first.drawn, first.present) == (3, 17)  # the instructor's rival has 17 ties
    assert second.drawn <= 2 * 4
    assert drawn.view.drawn_neighbours == 3


def test_reach_grows_to_the_whole_club():
    reach = reach_of("", KARATE, 0)
    assert reach.node[0] == pytest.approx(1 / 34)
    assert reach.node[1] == pytest.approx(17 / 34)  # itself and 16 ties
    assert reach.node[-1] == reach.mean[-1] == 1.0
    assert reach.sampled == 34
