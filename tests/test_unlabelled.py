"""Nodes without a label: they may stand beside labelled ones, and count nowhere that asks for a class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_graph import GRAPH, mask

from gnnviz.attention import AttentionError, node_attention, share_on_itself, share_on_same_class
from gnnviz.computation_tree import computation_tree
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.edits import Edit
from gnnviz.errors import DatasetError
from gnnviz.figures.attention import attention_star
from gnnviz.figures.attention_matrix import head_matrix
from gnnviz.figures.graph import GraphNodes, whole_graph
from gnnviz.figures.neighbourhood import neighbourhood_figure
from gnnviz.figures.nodes import NodeTable, hover_lines, node_groups, wrong_predictions
from gnnviz.figures.theme import DARK, LIGHT, class_colours
from gnnviz.figures.tree import computation_tree_figure
from gnnviz.findings import chance_levels
from gnnviz.graph import UNLABELLED, Graph
from gnnviz.graph_findings import Words, graph_finding, neighbour_table, node_facts, node_in_words
from gnnviz.graph_layout import NodePlaces
from gnnviz.graph_statistics import PARTS, graph_statistics, node_parts, node_report
from gnnviz.neighbourhood import neighbourhood_view
from gnnviz.sampling import sample_neighbourhood
from gnnviz.similarity import knn_purity
from gnnviz.smoothing import METRICS
from gnnviz.splits import SPLITS

# A path 0-1-2-3 with a shortcut 0-2, and a pair 4-5; classes a a ? b a b.
PART = replace(GRAPH, y=np.array([0, 0, UNLABELLED, 1, 0, 1]), train_mask=mask(0))
TABLE = NodeTable(PART.y, PART.class_names)
# Attention of node 1 and of node 2, an equal share to each input; the others have no choice.
EDGES = np.array([(0, 0), (0, 1), (1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (3, 3), (4, 4), (5, 5)]).T
ALPHA = np.array([1, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1, 1, 1])[:, None]


def colours_of(figure):
    """Return the colour and the legend name of every node that a figure marks."""
    return {
        int(cell[0]): (trace.marker.color, trace.name)
        for trace in figure.data
        if trace.customdata is not None
        for cell in trace.customdata
    }


def test_a_graph_may_hold_nodes_without_a_label():
    assert PART.labelled.tolist() == [True, True, False, True, True, True]
    assert PART.num_classes == 2
    assert PART.subgraph([2, 3]).labelled.tolist() == [False, True]
    assert Graph(np.ones((2, 1)), [[0], [1]], y=[UNLABELLED] * 2).num_classes == 0
    assert not replace(PART, y=None, train_mask=None).labelled.any()


def test_a_mask_holds_labelled_nodes_only():
    with pytest.raises(DatasetError, match="train_mask holds 1 nodes without a label; leave them out of it"):
        replace(PART, train_mask=mask(0, 2))


def test_homophily_counts_edges_between_labelled_nodes():
    assert PART.homophily() == 1 / 2  # 0-1 within, 4-5 between; three edges have an end without a label
    with pytest.raises(DatasetError, match="needs labels and edges between labelled nodes"):
        replace(PART, edge_index=np.array([[1, 2], [2, 3]])).homophily()


def test_statistics_count_labelled_nodes_and_the_edges_between_them():
    found = graph_statistics(PART)
    assert found.unlabelled == 1
    assert found.mixing.tolist() == [[2, 1], [1, 0]]
    assert found.homophily == 1 / 2
    assert found.expected_homophily == pytest.approx((3 / 4) ** 2 + (1 / 4) ** 2)
    assert found.class_parts.sum() == 5
    assert graph_statistics(replace(PART, y=None)).unlabelled == 6
    bare = graph_statistics(replace(PART, edge_index=np.array([[1, 2], [2, 3]])))
    assert bare.homophily is bare.expected_homophily is None


def test_a_node_report_counts_labelled_neighbours():
    two, zero, three = (node_report(PART, node) for node in (2, 0, 3))
    assert two.label is two.local_homophily is None
    assert two.neighbour_classes.tolist() == [2, 1]
    assert (zero.neighbour_classes.tolist(), zero.local_homophily) == ([1, 0], 1.0)
    assert three.local_homophily is None


def test_sentences_say_that_a_node_has_no_label():
    assert "between labelled nodes join two nodes of one class" in graph_finding(
        "toy", graph_statistics(PART), Words()
    )
    assert node_facts(node_report(PART, 2), PART, Words())[0] == "no label"
    assert neighbour_table(node_report(PART, 3), PART, Words())["class"] == ["no label"]
    assert node_in_words(node_report(PART, 2), PART, Words()) == "It has 3 neighbours."
    assert node_in_words(node_report(PART, 0), PART, Words()) == (
        "It has 2 neighbours, one of them labelled, of its own class: a 1."
    )
    both = replace(PART, edge_index=np.array([[0, 0, 0], [1, 2, 3]]))
    assert node_in_words(node_report(both, 0), both, Words()).startswith("1 of its 2 labelled neighbours are")


def test_the_group_distance_ratio_is_that_of_the_labelled_nodes():
    h = np.array([[0.0], [1.0], [50.0], [4.0], [2.0], [7.0]])
    metric = METRICS["group_distance_ratio"]
    known = PART.subgraph([0, 1, 3, 4, 5])
    assert metric(h, PART) == pytest.approx(metric(h[[0, 1, 3, 4, 5]], known))


def test_information_gain_asks_for_no_label():
    h = np.eye(6)[:, :3]
    metric = METRICS["instance_information_gain"]
    assert metric(h, PART) == metric(h, GRAPH)


def test_nearest_nodes_are_looked_for_among_labelled_ones():
    # On a line a a ? b b: the unlabelled node is nearest to the second and the fourth.
    h = np.array([[0.0], [1.0], [1.5], [2.1], [2.9]])
    y = np.array([0, 0, UNLABELLED, 1, 1])
    assert knn_purity(h, y, 1) == 1.0
    assert knn_purity(h, np.array([0, 0, 2, 1, 1]), 1) < 1.0


def test_a_random_split_draws_labelled_nodes_only():
    y = np.repeat([0, 1, UNLABELLED], 20)
    graph = Graph(np.ones((60, 1)), np.zeros((2, 0), dtype=int), y=y)
    assign = SPLITS["random"].assign
    assert assign is not None
    parts = assign(graph, 0)
    # 20 of each class: 4 of each train; of the 32 others 10 validate and 22 test.
    assert [int(part.sum()) for part in parts] == [8, 10, 22]
    assert not np.logical_or.reduce(parts)[40:].any()


def test_chance_is_that_of_the_nodes_in_a_part():
    assert chance_levels(PART).majority == 1 / 2


def test_attention_on_the_same_class_is_a_mean_over_labelled_nodes():
    share = share_on_same_class(EDGES, ALPHA, PART.y)
    assert (share.num_nodes, share.left_out) == (1, 5)
    assert share.per_head == pytest.approx([1 / 3])  # node 1 looks at node 0, at itself and at node 2
    assert share_on_itself(EDGES, ALPHA, 6).num_nodes == 2
    with pytest.raises(AttentionError):
        share_on_same_class(EDGES, ALPHA, np.full(6, UNLABELLED))


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_nodes_without_a_label_are_one_group_in_a_grey_of_its_own(page):
    groups = node_groups(TABLE, page, "class", 6)
    assert [(group.name, group.members.tolist()) for group in groups] == [
        ("a", [0, 1, 4]),
        ("b c", [3, 5]),
        ("no label", [2]),
    ]
    assert groups[2].colour not in (*page.class_hues, page.other_class)


def test_nodes_without_a_label_are_neither_right_nor_wrong():
    table = replace(TABLE, predictions=np.array([0, 1, 1, 1, 0, 1]))
    assert np.flatnonzero(wrong_predictions(table, 6)).tolist() == [1]
    groups = {group.name: group.members.tolist() for group in node_groups(table, LIGHT, "right_wrong", 6)}
    assert groups == {"right": [0, 3, 4, 5], "wrong": [1], "no label": [2]}
    assert [group.name for group in node_groups(table, LIGHT, "prediction", 6)] == ["a", "b c"]
    assert hover_lines(table, 6)[2] == ["node 2", "no label", "predicted: b_c"]


@pytest.mark.parametrize("colour", ["class", "part", "degree", "right_wrong"])
def test_the_picture_of_a_graph_says_no_label(colour):
    table = replace(TABLE, predictions=np.array([0, 1, 1, 1, 0, 1]))
    nodes = GraphNodes(table, PART.degrees(), node_parts(PART), PARTS)
    places = NodePlaces(np.arange(6), np.zeros((6, 2), dtype=np.float32))
    scene = whole_graph(places, None, nodes, LIGHT, alt="toy", colour_by=colour)
    assert scene.hover[2].split("\n")[1] == "no label"
    said = [entry.label for entry in scene.legend]
    assert ("no label (1)" in said) == (colour in ("class", "right_wrong"))


def test_the_star_and_the_matrix_of_attention_say_no_label():
    attention = node_attention(EDGES, ALPHA, 1)
    found = colours_of(attention_star(attention, TABLE, LIGHT))
    assert found[2] == (LIGHT.right, "no label")
    assert found[0] == (class_colours([3, 2], LIGHT).colours[0], "a")
    rows = head_matrix(attention, TABLE, LIGHT).layout.yaxis.ticktext
    assert next(row for row in rows if LIGHT.right in row).startswith("node 2 ")


def test_neighbourhoods_and_computation_trees_say_no_label():
    random = np.random.default_rng(0)
    view = neighbourhood_view(PART, sample_neighbourhood(PART, [0], (None,), random), random, 250)
    tree = computation_tree(PART, 0, (None, None), random)
    for figure in (
        neighbourhood_figure(view, TABLE, LIGHT, title="t"),
        computation_tree_figure(tree, TABLE, LIGHT, title="t"),
    ):
        assert colours_of(figure)[2] == (LIGHT.right, "no label")
        texts = [text for trace in figure.data if trace.customdata is not None for text in trace.text]
        assert any(text.startswith("<b>node 2</b><br>no label") for text in texts)


def test_cora_with_a_virtual_node_keeps_its_homophily():
    plain = load_spec(DatasetSpec())
    edited = load_spec(DatasetSpec(edits=(Edit("virtual_node"),)))
    assert edited.homophily() == plain.homophily()
    assert graph_statistics(edited).mixing.tolist() == graph_statistics(plain).mixing.tolist()
