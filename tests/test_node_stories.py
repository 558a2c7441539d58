"""Nodes' stories on a graph small enough to tell them by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_graph import ALONE, GRAPH, plain

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.stories import depth_stories, story_correlations
from gnnviz.errors import DatasetError, RunError
from gnnviz.models import ModelConfig
from gnnviz.node_stories import (
    NO_DISTANCE,
    RIGHT,
    UNKNOWN,
    local_homophily,
    node_stories,
    one_per_depth,
    shown_neighbours,
    turning_depths,
    wrong_at,
)
from gnnviz.records import BestEpoch
from gnnviz.runs import Owner, RunStore
from gnnviz.story_words import (
    Correlation,
    correlation_in_words,
    correlations,
    list_in_words,
    node_in_words,
    sorted_nodes,
    stories_csv,
    stories_finding,
    story_columns,
)

# Classes of the toy graph: a a b b a b; nodes 0 and 2 train. What nets of 2, 4 and 8 layers predict:
PREDICTED = np.array([[0, 0, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1], [0, 1, 1, 0, 0, 0]])
PARTLY = replace(GRAPH, y=np.array([0, 0, 1, 1, -1, -1]), test_mask=np.arange(6) == 3)


def certain(predicted, sure=0.75):
    return [np.where(np.arange(2) == row[:, None], sure, 1 - sure) for row in predicted]


def told(graph=GRAPH, predicted=PREDICTED, depths=(2, 4, 8)):
    return node_stories(graph, depths, certain(predicted))


STORIES = told()


def test_facts_about_nodes_by_hand():
    assert STORIES.degree.tolist() == [2, 2, 3, 1, 1, 1]
    assert STORIES.homophily.tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1, 0, 0])
    assert STORIES.distance.tolist() == [0, 1, 0, 1, NO_DISTANCE, NO_DISTANCE]
    assert STORIES.predicted.tolist() == PREDICTED.tolist()
    assert np.unique(STORIES.probability).tolist() == [0.75]
    assert wrong_at(STORIES).sum(axis=1).tolist() == [1, 2, 3]


def test_neighbours_without_a_label_do_not_count_and_nobody_is_compared_with_them():
    assert local_homophily(PARTLY)[:4].tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1])
    assert np.isnan(local_homophily(PARTLY)[4:]).all()
    assert np.isnan(local_homophily(ALONE)).all()


def test_the_depth_at_which_a_node_turns_wrong_for_the_first_time_or_for_good():
    assert turning_depths(STORIES, "ever").tolist() == [RIGHT, 4, RIGHT, 8, 4, 2]
    assert turning_depths(STORIES, "for_good").tolist() == [RIGHT, 4, RIGHT, 8, RIGHT, 8]
    assert turning_depths(told(PARTLY), "ever").tolist() == [RIGHT, 4, RIGHT, 8, UNKNOWN, UNKNOWN]


def test_turning_for_good_is_never_earlier_than_turning_at_all():
    random = np.random.default_rng(0)
    stories = told(predicted=random.integers(0, 2, (5, 6)), depths=(1, 2, 4, 8, 16))
    ever, for_good = turning_depths(stories, "ever"), turning_depths(stories, "for_good")
    turned = for_good != RIGHT
    assert (for_good[turned] >= ever[turned]).all()
    assert (turned == wrong_at(stories)[-1]).all()


def test_a_graph_without_labels_has_no_stories_and_says_so():
    with pytest.raises(DatasetError, match="dust has no classes, so no prediction for it is right or wrong"):
        node_stories(ALONE, [2, 4], certain(np.zeros((2, 3), dtype=int)))


def test_neighbours_with_most_neighbours_come_first():
    assert shown_neighbours(GRAPH, 2).tolist() == [0, 1, 3]
    assert shown_neighbours(GRAPH, 3).tolist() == [2]
    assert shown_neighbours(GRAPH, 1, most=1).tolist() == [2]
    assert shown_neighbours(ALONE, 0).tolist() == []


# Correlations


def test_correlations_by_hand_leave_training_nodes_out():
    # Nodes 1 3 4 5 turn wrong at 4 8 4 2: ranks 2.5 4 2.5 1. Degrees 2 1 1 1: ranks 4 2 2 2.
    # Homophily 1/2 1 0 0: ranks 3 4 1.5 1.5. Nodes 4 and 5 cannot reach a training node.
    degree, homophily, distance = correlations(STORIES, "ever")
    assert (degree.fact, degree.nodes, degree.rho) == ("degree", 4, pytest.approx(0, abs=1e-12))
    assert (homophily.nodes, homophily.rho) == (4, pytest.approx(3.75 / 4.5))
    assert distance == Correlation("distance", 2, None, "only 2 nodes can be compared")


def test_nodes_that_stay_right_count_as_later_than_all_others():
    # For good: 1 3 4 5 turn wrong at 4 8 never 8: ranks 1 2.5 4 2.5 against homophily's 3 4 1.5 1.5.
    assert correlations(STORIES, "for_good")[1].rho == pytest.approx((-0.75 + 0 - 1.5 + 0) / 4.5)


def test_what_cannot_be_correlated_is_a_sentence():
    same = correlations(told(predicted=np.tile(GRAPH.y, (3, 1))), "ever")
    assert {found.rho for found in same} == {None}
    assert correlation_in_words(same[0]) == (
        "The number of neighbours: no correlation, for all nodes turn wrong at the same depth, or none does."
    )
    ring = replace(GRAPH, edge_index=np.array([(k, (k + 1) % 6) for k in range(6)]).T)
    assert correlations(told(ring), "ever")[0].reason == "it is the same for all nodes"
    assert "only 2 nodes" in correlation_in_words(correlations(told(PARTLY), "ever")[0])


@pytest.mark.parametrize(
    ("rho", "words"),
    [
        (0.05, "The number of neighbours has hardly anything to do with when nodes turn wrong"),
        (-0.2, "Nodes with more neighbours tend slightly to turn wrong earlier"),
        (0.4, "Nodes with more neighbours tend to turn wrong later"),
        (-0.7, "Nodes with more neighbours strongly tend to turn wrong earlier"),
    ],
)
def test_a_correlation_is_said_as_strongly_as_it_is(rho, words):
    sign = "+" if rho > 0 else "\u2212"
    numbers = f"(Spearman's \u03c1 = {sign}{abs(rho):.2f}, 1,200 nodes)."
    assert correlation_in_words(Correlation("degree", 1200, rho)) == f"{words} {numbers}"


# Words and lists


def test_the_finding_counts_only_nodes_that_were_not_trained_on():
    assert plain(stories_finding(STORIES, "ever")) == (
        "0.0 % of 4 nodes that no net was trained on are right at every depth; the largest group of the "
        "others, 50.0 %, is first wrong at 4 layers"
    )
    assert plain(stories_finding(STORIES, "for_good")).startswith("25.0 % of 4 nodes")
    right = stories_finding(told(predicted=np.tile(GRAPH.y, (3, 1))), "ever")
    assert plain(right) == "100.0 % of 4 nodes that no net was trained on are right at every depth"
    everyone = replace(GRAPH, train_mask=np.ones(6, dtype=bool), val_mask=None, test_mask=None)
    assert stories_finding(told(everyone), "ever").startswith("No labelled node is left")


@pytest.mark.parametrize(
    ("graph", "node", "words"),
    [
        (GRAPH, 0, "x (a training node) is taken for a, which it is, at every depth"),
        (GRAPH, 1, "x is of the class a, and is taken for something else at 4 and 8 layers"),
        (GRAPH, 5, "x is of the class b c, and is taken for something else at 2 and 8 layers"),
        (PARTLY, 5, "x has no label: its predictions are neither right nor wrong"),
    ],
)
def test_one_node_in_words(graph, node, words):
    assert node_in_words(told(graph), node, "x") == words


def test_one_layer_and_one_node_are_told_in_the_singular():
    shallow = told(predicted=np.array([1 - GRAPH.y, GRAPH.y]), depths=(1, 2))
    assert node_in_words(shallow, 1, "x") == "x is of the class a, and is taken for something else at 1 layer"
    mostly = np.ones(6, dtype=bool)
    mostly[3] = False
    one = told(replace(GRAPH, train_mask=mostly, val_mask=None, test_mask=None))
    assert correlations(one, "ever")[0].reason == "only 1 node can be compared"


def test_a_node_that_no_depth_gets_right_is_said_to_be_so():
    assert (
        node_in_words(told(predicted=1 - np.tile(GRAPH.y, (3, 1))), 3, "x")
        == "x is of the class b c, but no depth sees that"
    )


def test_lists_begin_with_what_they_are_sorted_by_and_end_with_what_has_none():
    turned = turning_depths(STORIES, "ever")
    assert sorted_nodes(STORIES, turned, "turned").tolist() == [5, 1, 4, 3, 0, 2]
    assert sorted_nodes(STORIES, turned, "degree").tolist() == [2, 0, 1, 3, 4, 5]
    assert sorted_nodes(STORIES, turned, "homophily").tolist() == [4, 5, 2, 0, 1, 3]
    assert sorted_nodes(STORIES, turned, "distance").tolist() == [1, 3, 0, 2, 4, 5]
    partly = told(PARTLY)
    assert sorted_nodes(partly, turning_depths(partly, "ever"), "turned").tolist() == [1, 3, 0, 2, 4, 5]


def test_lists_are_of_one_class_and_cut_where_asked():
    turned = turning_depths(STORIES, "ever")
    assert sorted_nodes(STORIES, turned, "turned", label=1).tolist() == [5, 3, 2]
    assert sorted_nodes(STORIES, turned, "turned", label=1, most=2).tolist() == [5, 3]
    assert list_in_words(24, 168, "neighbours") == "24 of 168 neighbours"
    assert list_in_words(6, 6, "neighbours") == "6 neighbours"


def test_the_table_has_no_value_where_there_is_none():
    columns = story_columns(told(PARTLY), PARTLY, np.array([3, 5]))
    assert columns == {
        "node": [3, 5],
        "name": ["three", "<b>*5*</b>"],
        "class": ["b_c", None],
        "neighbours": [1, 1],
        "local_homophily": [1.0, None],
        "training_distance": [1, None],
        "first_wrong_depth": [8, None],
        "wrong_for_good_depth": [8, None],
    }


def test_the_csv_holds_every_node_with_every_prediction():
    rows = list(csv.DictReader(io.StringIO(stories_csv(STORIES, GRAPH))))
    assert [row["node"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert [row["predicted_4"] for row in rows] == ["a", "b_c", "b_c", "b_c", "b_c", "b_c"]
    assert {row["probability_8"] for row in rows} == {"0.75"}
    assert [row["first_wrong_depth"] for row in rows] == ["", "4", "", "8", "4", "2"]
    assert "nan" not in stories_csv(told(PARTLY), PARTLY).lower()


# Which runs, and what a worker makes of them

KARATE = RunConfig(DatasetSpec("karate", "leaders"), ModelConfig("gcn", 1, 4), TrainConfig(seed=1))


def at_depth(depth, seed=1, model="gcn"):
    return replace(
        KARATE,
        model=replace(KARATE.model, num_layers=depth, model=model),
        training=replace(KARATE.training, seed=seed),
    )


def test_one_run_a_depth_is_the_one_with_the_same_seed_or_the_lowest():
    runs = [at_depth(8, 7), at_depth(8, 5), at_depth(2, 0), at_depth(2, 1), at_depth(4, model="mlp")]
    assert one_per_depth(KARATE, runs) == (at_depth(2, 1), at_depth(8, 5))
    other = replace(KARATE, model=replace(KARATE.model, dropout=0.1))
    assert one_per_depth(other, runs) == ()


def stored(root: Path, depth: int) -> tuple[str, list[np.ndarray]]:
    """Put a GCN with random weights into a store, as its best epoch; return its id and all its arrays."""
    random, config = np.random.default_rng(depth), at_depth(depth)
    widths = [34, *[4] * (depth - 1), 2]
    arrays, weights = [], {}
    for layer in range(depth):
        arrays.append(random.normal(size=(widths[layer + 1], widths[layer])).astype(np.float32))
        weights[f"layers.{layer}.lin.weight"] = arrays[-1]
        weights[f"layers.{layer}.bias"] = np.zeros(widths[layer + 1], dtype=np.float32)
    store = RunStore(root)
    store.claim(config, Owner.current())
    store.save_checkpoint(config.run_id, 3, weights)
    status = store.status(config.run_id)
    store.write_status(config.run_id, replace(status, best=BestEpoch(3, 0.5, 1.0, 0.5)))
    return config.run_id, arrays


def probabilities_by_hand(arrays: list[np.ndarray]) -> np.ndarray:
    graph = load_spec(KARATE.dataset)
    operator = np.eye(graph.num_nodes) + graph.adjacency().toarray()
    root = 1 / np.sqrt(operator.sum(axis=1))
    h = np.asarray(graph.x.toarray() if hasattr(graph.x, "toarray") else graph.x, np.float64)
    for layer, array in enumerate(arrays):
        h = (operator * root[:, None] * root) @ h @ array.T
        h = h if layer == len(arrays) - 1 else np.maximum(h, 0)
    exponential = np.exp(h - h.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def test_a_worker_predicts_every_node_at_every_depth_as_by_hand(tmp_path):
    runs = [stored(tmp_path, depth) for depth in (1, 3)]
    found = depth_stories(str(tmp_path), [run_id for run_id, _ in runs])
    expected = [probabilities_by_hand(arrays) for _, arrays in runs]
    assert found.depths == (1, 3)
    assert found.predicted.tolist() == [values.argmax(axis=1).tolist() for values in expected]
    np.testing.assert_allclose(found.probability, [values.max(axis=1) for values in expected], rtol=1e-5)
    assert found.labels.tolist() == load_spec(KARATE.dataset).y.tolist()
    again = story_correlations(str(tmp_path), [run_id for run_id, _ in runs], "ever")
    assert again == correlations(found, "ever")


def test_no_runs_are_refused_in_words(tmp_path):
    with pytest.raises(RunError, match="got no runs to tell stories of"):
        depth_stories(str(tmp_path), [])
