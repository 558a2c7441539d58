"""The data type: cleaning, masks, hops, components and subgraphs on graphs small enough for paper."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.graph import Cleaning, Graph


def make_graph(edges, num_nodes=4, **fields):
    return Graph(x=np.eye(num_nodes), edge_index=np.array(edges).reshape(-1, 2).T, **fields)


def make_path(num_nodes):
    return make_graph([(node, node + 1) for node in range(num_nodes - 1)], num_nodes)


def test_cleaning_makes_symmetric_and_counts_every_change():
    # 0-1 both ways, one of them twice; 2 with itself; 1 -> 2 one way; 3 alone.
    graph = make_graph([(0, 1), (1, 0), (0, 1), (2, 2), (1, 2)])
    assert graph.edge_index.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]
    assert graph.cleaning == Cleaning(self_loops=1, duplicates=1, one_way=1)
    assert graph.num_edges == 2
    assert graph.degrees().tolist() == [1, 2, 1, 0]
    expected = [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert graph.adjacency().toarray().tolist() == expected


def test_a_repeated_self_loop_counts_as_self_loops_not_as_a_duplicate():
    assert make_graph([(2, 2), (2, 2)]).cleaning == Cleaning(self_loops=2)


def test_cleaning_a_clean_graph_changes_nothing_and_keeps_the_counts():
    first = make_graph([(0, 1), (0, 1)], cleaning=Cleaning(unknown_ids=3))
    again = dataclasses.replace(first, name="again")
    assert again.edge_index.tolist() == first.edge_index.tolist()
    assert again.cleaning == first.cleaning == Cleaning(duplicates=1, one_way=1, unknown_ids=3)


def test_edges_are_sorted_by_target_then_source():
    graph = make_graph([(3, 0), (1, 0), (2, 0), (3, 2)])
    assert graph.edge_index.tolist() == [[1, 2, 3, 0, 0, 3, 0, 2], [0, 0, 0, 1, 2, 2, 3, 3]]


def test_isolated_nodes_are_components_of_their_own():
    graph = make_graph([], 3)
    assert graph.num_edges == 0
    assert graph.edge_index.shape == (2, 0)
    assert graph.components().tolist() == [0, 1, 2]
    assert graph.degrees().tolist() == [0, 0, 0]


def test_components_are_ordered_by_size_then_by_lowest_node():
    # {0}, {1, 5}, {2, 3, 4}, {6, 7}: the largest first, then the pair of node 1, then that of node 6.
    graph = make_graph([(1, 5), (2, 3), (3, 4), (6, 7)], 8)
    assert graph.components().tolist() == [3, 1, 0, 0, 0, 1, 2, 2]


def test_a_graph_without_nodes_has_no_components():
    graph = Graph(x=np.zeros((0, 2)), edge_index=np.zeros((2, 0), dtype=int))
    assert graph.num_nodes == 0
    assert graph.degrees().tolist() == []


def test_hops_along_a_path_are_the_distances():
    graph = make_path(5)
    assert graph.k_hop(0, 0).tolist() == [0, -1, -1, -1, -1]
    assert graph.k_hop(0, 2).tolist() == [0, 1, 2, -1, -1]
    assert graph.k_hop([0, 4], 9).tolist() == [0, 1, 2, 1, 0]
    assert graph.k_hop(np.array([False, False, True, False, False]), 1).tolist() == [-1, 1, 0, 1, -1]


def test_hops_of_a_powered_adjacency_agree():
    rng = np.random.default_rng(0)
    graph = make_graph(rng.integers(0, 30, (35, 2)), 30)
    reach = np.eye(30)
    for hops in range(5):
        reached = graph.k_hop(7, hops) >= 0
        assert reached.tolist() == (reach[7] > 0).tolist()
        reach = reach @ (graph.adjacency().toarray() + np.eye(30))


def test_homophily_is_the_share_of_edges_within_a_class():
    assert make_graph([(0, 1), (1, 2), (2, 3)], y=[0, 0, 1, 1]).homophily() == pytest.approx(2 / 3)


@pytest.mark.parametrize(("edges", "y"), [([], [0, 1, 0, 1]), ([(0, 1)], None)])
def test_homophily_without_edges_or_labels_is_refused(edges, y):
    with pytest.raises(DatasetError, match="needs labels and edges"):
        make_graph(edges, y=y).homophily()


def test_a_subgraph_is_renumbered_in_the_order_asked_for():
    graph = make_graph(
        [(0, 1), (1, 2), (2, 3)],
        y=[0, 1, 2, 0],
        train_mask=np.array([True, False, False, False]),
        class_names=("a", "b", "c"),
    )
    part = graph.subgraph([3, 2, 0])
    assert part.x.tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]
    assert part.edge_index.tolist() == [[1, 0], [0, 1]]
    assert part.y is not None
    assert part.y.tolist() == [0, 2, 0]
    assert part.train_mask is not None
    assert part.train_mask.tolist() == [False, False, True]
    assert part.val_mask is None
    assert part.node_names == ("3", "2", "0")
    assert part.class_names == ("a", "b", "c")


def test_a_subgraph_by_mask_or_by_numbers_is_the_same_also_when_sparse():
    dense = make_path(4)
    bag = dataclasses.replace(dense, x=sparse.csr_array(dense.x))
    by_mask = bag.subgraph(np.array([True, True, False, True]))
    assert isinstance(by_mask.x, sparse.csr_array)
    assert by_mask.x.toarray().tolist() == dense.subgraph([0, 1, 3]).x.tolist()
    assert bag.subgraph([]).num_nodes == 0


def test_the_largest_component_leaves_the_others_out():
    part = make_graph([(1, 2), (2, 3)]).largest_component()
    assert part.node_names == ("1", "2", "3")
    assert part.num_edges == 2


@pytest.mark.parametrize("nodes", [[4], [-1], [0.5], [[0]], [True, False]])
def test_nodes_that_do_not_exist_are_refused(nodes):
    with pytest.raises(DatasetError, match="nodes"):
        make_path(4).subgraph(nodes)
    with pytest.raises(DatasetError, match="nodes"):
        make_path(4).k_hop(nodes, 1)


def test_a_subgraph_with_a_node_twice_is_refused():
    with pytest.raises(DatasetError, match="twice"):
        make_path(4).subgraph([1, 1])


def test_names_are_made_up_where_none_are_given():
    graph = make_graph([(0, 1)], y=[0, 2, 1, 0])
    assert graph.class_names == ("class 0", "class 1", "class 2")
    assert graph.num_classes == 3
    assert graph.node_name(2) == "2"
    assert dataclasses.replace(graph, node_names=list("abcd")).node_name(2) == "c"


def test_arrays_cannot_be_changed_and_the_caller_keeps_his():
    edges = np.array([[0], [1]])
    x = np.eye(2, dtype=np.float32)
    graph = Graph(x=x, edge_index=edges)
    x[0, 0] = 7
    assert graph.x[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        graph.edge_index[0, 0] = 1
    assert edges.flags.writeable


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
def test_sparse_features_stay_sparse_float32(kind):
    graph = Graph(x=kind(np.eye(3)), edge_index=[[0], [1]])
    assert isinstance(graph.x, sparse.csr_array)
    assert graph.x.dtype == np.float32
    assert (graph.num_nodes, graph.num_features) == (3, 3)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"x": [[1.0], [np.nan], [0], [0]]}, "1 feature values are NaN or infinite"),
        ({"x": [[1e300], [0], [0], [0]]}, "1 feature values are NaN or infinite"),
        ({"x": sparse.csr_array([[np.inf], [0], [0], [0]])}, "1 feature values are NaN or infinite"),
        ({"x": [1.0, 2.0]}, "features have shape"),
        ({"x": [["a"], ["b"]]}, "features must be numbers"),
        ({"x": [[1.0], [1.0, 2.0]]}, "features must be numbers"),
        ({"edge_index": [[0], [4]]}, "edges name nodes 0 to 4; the graph has nodes 0 to 3"),
        ({"edge_index": [[-1], [0]]}, "edges name nodes -1 to 0"),
        ({"edge_index": [[0.0], [1.0]]}, "give whole numbers"),
        ({"edge_index": [[0], [1], [2]]}, r"edge_index has shape \(3, 1\)"),
        ({"y": [0, 1, 2]}, "labels have shape"),
        ({"y": [0, 1, 2, 0.5]}, "labels have shape"),
        ({"y": [0, 1, 2, -2]}, "label -2 is negative; classes are numbered from 0, and -1 means no label"),
        (
            {"y": [0, 1, 1, -1], "val_mask": [False, False, True, True]},
            "val_mask holds 1 nodes without a label; leave them out of it",
        ),
        ({"y": [0, 1, 2, 3], "class_names": ("a", "b")}, "got 2 class names, but labels up to 3"),
        ({"train_mask": [1, 0, 0, 0]}, "train_mask has shape"),
        ({"test_mask": [True]}, "test_mask has shape"),
        ({"node_names": ("a",)}, "got 1 node names for 4 nodes"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(fields, sentence):
    with pytest.raises(DatasetError, match=sentence):
        Graph(**{"x": np.eye(4), "edge_index": [[0], [1]], **fields})
