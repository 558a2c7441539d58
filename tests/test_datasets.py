"""What can be loaded: splits, normalisations, the karate club, own files, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from gnnviz.datasets import (
    DATASETS,
    NORMALISATIONS,
    SPLITS,
    DatasetSpec,
    available_splits,
    dataset_names,
    dataset_record,
    load_graph,
    load_spec,
    normalise_rows,
    pinned,
)
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def no_folders(monkeypatch):
    monkeypatch.delenv("GNNVIZ_PLANETOID", raising=False)
    monkeypatch.delenv("GNNVIZ_DATA", raising=False)


def split_sizes(graph):
    return tuple(int(mask.sum()) for mask in (graph.train_mask, graph.val_mask, graph.test_mask))


def test_the_random_split_of_cora_has_20_of_each_class_500_and_1000():
    graph = load_graph("cora", "random", split_seed=5)
    assert split_sizes(graph) == (140, 500, 1000)
    assert np.bincount(graph.y[graph.train_mask]).tolist() == [20] * 7


@pytest.mark.parametrize(("name", "split"), [("cora", "kipf"), ("cora", "random"), ("karate", "leaders")])
def test_no_node_is_in_two_parts_of_a_split(name, split):
    graph = load_graph(name, split)
    parts = np.stack([graph.train_mask, graph.val_mask, graph.test_mask])
    assert parts.sum(axis=0).max() == 1
    assert parts.any(axis=1).all()


def test_a_seed_gives_the_same_split_again_and_another_seed_another():
    first, again, other = (load_graph("cora", "random", split_seed=seed) for seed in (7, 7, 8))
    for field in ("train_mask", "val_mask", "test_mask"):
        assert getattr(first, field).tolist() == getattr(again, field).tolist()
        assert getattr(first, field).tolist() != getattr(other, field).tolist()


def test_the_karate_club_is_zacharys_with_its_two_factions():
    graph = load_graph("karate")
    assert (graph.num_nodes, graph.num_edges, graph.num_features) == (34, 78, 34)
    assert (graph.x == np.eye(34)).all()
    assert graph.class_names == ("Mr. Hi", "Officer")
    assert np.bincount(graph.y).tolist() == [17, 17]
    assert (graph.y[0], graph.y[33]) == (0, 1)
    assert (graph.degrees()[0], graph.degrees()[33]) == (16, 17)


def test_the_leaders_split_trains_on_the_two_leaders_alone():
    graph = load_graph("karate")
    assert np.flatnonzero(graph.train_mask).tolist() == [0, 33]
    assert np.bincount(graph.y[graph.val_mask]).tolist() == [4, 4]
    assert split_sizes(graph) == (2, 8, 24)


def test_the_random_split_of_a_small_graph_takes_a_fifth_of_each_class_and_a_third_of_the_rest():
    # 17 members of each faction: 3 of each train; of the 28 others 9 validate and 19 test.
    graph = load_graph("karate", "random")
    assert np.bincount(graph.y[graph.train_mask]).tolist() == [3, 3]
    assert split_sizes(graph) == (6, 9, 19)


@pytest.mark.usefixtures("no_folders")
def test_without_the_planetoid_files_the_public_split_says_what_to_set():
    assert available_splits("cora") == ("kipf", "random")
    assert available_splits("citeseer") == ()
    with pytest.raises(DatasetError, match=r"set GNNVIZ_PLANETOID to the folder that holds ind\.cora\.x"):
        load_graph("cora", "public")


@pytest.mark.usefixtures("no_folders")
def test_a_folder_without_the_files_does_not_offer_the_public_split(monkeypatch, tmp_path):
    monkeypatch.setenv("GNNVIZ_PLANETOID", str(tmp_path))
    assert available_splits("cora") == ("kipf", "random")
    with pytest.raises(DatasetError, match=r"lacks ind\.cora\.x, ind\.cora\.tx"):
        load_graph("cora", "public")


@pytest.mark.usefixtures("no_folders")
def test_a_variable_that_names_no_folder_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("GNNVIZ_PLANETOID", str(tmp_path / "absent"))
    with pytest.raises(DatasetError, match=r"GNNVIZ_PLANETOID is .*absent', which is no folder"):
        available_splits("cora")
    monkeypatch.delenv("GNNVIZ_PLANETOID")
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path / "absent"))
    with pytest.raises(DatasetError, match=r"GNNVIZ_DATA is .*absent', which is no folder"):
        dataset_names()


def write_own(folder, name, num_nodes, classes=2):
    lines = [f"n{node} 1 {node} c{node % classes}" for node in range(num_nodes)]
    (folder / f"{name}.content").write_text("\n".join(lines))
    (folder / f"{name}.cites").write_text("n0 n1\nn1 n2\n")


@pytest.mark.usefixtures("no_folders")
def test_own_pairs_are_listed_and_loaded(monkeypatch, tmp_path):
    write_own(tmp_path, "my graph-2.0", 12)
    write_own(tmp_path, "lonely", 12)
    (tmp_path / "lonely.cites").unlink()
    write_own(tmp_path, ".hidden", 12)
    assert dataset_names() == ("cora", "karate", "blocks")
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path))
    assert dataset_names() == ("cora", "karate", "blocks", "own:my graph-2.0")
    assert available_splits("own:my graph-2.0") == ("random",)
    assert available_splits("own:lonely") == ()
    graph = load_graph("own:my graph-2.0")
    assert graph.name == "my graph-2.0"
    assert graph.num_edges == 2
    # 6 nodes of each class: one of each trains; of the 10 others 3 validate and 7 test.
    assert split_sizes(graph) == (2, 3, 7)
    assert dataset_record("own:my graph-2.0").label == "my graph-2.0"
    with pytest.raises(DatasetError, match=r"cannot read .*lonely\.cites"):
        load_graph("own:lonely")


@pytest.mark.usefixtures("no_folders")
def test_an_own_graph_that_was_edited_is_another_graph(monkeypatch, tmp_path):
    write_own(tmp_path, "mine", 12)
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path))
    spec = pinned(DatasetSpec("own:mine", "random"))
    assert spec == pinned(spec)
    assert load_spec(spec).num_nodes == 12
    write_own(tmp_path, "mine", 13)
    with pytest.raises(DatasetError, match="mine have changed since"):
        load_spec(spec)
    assert load_spec(pinned(spec)).num_nodes == 13
    assert pinned(DatasetSpec()) == DatasetSpec()


def test_an_own_graph_of_100_nodes_a_class_trains_on_20_of_each(monkeypatch, tmp_path):
    write_own(tmp_path, "big", 199)
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path))
    graph = load_graph("own:big")
    assert np.bincount(graph.y[graph.train_mask]).tolist() == [20, 19]
    assert split_sizes(graph) == (39, 53, 107)


@pytest.mark.usefixtures("no_folders")
def test_an_own_graph_too_small_to_split_is_refused(monkeypatch, tmp_path):
    write_own(tmp_path, "tiny", 4)
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="tiny has 4 nodes in 2 classes, too few to split"):
        load_graph("own:tiny")


@pytest.mark.usefixtures("no_folders")
def test_an_own_graph_without_the_variable_says_what_to_set():
    assert available_splits("own:mine") == ()
    with pytest.raises(DatasetError, match=r"set GNNVIZ_DATA to the folder that holds mine\.content"):
        load_graph("own:mine")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "a/../../b", "a\\b", "", "c:x", "a\0b"])
def test_an_own_name_that_leaves_the_folder_is_refused(name):
    for use in (load_graph, available_splits, dataset_record):
        with pytest.raises(DatasetError, match="cannot name a data file"):
            use(f"own:{name}")
    with pytest.raises(DatasetError, match="cannot name a data file"):
        DatasetSpec(name=f"own:{name}", split="random")


HAND_TYPED = [[1, 1, 1, 1], [3, 0, -4, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("kind", [np.array, sparse.csr_array])
@pytest.mark.parametrize(
    ("normalisation", "expected"),
    [
        ("none", HAND_TYPED),
        ("l1", [[0.25] * 4, [3 / 7, 0, -4 / 7, 0], [0] * 4]),
        ("l2", [[0.5] * 4, [0.6, 0, -0.8, 0], [0] * 4]),
    ],
)
def test_rows_are_divided_by_their_norm_and_empty_rows_stay(kind, normalisation, expected):
    graph = Graph(x=kind(HAND_TYPED), edge_index=[[0], [1]])
    scaled = normalise_rows(graph.x, normalisation)
    assert type(scaled) is type(graph.x)
    assert scaled.dtype == np.float32
    values = scaled.toarray() if isinstance(scaled, sparse.csr_array) else scaled
    assert values == pytest.approx(np.array(expected), abs=1e-7)


def test_normalised_cora_has_rows_of_length_one():
    lengths = sparse.linalg.norm(load_graph("cora", normalisation="l2").x, axis=1)
    sums = load_graph("cora", normalisation="l1").x.sum(axis=1)
    assert lengths == pytest.approx(np.ones(2708), abs=1e-6)
    assert sums == pytest.approx(np.ones(2708), abs=1e-6)


def test_dividing_binary_words_by_the_root_of_the_row_sum_is_l2():
    x = load_graph("cora").x.toarray()
    by_root = x / np.sqrt(x.sum(axis=1, keepdims=True))
    assert np.abs(load_graph("cora", normalisation="l2").x.toarray() - by_root).max() < 1e-6


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_tells_what_it_is_and_has_known_splits(name):
    record = DATASETS[name]
    assert record.label
    assert record.help.endswith(".")
    assert record.source
    assert record.splits
    assert set(record.splits) <= set(SPLITS)


@pytest.mark.parametrize("registry", [SPLITS, NORMALISATIONS])
def test_every_split_and_normalisation_has_a_label_and_a_help_text(registry):
    for record in registry.values():
        assert record.label
        assert record.help.endswith(".")


@pytest.mark.parametrize("name", ["cora", "karate", "blocks"])
def test_every_offered_split_loads_with_every_normalisation(name):
    for split in available_splits(name):
        for normalisation in NORMALISATIONS:
            graph = load_graph(name, split, normalisation=normalisation)
            assert graph.train_mask is not None
            assert graph.num_classes >= 2


def test_importing_datasets_imports_neither_torch_nor_networkx_nor_sklearn():
    code = (
        "import sys, gnnviz.datasets as d; d.load_graph('cora');"
        "print({'torch', 'networkx', 'sklearn', 'pandas', 'streamlit'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
