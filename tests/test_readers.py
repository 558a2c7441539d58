"""The two file formats: known graphs, malformed lines, and files that do not fit together."""

from __future__ import annotations

import pickle
from collections import defaultdict

import numpy as np
import pytest
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.graph import Cleaning
from gnnviz.readers import read_content_cites, read_planetoid

CONTENT = "p9\t1\t0\t0.5\tTheory\np2\t0\t0\t0\tCase Based\na\t0\t1\t1\tTheory\n"


def write_pair(folder, content=CONTENT, cites=""):
    (folder / "own.content").write_text(content, encoding="utf-8")
    (folder / "own.cites").write_text(cites, encoding="utf-8")
    return folder / "own.content", folder / "own.cites"


def test_a_pair_is_read_in_its_order_with_classes_by_name(tmp_path):
    # a is cited by p9 twice, p9 by itself, and two citations name an unknown id.
    graph = read_content_cites(*write_pair(tmp_path, cites="a\tp9\na p9\np9\tp9\nx\ta\n\na\ty\n"))
    assert graph.node_names == ("p9", "p2", "a")
    assert graph.class_names == ("Case Based", "Theory")
    assert graph.y is not None
    assert graph.y.tolist() == [1, 0, 1]
    assert isinstance(graph.x, sparse.csr_array)
    assert graph.x.toarray().tolist() == [[1, 0, 0.5], [0, 0, 0], [0, 1, 1]]
    assert graph.edge_index.tolist() == [[2, 0], [0, 2]]
    assert graph.cleaning == Cleaning(self_loops=1, duplicates=1, one_way=1, unknown_ids=2)
    assert graph.train_mask is None
    assert graph.name == "own"


def test_spaces_blank_lines_and_a_byte_order_mark_are_read(tmp_path):
    graph = read_content_cites(*write_pair(tmp_path, "\ufeffp9  1 0 Theory\n\np2 0 1 Neural\n", "p9 p2"))
    assert graph.node_names == ("p9", "p2")
    assert graph.num_edges == 1


