"""Cora, bundled and in the Planetoid files: the known figures, one graph, a build that can be repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gnnviz.datasets import available_splits, load_graph
from gnnviz.graph import Cleaning
from gnnviz.known_data import CORA_FILE
from gnnviz.readers import read_content_cites

ROOT = Path(__file__).resolve().parents[1]
CLASS_SIZES = {
    "Case based": 298,
    "Genetic algorithms": 418,
    "Neural networks": 818,
    "Probabilistic methods": 426,
    "Reinforcement learning": 217,
    "Rule learning": 180,
    "Theory": 351,
}


def split_sizes(graph):
    return tuple(int(mask.sum()) for mask in (graph.train_mask, graph.val_mask, graph.test_mask))


@pytest.fixture
def public_cora():
    if not os.environ.get("GNNVIZ_PLANETOID"):
        pytest.skip("GNNVIZ_PLANETOID does not name a folder with the Planetoid files")
    return load_graph("cora", "public")


def class_sizes(graph):
    return dict(zip(graph.class_names, np.bincount(graph.y).tolist(), strict=True))


def test_cora_has_its_known_figures():
    graph = load_graph("cora")
    assert (graph.num_nodes, graph.num_features, graph.num_edges) == (2708, 1433, 5278)
    assert isinstance(graph.x, sparse.csr_array)
    assert graph.x.dtype == np.float32
    assert graph.x.nnz == 49216
    assert set(graph.x.data.tolist()) == {1.0}
    assert graph.node_names[0] == "31336"
    assert class_sizes(graph) == CLASS_SIZES
    assert graph.homophily() == pytest.approx(0.8100, abs=5e-5)
    assert graph.degrees().mean() == pytest.approx(3.898, abs=5e-4)
    assert graph.degrees().max() == 168
    assert graph.components().max() + 1 == 78
    largest = graph.largest_component()
    assert (largest.num_nodes, largest.num_edges) == (2485, 5069)


def test_the_cleaning_of_cora_accounts_for_all_5429_citations():
    graph = load_graph("cora")
    # 151 pairs of papers cite each other: 5429 citations = 2 * 151 + 5127 one-way ones = 5278 + 151.
    assert graph.cleaning == Cleaning(self_loops=0, duplicates=0, one_way=5127)
    assert 2 * graph.num_edges - graph.cleaning.one_way == 5429


def test_the_kipf_split_is_the_first_nodes_of_the_original_order():
    graph = load_graph("cora")
    assert np.flatnonzero(graph.train_mask).tolist() == list(range(140))
    assert np.flatnonzero(graph.val_mask).tolist() == list(range(200, 500))
    assert np.flatnonzero(graph.test_mask).tolist() == list(range(500, 1500))


def test_loading_twice_gives_equal_graphs_that_share_nothing():
    first, second = load_graph("cora"), load_graph("cora")
    assert (first.x != second.x).nnz == 0
    assert not np.shares_memory(first.x.data, second.x.data)
    assert first.edge_index.tolist() == second.edge_index.tolist()


def test_cora_written_as_the_original_pair_reads_back_as_the_same_graph(tmp_path):
    graph = load_graph("cora")
    with np.load(CORA_FILE) as stored:
        citing, cited = stored["citations"]
    words = graph.x.toarray().astype(int).astype(str)
    lines = [
        "\t".join((name, *row, graph.class_names[label].title().replace(" ", "_")))
        for name, row, label in zip(graph.node_names, words, graph.y, strict=True)
    ]
    (tmp_path / "cora.content").write_text("\n".join(lines))
    pairs = [f"{graph.node_names[b]}\t{graph.node_names[a]}\n" for a, b in zip(citing, cited, strict=True)]
    (tmp_path / "cora.cites").write_text("".join(pairs))
    again = read_content_cites(tmp_path / "cora.content", tmp_path / "cora.cites")
    assert (again.x != graph.x).nnz == 0
    assert again.y.tolist() == graph.y.tolist()
    assert again.edge_index.tolist() == graph.edge_index.tolist()
    assert again.cleaning == graph.cleaning
    assert again.class_names[2] == "Neural_Networks"


def write_source_tables(folder):
    """Write the tables that the bundled file was built from, as its source has them."""
    package_order = [2, 5, 4, 3, 6, 1, 0]  # positions in the sorted names of the subjects 0 to 6
    with np.load(CORA_FILE) as stored:
        arrays = dict(stored)
    indptr, indices = arrays["word_indptr"], arrays["word_indices"]
    words = sparse.csr_array((np.ones(len(indices)), indices.astype(int), indptr), shape=(2708, 1433))
    subject = np.argsort(package_order)[arrays["labels"]]
    nodes = {"nodeId": arrays["paper_ids"], "subject": subject, "features": list(words.toarray().astype(int))}
    citing, cited = arrays["paper_ids"][arrays["citations"]]
    pd.DataFrame(nodes).to_parquet(folder / "cora_nodes.parquet.gzip", compression="gzip")
    tables = pd.DataFrame({"sourceNodeId": cited, "targetNodeId": citing})
    tables.to_parquet(folder / "cora_rels.parquet.gzip", compression="gzip")


def build_cora(source, output):
    command = [sys.executable, "data/build_cora.py", str(source), "--output", str(output)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_build_script_gives_the_bundled_arrays_and_the_same_bytes_each_time(tmp_path):
    write_source_tables(tmp_path)
    for output in ("first.npz", "second.npz"):
        done = build_cora(tmp_path, tmp_path / output)
        assert "all 13 figures as expected" in done.stdout, done.stderr
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    with np.load(CORA_FILE) as bundled, np.load(tmp_path / "first.npz") as built:
        assert bundled.files == built.files
        for name in bundled.files:
            assert bundled[name].dtype == built[name].dtype
            assert bundled[name].tolist() == built[name].tolist(), name


def test_the_build_script_refuses_another_graph(tmp_path):
    write_source_tables(tmp_path)
    citations = pd.read_parquet(tmp_path / "cora_rels.parquet.gzip")
    citations.iloc[1:].to_parquet(tmp_path / "cora_rels.parquet.gzip", compression="gzip")
    done = build_cora(tmp_path, tmp_path / "cora.npz")
    assert done.returncode == 1
    assert "citations: 5428, not 5429" in done.stderr
    assert not (tmp_path / "cora.npz").exists()


def test_the_bundled_file_is_small():
    assert CORA_FILE.stat().st_size < 200_000


def test_public_cora_has_its_known_split(public_cora):
    assert split_sizes(public_cora) == (140, 500, 1000)
    assert np.bincount(public_cora.y[public_cora.train_mask]).tolist() == [20] * 7
    assert np.flatnonzero(public_cora.train_mask).tolist() == list(range(140))
    assert np.flatnonzero(public_cora.val_mask).tolist() == list(range(140, 640))
    assert np.flatnonzero(public_cora.test_mask).tolist() == list(range(1708, 2708))


def test_public_cora_is_the_same_graph_as_the_bundled_one(public_cora):
    bundled = load_graph("cora")
    assert public_cora.num_edges == bundled.num_edges == 5278
    assert class_sizes(public_cora) == CLASS_SIZES
    assert public_cora.class_names == bundled.class_names
    assert public_cora.homophily() == bundled.homophily()

    def portraits(graph):
        words = np.asarray(graph.x.sum(axis=1)).astype(int)
        neighbours = [graph.edge_index[0, graph.edge_index[1] == node] for node in range(graph.num_nodes)]
        degrees = graph.degrees()
        return Counter(
            (
                int(graph.y[node]),
                int(words[node]),
                tuple(sorted(zip(degrees[near], words[near], strict=True))),
            )
            for node, near in enumerate(neighbours)
        )

    # The orders differ; class, words, and degree and words of every neighbour tell most papers apart.
    assert portraits(public_cora) == portraits(bundled)
    assert len(portraits(bundled)) > 2400


def test_with_the_planetoid_files_the_public_split_is_offered(public_cora):
    assert public_cora.name == "Cora"
    assert available_splits("cora") == ("kipf", "random", "public")
