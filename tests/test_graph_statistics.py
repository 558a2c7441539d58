"""A graph in counts and sentences, checked on graphs small enough to count by hand."""

import numpy as np
import pytest
from toy_graph import ALONE, GRAPH, plain

from gnnviz.datasets import load_graph
from gnnviz.graph import Cleaning, Graph
from gnnviz.graph_findings import (
    Words,
    cleaning_in_words,
    components_in_words,
    degrees_in_words,
    drawn_in_words,
    graph_finding,
    homophily_in_words,
    neighbour_table,
    node_facts,
    node_in_words,
    reading_in_words,
    words_of,
)
from gnnviz.graph_statistics import PARTS, find_nodes, graph_statistics, node_parts, node_report

# Counts


def test_the_counts_of_a_small_graph():
    found = graph_statistics(GRAPH)
    assert (found.num_nodes, found.num_edges) == (6, 5)
    assert found.degree_counts.tolist() == [0, 3, 2, 1]  # 3, 4, 5 have one; 0, 1 have two; 2 has three
    assert found.component_sizes.tolist() == [4, 2]
    assert found.homophily == pytest.approx(2 / 5)  # 0-1 and 2-3
    assert found.mixing.tolist() == [[2, 3], [3, 2]]
    assert found.expected_homophily == pytest.approx(0.5)  # five ends of each class
    assert found.class_parts.tolist() == [[0, 1, 1, 1], [1, 1, 0, 1]]
    assert (found.mean_degree, found.max_degree, found.isolated) == (pytest.approx(10 / 6), 3, 0)


def test_the_counts_of_a_graph_without_edges_and_labels():
    found = graph_statistics(ALONE)
    assert (found.homophily, found.expected_homophily) == (None, None)
    assert found.degree_counts.tolist() == [3]
    assert found.component_sizes.tolist() == [1, 1, 1]
    assert (found.isolated, found.max_degree, found.mean_degree) == (3, 0, 0.0)


def test_cora_in_counts():
    found = graph_statistics(load_graph("cora"))
    assert (found.num_nodes, found.num_edges, len(found.component_sizes)) == (2708, 5278, 78)
    assert (found.component_sizes[0], found.max_degree) == (2485, 168)
    assert found.mean_degree == pytest.approx(3.898, abs=5e-4)
    assert found.homophily == pytest.approx(0.81, abs=5e-5)
    assert found.class_parts.sum(axis=0).tolist() == [1268, 140, 300, 1000]
    assert np.trace(found.mixing) / found.mixing.sum() == pytest.approx(found.homophily)
    degrees = np.arange(len(found.degree_counts))
    assert (degrees * found.degree_counts).sum() == 2 * found.num_edges


def test_parts_are_read_from_the_masks():
    assert [PARTS[part] for part in node_parts(GRAPH)] == ["train", "val", "train", "test", "test", "none"]


def test_a_node_in_numbers():
    report = node_report(GRAPH, 2)
    assert (report.name, report.label, report.part, report.degree) == ("two", 1, "train", 3)
    assert report.neighbours.tolist() == [0, 1, 3]
    assert report.neighbour_classes.tolist() == [2, 1]
    assert report.local_homophily == pytest.approx(1 / 3)
    assert report.component_size == 4


def test_nodes_are_found_by_name_then_number_then_part_of_a_name():
    assert find_nodes(GRAPH, " TWO ") == (2,)
    assert find_nodes(GRAPH, "3") == (3, 4)  # number 3, then the name "31"
    assert find_nodes(GRAPH, "31") == (4,)
    assert find_nodes(GRAPH, "e") == (0, 1, 3)
    assert find_nodes(GRAPH, "t") == (2, 3)
    assert find_nodes(GRAPH, "o", limit=1) == (1,)
    assert find_nodes(GRAPH, "") == find_nodes(GRAPH, "9" * 5000) == find_nodes(GRAPH, "\u00b2") == ()


# Sentences