@pytest.mark.parametrize(
    ("content", "cites", "sentence"),
    [
        ("", "", r"own\.content has no lines"),
        ("p9\t1\n", "", r"own\.content line 1: got 2 fields"),
        ("a 1 0 T\n\nb 1 T\n", "", r"own\.content line 3: got 3 fields; the first line has 4"),
        ("a 1 T\na 0 T\n", "", r"own\.content line 2: node 'a' is already on line 1"),
        ("a 1 T\nb one T\n", "", r"own\.content line 2: a feature is not a number"),
        ("a 1 T\nb nan T\n", "", r"own\.content line 2: feature 'nan' is not finite"),
        ("a 1 T\nb 1e99 T\n", "", r"own\.content line 2: feature '1e99' is not finite"),
        (CONTENT, "a p9\na\n", r"own\.cites line 2: got 1 fields"),
        (CONTENT, "a\tp9\tp2\n", r"own\.cites line 1: got 3 fields"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path, content, cites, sentence):
    with pytest.raises(DatasetError, match=sentence):
        read_content_cites(*write_pair(tmp_path, content, cites))


def test_a_missing_or_binary_text_file_is_refused(tmp_path):
    content, cites = write_pair(tmp_path)
    cites.unlink()
    with pytest.raises(DatasetError, match=r"cannot read .*own\.cites: No such file"):
        read_content_cites(content, cites)
    content.write_bytes(b"a 1 T\n\xff\xfe")
    with pytest.raises(DatasetError, match=r"own\.content is not UTF-8 text"):
        read_content_cites(content, cites)


# A small data set in the Planetoid format: 3 training nodes, 503 known ones, 4 test nodes in shuffled
# order, and node 505, which neither `allx` nor `tx` knows.
NUM_KNOWN = 503
TEST_INDEX = (507, 503, 506, 504)
GAP = 505
NUM_NODES = 508


def planetoid_parts():
    rng = np.random.default_rng(3)
    allx = (rng.random((NUM_KNOWN, 6)) < 0.3).astype(np.float32)
    tx = np.array(
        [[1, 0, 0, 0, 0, 2], [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]], np.float32
    )
    ally = np.eye(3, dtype=np.int32)[np.arange(NUM_KNOWN) % 3]
    graph = defaultdict(list, {node: [] for node in range(NUM_NODES)})
    graph.update({0: [1, 507], 1: [0, 0, 1], 507: [0]})
    return {
        "x": sparse.csr_matrix(allx[:3]),
        "allx": sparse.csr_matrix(allx),
        "tx": sparse.csr_matrix(tx),
        "y": ally[:3],
        "ally": ally,
        "ty": np.eye(3, dtype=np.int32)[[2, 1, 0, 1]],
        "graph": graph,
        "test.index": "".join(f"{node}\n" for node in TEST_INDEX),
    }


def write_planetoid(folder, name="mini", **changes):
    for part, value in {**planetoid_parts(), **changes}.items():
        path = folder / f"ind.{name}.{part}"
        if value is not None:
            path.write_bytes(value.encode() if isinstance(value, str) else pickle.dumps(value, protocol=4))
    return folder


def test_planetoid_files_give_the_public_split_and_place_the_test_nodes(tmp_path):
    parts = planetoid_parts()
    graph = read_planetoid(write_planetoid(tmp_path), "mini")
    assert graph.num_nodes == NUM_NODES
    assert isinstance(graph.x, sparse.csr_array)
    assert graph.x.dtype == np.float32
    x = graph.x.toarray()
    assert (x[:NUM_KNOWN] == parts["allx"].toarray()).all()
    assert x[507].tolist() == [1, 0, 0, 0, 0, 2]
    assert x[504].tolist() == [0, 0, 0, 1, 0, 0]
    assert graph.y is not None
    assert graph.y[[0, 1, 2, 507, 503, 506, 504]].tolist() == [0, 1, 2, 2, 1, 0, 1]
    assert np.flatnonzero(graph.train_mask).tolist() == [0, 1, 2]
    assert np.flatnonzero(graph.val_mask).tolist() == list(range(3, 503))
    assert np.flatnonzero(graph.test_mask).tolist() == sorted(TEST_INDEX)
    # 0-1 and 0-507 stay; node 1 names 0 twice and itself.
    assert graph.edge_index.tolist() == [[1, 507, 0, 0], [0, 0, 1, 507]]
    assert graph.cleaning == Cleaning(self_loops=1, duplicates=1)
    assert graph.num_classes == 3


def test_a_node_that_the_files_do_not_describe_has_no_edge_no_label_and_no_part_in_the_split(tmp_path):
    graph = read_planetoid(write_planetoid(tmp_path), "mini")
    assert graph.degrees()[GAP] == 0
    assert graph.x[[GAP]].sum() == 0
    assert graph.y is not None
    assert graph.y[GAP] == -1
    for mask in (graph.train_mask, graph.val_mask, graph.test_mask):
        assert mask is not None
        assert not mask[GAP]


@pytest.mark.parametrize("part", ["x", "tx", "allx", "y", "ty", "ally", "graph", "test.index"])
def test_a_missing_planetoid_file_is_named(tmp_path, part):
    write_planetoid(tmp_path, **{part: None})
    with pytest.raises(DatasetError, match=rf"lacks ind\.mini\.{part}; a Planetoid data set has eight"):
        read_planetoid(tmp_path, "mini")


def one_hot(labels, classes=3):
    return np.eye(classes, dtype=np.int32)[labels]


def graph_with(**changes):
    graph = planetoid_parts()["graph"]
    graph.update({int(node.removeprefix("n")): value for node, value in changes.items()})
    return graph


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x": sparse.csr_matrix(np.eye(3))}, "have 3, 6 and 6 features"),
        (
            {"x": sparse.csr_matrix(np.ones((3, 6)))},
            r"ind\.mini\.x is not the first 3 rows of ind\.mini\.allx",
        ),
        ({"x": sparse.csr_matrix(np.ones((600, 6)))}, r"ind\.mini\.x is not the first 600 rows"),
        ({"tx": sparse.csr_matrix(np.eye(5, 6))}, r"test\.index names 4 nodes, but \.tx has 5 rows"),
        ({"y": one_hot([2, 1, 0])}, r"ind\.mini\.y is not the first 3 rows of ind\.mini\.ally"),
        ({"ty": one_hot([0, 1, 2])}, r"\.ty have 503 and 3 rows"),
        ({"ty": one_hot([0, 1, 2, 3], 4)}, "have 3, 3 and 4 classes"),
        ({"ty": np.ones((4, 3))}, r"ind\.mini\.ty must have a single 1 in each row"),
        ({"ty": np.zeros((4, 3))}, r"ind\.mini\.ty must have a single 1 in each row"),
        ({"ty": np.arange(4)}, r"ind\.mini\.ty has shape \(4,\)"),
        ({"ty": np.array([["a"]])}, r"ind\.mini\.ty holds an array of 'U1'"),
        ({"ty": np.array([[None]])}, r"ind\.mini\.ty holds an array of 'O8'"),
        ({"ty": {1: 2}}, r"ind\.mini\.ty does not hold a numeric array"),
        ({"tx": np.eye(4, 6)}, r"ind\.mini\.tx does not hold a CSR matrix"),
        ({"graph": [1, 2]}, r"ind\.mini\.graph does not hold a dict"),
        ({"graph": graph_with(n3=[NUM_NODES])}, "node 3 has a neighbour outside 0 to 507"),
        ({"graph": graph_with(n3=[-1])}, "node 3 has a neighbour outside 0 to 507"),
        ({"graph": graph_with(n3=["4"])}, "node 3 has a neighbour that is not a whole number"),
        ({"graph": graph_with(n3=4)}, "holds a int by int; expected lists"),
        ({"graph": graph_with(n900=[])}, "they are not numbered 0 to 508"),
        ({"test.index": "507\n503\n506\n502\n"}, r"test\.index line 4: node 502 is not in 503 to 507"),
        ({"test.index": "507\n503\n506\n508\n"}, r"test\.index line 4: node 508 is not in 503 to 507"),
        ({"test.index": "507\n503\n506\n506\n"}, r"test\.index names a node twice"),
        ({"test.index": "507\n-3\n"}, r"test\.index line 2: got '-3'"),
        ({"test.index": "507\n503\n506\n"}, r"test\.index names 3 nodes"),
    ],
)
def test_planetoid_files_that_do_not_fit_together_are_refused(tmp_path, changes, sentence):
    with pytest.raises(DatasetError, match=sentence):
        read_planetoid(write_planetoid(tmp_path, **changes), "mini")


def test_too_few_known_nodes_for_the_public_split_are_refused(tmp_path):
    parts = planetoid_parts()
    write_planetoid(tmp_path, x=parts["allx"][:4], y=parts["ally"][:4])
    with pytest.raises(DatasetError, match=r"has 503 rows; the public split needs 4 for training and 500"):
        read_planetoid(tmp_path, "mini")


@pytest.mark.parametrize("name", ["../mini", "/etc/passwd", "a/b", "a\\b", "", ".mini", "..", "a\n"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="cannot name a data file"):
        read_planetoid(tmp_path, name)


def test_features_too_large_for_float32_are_refused(tmp_path):
    tx = sparse.csr_matrix(np.eye(4, 6) * 1e300)
    with pytest.raises(DatasetError, match="4 feature values are NaN or infinite"):
        read_planetoid(write_planetoid(tmp_path, tx=tx), "mini")
