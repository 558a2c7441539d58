"""Edits of a graph: what each adds or takes, what it leaves alone, what it says, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from gnnviz import graph_changes
from gnnviz.datasets import load_graph
from gnnviz.edits import EDITS, Edit, apply_edits, edit_and_report
from gnnviz.errors import DatasetError
from gnnviz.graph import UNLABELLED, Cleaning, Graph

KARATE = load_graph("karate")
# A path 0-1-2 and node 3 alone, with everything that a graph can have.
PATH = Graph(
    np.array([[1, 0], [2, 0], [0, 3], [0, 0]]),
    np.array([[0, 1, 1], [1, 2, 1]]),
    y=np.array([0, 1, 1, UNLABELLED]),
    train_mask=np.array([True, False, False, False]),
    val_mask=np.array([False, True, False, False]),
    test_mask=np.array([False, False, True, False]),
    class_names=("a", "b"),
    node_names=("p", "q", "r", "virtual node"),
    name="path",
    cleaning=Cleaning(unknown_ids=7),
)


def edited(name, graph=PATH, amount=None, seed=0):
    return apply_edits(graph, [Edit(name, amount, seed)])


def pairs(graph):
    return [tuple(edge) for edge in graph.edge_index.T.tolist() if edge[0] < edge[1]]


def ring(num_nodes):
    nodes = np.arange(num_nodes)
    return Graph(np.ones((num_nodes, 1)), np.stack([nodes, (nodes + 1) % num_nodes]))


def star(leaves):
    return Graph(np.ones((leaves + 1, 1)), np.stack([np.zeros(leaves, int), np.arange(1, leaves + 1)]))


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_every_edit_leaves_labels_masks_names_and_counts_right(name, kind):
    before = replace(PATH, x=kind(PATH.x))
    after = edited(name, before)
    assert type(after.x) is type(before.x)
    assert after.x.dtype == np.float32
    assert (after.x[:4, :2] - before.x).sum() == 0
    assert after.cleaning == before.cleaning == Cleaning(1, 0, 2, 7)
    assert (after.name, after.class_names) == (before.name, before.class_names)
    assert after.node_names[:4] == before.node_names
    for field in ("y", "train_mask", "val_mask", "test_mask"):
        assert getattr(after, field)[:4].tolist() == getattr(before, field).tolist()


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_has_words_and_takes_a_graph_of_features_alone(name):
    spec = EDITS[name]
    assert spec.label
    assert spec.help.endswith(".")
    bare = Graph(np.ones((3, 1)), np.array([[0], [1]]))
    after, (report,) = edit_and_report(bare, [Edit(name)])
    assert after.y is None
    assert after.train_mask is None
    assert after.node_names == ()
    assert report.sentence
    assert report.edges == (1, after.num_edges)


def test_virtual_edges_join_nodes_two_hops_apart():
    assert pairs(edited("virtual_edges")) == [(0, 1), (0, 2), (1, 2)]
    assert edited("virtual_edges", ring(5)).num_edges == 10
    assert edited("virtual_edges", star(4)).num_edges == 10
    complete = edited("virtual_edges", ring(5))
    assert edited("virtual_edges", complete).edge_index.tolist() == complete.edge_index.tolist()


def test_virtual_edges_of_the_karate_club_are_the_entries_of_a_plus_a_squared():
    adjacency = KARATE.adjacency().toarray()
    expected = (adjacency + adjacency @ adjacency > 0) & ~np.eye(34, dtype=bool)
    assert (edited("virtual_edges", KARATE).adjacency().toarray() > 0).tolist() == expected.tolist()


def test_too_many_virtual_edges_are_refused_at_the_limit(monkeypatch):
    monkeypatch.setattr(graph_changes, "MOST_VIRTUAL_EDGES", 6)
    assert edited("virtual_edges", star(4)).num_edges == 10
    monkeypatch.setattr(graph_changes, "MOST_VIRTUAL_EDGES", 5)
    with pytest.raises(DatasetError, match="would add more than 5 edges to graph, which has 4"):
        edited("virtual_edges", star(4))


def test_a_virtual_node_is_joined_to_all_and_counts_nowhere():
    after = edited("virtual_node")
    assert after.num_nodes == 5
    assert pairs(after) == [(0, 1), (1, 2), (0, 4), (1, 4), (2, 4), (3, 4)]
    assert after.x[4].tolist() == [0, 0]
    assert after.y is not None
    assert after.y[4] == UNLABELLED
    for mask in (after.train_mask, after.val_mask, after.test_mask):
        assert mask is not None
        assert not mask[4]
    assert after.node_names[4] == "virtual node 2"  # one is called so already
    assert after.homophily() == PATH.homophily()
    assert edited("virtual_node", after).num_edges == 11


def test_dropped_edges_are_a_share_that_the_seed_draws():
    assert edited("drop_edges", KARATE, 0.25).num_edges == 78 - 20  # half of 19.5 goes to the even side
    assert edited("drop_edges", KARATE, 0.0).edge_index.tolist() == KARATE.edge_index.tolist()
    assert edited("drop_edges", KARATE, 1).num_edges == 0
    some, same, other = (edited("drop_edges", KARATE, 0.5, seed) for seed in (1, 1, 2))
    assert some.edge_index.tolist() == same.edge_index.tolist() != other.edge_index.tolist()
    assert set(pairs(edited("drop_edges", KARATE, 0.8, 1))) < set(pairs(some)) < set(pairs(KARATE))


@pytest.mark.parametrize(
    ("name", "amount", "columns"),
    [
        ("constant", None, [[1], [1], [1], [1]]),
        ("one_hot_id", None, np.eye(4)),
        ("degree", None, np.log([[2], [3], [2], [1]])),
        ("clustering", None, np.zeros((4, 1))),
        ("cycles", None, np.zeros((4, 2))),
        ("random_walk", 2, [[0, 0.5], [0, 1], [0, 0.5], [0, 0]]),
    ],
)
def test_features_are_appended(name, amount, columns):
    assert edited(name, amount=amount).x[:, 2:] == pytest.approx(np.array(columns), abs=1e-7)


def test_cycles_are_appended_as_logarithms():
    complete = edited("virtual_edges", star(3))
    # K4: three triangles and three 4-cycles through each node.
    assert edited("cycles", complete).x[:, 1:] == pytest.approx(np.full((4, 2), np.log(4)))
    assert edited("clustering", complete).x[:, 1].tolist() == [1, 1, 1, 1]


def test_identities_of_a_large_dense_table_make_it_sparse(monkeypatch):
    monkeypatch.setattr(graph_changes, "MOST_DENSE_VALUES", 23)
    after = edited("one_hot_id")
    assert isinstance(after.x, sparse.csr_array)
    assert after.x.toarray()[:, :2].tolist() == PATH.x.tolist()
    assert isinstance(edited("degree").x, np.ndarray)


def test_edits_come_in_order_and_each_says_what_it_did():
    order = [Edit("virtual_edges"), Edit("virtual_node"), Edit("degree"), Edit("drop_edges", 1 / 7)]
    graph, reports = edit_and_report(PATH, order)
    assert [report.sentence for report in reports] == [
        "added 1 virtual edge: 2 -> 3",
        "added a node joined to all 4 others: 3 -> 7 edges",
        "added 1 feature (degree): 2 -> 3",
        "dropped 1 edge: 7 -> 6",
    ]
    assert graph.x[:, 2] == pytest.approx(np.log([4, 4, 4, 2, 5]))
    large = edit_and_report(load_graph("cora"), [Edit("virtual_edges"), Edit("virtual_edges", None)])[1]
    assert large[0].sentence == "added 43,166 virtual edges: 5,278 -> 48,444"
    assert edit_and_report(PATH, [Edit("drop_edges", 0.1)])[1][0].sentence == (
        "Fewer edges: nothing to change, still 2 edges"
    )
    assert apply_edits(PATH, []) is PATH


def test_an_edit_is_json_and_fills_in_its_default():
    edit = Edit("random_walk")
    assert edit == Edit("random_walk", 8, 0) == Edit("random_walk", 8.0)
    assert json.dumps(dataclasses.asdict(Edit("random_walk", 8.0))) == (
        '{"name": "random_walk", "amount": 8, "seed": 0}'
    )
    assert json.dumps(dataclasses.asdict(Edit("drop_edges", 1))["amount"]) == "1.0"
    assert Edit(**json.loads(json.dumps(dataclasses.asdict(edit)))) == edit
    assert Edit("drop_edges", 0.2, 3).phrase == "20 % fewer edges (seed 3)"
    assert edit.phrase == "8 return probabilities"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "virtual"}, "unknown edit 'virtual'; choose from virtual_edges, virtual_node, drop_edges"),
        ({"name": ["degree"]}, "unknown edit"),
        ({"name": "degree", "amount": 1}, "amount is 1, but the edit 'degree' takes none; leave it out"),
        ({"name": "degree", "seed": 1}, "seed is 1, but the edit 'degree' draws nothing; leave it at 0"),
        ({"name": "drop_edges", "amount": 1.5}, r"amount of drop_edges is 1\.5; choose a number from 0 to 1"),
        ({"name": "drop_edges", "amount": float("nan")}, "amount of drop_edges is nan"),
        ({"name": "drop_edges", "amount": "half"}, "amount of drop_edges is 'half'"),
        ({"name": "drop_edges", "amount": True}, "amount of drop_edges is True"),
        ({"name": "drop_edges", "seed": -1}, "seed is -1; choose a whole number from 0"),
        ({"name": "drop_edges", "seed": 1.0}, r"seed is 1\.0; choose a whole number"),
        ({"name": "random_walk", "amount": 2.5}, r"is 2\.5; choose a whole number from 1 to 32"),
        ({"name": "random_walk", "amount": 0}, "is 0; choose a whole number from 1 to 32"),
    ],
)
def test_what_is_no_edit_is_refused_in_words(fields, sentence):
    with pytest.raises(DatasetError, match=sentence):
        Edit(**fields)


def test_only_identities_are_not_inductive():
    assert [name for name, spec in EDITS.items() if not spec.is_inductive] == ["one_hot_id"]