def test_the_finding_is_the_share_of_edges_within_classes():
    statistics = graph_statistics(GRAPH)
    assert plain(graph_finding("toy", statistics, Words())) == (
        "toy: 40.0 % of the edges join two nodes of one class"
    )
    cora = load_graph("cora")
    assert plain(graph_finding(cora.name, graph_statistics(cora), words_of("cora"))) == (
        "Cora: 81.0 % of the citations join two papers of one topic"
    )
    assert graph_finding("dust", graph_statistics(ALONE), words_of("own:dust")) == (
        "dust: 3 nodes and no edges in 3 pieces"
    )


def test_homophily_is_set_beside_chance():
    assert "50.0 % would stay within one class: as many or more" in plain(
        homophily_in_words(graph_statistics(GRAPH), Words())
    )
    cora = plain(homophily_in_words(graph_statistics(load_graph("cora")), words_of("cora")))
    assert cora.startswith("If citations were drawn at random, 17.0 % would stay within one topic.")
    assert "no homophily" in homophily_in_words(graph_statistics(ALONE), Words())


def test_what_cleaning_did_adds_up():
    # Read: 0-1, 1-0, 1-2, 1-2, 2-2, and one edge to a node that nobody knows.
    graph = Graph(
        np.ones((3, 1)),
        np.array([(0, 1), (1, 0), (1, 2), (1, 2), (2, 2)]).T,
        cleaning=Cleaning(unknown_ids=1),
    )
    assert cleaning_in_words(graph.cleaning, graph.num_edges, Words()) == (
        "6 edges were read.",
        "1 named an unknown node and was left out.",
        "1 joined a node to itself and was left out.",
        "1 repeated an earlier one and was left out.",
        "1 pair of nodes was joined in both directions and counts once.",
        "1 had one direction only; the opposite one was added, so that messages pass both ways.",
        "That makes **2 edges** without direction.",
    )


def test_what_cleaning_did_to_cora():
    cora = load_graph("cora")
    words = " ".join(cleaning_in_words(cora.cleaning, cora.num_edges, words_of("cora")))
    assert words.startswith("5,429 citations were read. None joined a node to itself")
    assert "151 pairs of nodes were joined in both directions" in words
    assert "5,127 had one direction only" in words
    assert "**5,278 edges**" in words


def test_components_degrees_and_nodes_in_words():
    statistics = graph_statistics(GRAPH)
    assert "2 pieces; the largest holds 4 nodes (66.7 %)" in plain(components_in_words(statistics, Words()))
    whole = graph_statistics(load_graph("karate"))
    assert components_in_words(whole, words_of("karate")).startswith("All members hang together")
    assert "node two has 3, the most" in degrees_in_words(statistics, GRAPH, Words())
    assert degrees_in_words(graph_statistics(ALONE), ALONE, Words()) == "No node has a neighbour."
    two, three = node_report(GRAPH, 2), node_report(GRAPH, 3)
    assert plain(node_in_words(two, GRAPH, Words())) == (
        "1 of its 3 neighbours are of its own class (33.3 %, fewer than the 40.0 % of the graph): a 2, b_c 1."
    )
    assert node_in_words(three, GRAPH, Words()) == "It has one neighbour, of its own class: b_c 1."
    assert "no edges" in node_in_words(node_report(ALONE, 0), ALONE, Words())
    assert node_facts(two, GRAPH, Words()) == (
        "class b_c", "number 2", "trains", "3 edges", "in a piece of 4 nodes",
    )  # fmt: skip


def test_the_table_of_neighbours_has_a_row_each():
    assert neighbour_table(node_report(GRAPH, 2), GRAPH, Words()) == {
        "node": ["zero", "one", "three"],
        "class": ["a", "a", "b_c"],
        "part of the split": ["trains", "validates", "tests"],
        "edges": [2, 2, 1],
    }


def test_what_a_picture_leaves_out_is_said():
    assert drawn_in_words(20_000, 170_000) == (
        "The picture holds the 20,000 nodes with the most neighbours and the edges between them; "
        "150,000 nodes are left out. All counts below are of the whole graph."
    )


@pytest.mark.parametrize("colour", ["class", "part", "degree", "right_wrong"])
def test_every_colouring_says_how_to_read_it(colour):
    text = reading_in_words(words_of("cora"), colour)
    assert text.startswith(
        "How to read it: each dot is a paper, larger with more neighbours, each line a citation."
    )
