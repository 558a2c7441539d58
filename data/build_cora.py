"""Builds `data/cora.npz` from the Cora files in the PyPI package `graphdatascience`.

    pip download graphdatascience==2.2 --no-deps
    python data/build_cora.py graphdatascience-2.2-py3-none-any.whl

Reads the wheel as it is, or any folder that holds the two parquet files. Needs pandas with pyarrow.
The same input gives the same bytes: member order and timestamps of the archive are fixed.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

NODES_FILE = "cora_nodes.parquet.gzip"
CITATIONS_FILE = "cora_rels.parquet.gzip"
# The package stores a number for each subject; this is the order in which it numbers them.
SUBJECTS = (
    "Neural networks",
    "Rule learning",
    "Reinforcement learning",
    "Probabilistic methods",
    "Theory",
    "Genetic algorithms",
    "Case based",
)
EXPECTED = {
    "nodes": 2708,
    "words": 1433,
    "ones": 49216,
    "citations": 5429,
    "undirected edges": 5278,
    "components": 78,
    "largest component, nodes": 2485,
    "largest component, edges": 5069,
    "edge homophily": 0.8100,
    "mean degree": 3.898,
    "largest degree": 168,
    "class sizes": [818, 426, 418, 351, 298, 217, 180],
    "first paper": 31336,
}


def read_tables(source: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of nodes and of citations from a wheel or from a folder."""
    if source.is_dir():
        found = {path.name: path.read_bytes() for path in source.rglob("cora_*.parquet.gzip")}
    else:
        with zipfile.ZipFile(source) as wheel:
            found = {Path(name).name: wheel.read(name) for name in wheel.namelist() if "/cora/" in name}
    missing = [name for name in (NODES_FILE, CITATIONS_FILE) if name not in found]
    if missing:
        raise SystemExit(
            f"{source} holds no {' and no '.join(missing)}; give the wheel or its unpacked folder"
        )
    nodes, citations = (pd.read_parquet(io.BytesIO(found[name])) for name in (NODES_FILE, CITATIONS_FILE))
    return nodes, citations


def to_arrays(nodes: pd.DataFrame, citations: pd.DataFrame) -> dict[str, NDArray]:
    """Return what is stored: N papers in the order given, words as CSR indices, citations as positions.

    Classes are numbered by name. `citations` is [2, 5429]: row 0 the paper that cites, row 1 the one
    that is cited, as listed, repetitions and both directions included.
    """
    words = np.stack(nodes["features"].to_list())  # [N, F]
    if not np.isin(words, (0, 1)).all():
        raise SystemExit("a word is neither 0 nor 1; this is not the binary Cora")
    features = sparse.csr_array(words)
    class_names = sorted(SUBJECTS)
    number = np.array([class_names.index(subject) for subject in SUBJECTS], dtype=np.uint8)
    paper_ids = nodes["nodeId"].to_numpy()
    position = pd.Index(paper_ids)
    cited, citing = (
        position.get_indexer(pd.Index(citations[column])) for column in ("sourceNodeId", "targetNodeId")
    )
    if min(cited.min(), citing.min()) < 0:
        raise SystemExit("a citation names a paper that is not among the nodes")
    return {
        "paper_ids": paper_ids.astype(np.int32),
        "labels": number[nodes["subject"].to_numpy()],
        "class_names": np.array(class_names),
        "num_words": np.array(words.shape[1], dtype=np.int32),
        "word_indptr": features.indptr.astype(np.int32),
        "word_indices": features.indices.astype(np.uint16),
        "citations": np.stack([citing, cited]).astype(np.uint16),
    }


def measure(arrays: dict[str, NDArray]) -> dict[str, object]:
    """Return the figures of `EXPECTED`, counted on the arrays."""
    num_nodes = len(arrays["paper_ids"])
    one_way = sparse.coo_array((np.ones(arrays["citations"].shape[1]), arrays["citations"]), (num_nodes,) * 2)
    adjacency = sparse.csr_array(one_way + one_way.T)
    adjacency.setdiag(0)
    adjacency.eliminate_zeros()
    source, target = adjacency.nonzero()
    degrees = np.bincount(source, minlength=num_nodes)
    count, component = csgraph.connected_components(adjacency, directed=False)
    sizes = np.bincount(component)
    labels = arrays["labels"]
    return {
        "nodes": num_nodes,
        "words": int(arrays["num_words"]),
        "ones": len(arrays["word_indices"]),
        "citations": arrays["citations"].shape[1],
        "undirected edges": len(source) // 2,
        "components": int(count),
        "largest component, nodes": int(sizes.max()),
        "largest component, edges": int((component[source] == sizes.argmax()).sum()) // 2,
        "edge homophily": round(float((labels[source] == labels[target]).mean()), 4),
        "mean degree": round(float(degrees.mean()), 3),
        "largest degree": int(degrees.max()),
        "class sizes": sorted(np.bincount(labels).tolist(), reverse=True),
        "first paper": int(arrays["paper_ids"][0]),
    }


def write_npz(path: Path, arrays: dict[str, NDArray]) -> None:
    """Write what `numpy.load` reads, with fixed timestamps, so that the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # the same on Windows
            member.compress_type = zipfile.ZIP_DEFLATED
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            archive.writestr(member, buffer.getvalue(), compresslevel=9)


def main() -> None:
    """Build the file, but only if every figure is the known one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path, help="the wheel, or a folder that holds the parquet files")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("cora.npz"))
    arguments = parser.parse_args()
    arrays = to_arrays(*read_tables(arguments.source))
    measured = measure(arrays)
    wrong = [
        f"{key}: {measured[key]}, not {EXPECTED[key]}" for key in EXPECTED if measured[key] != EXPECTED[key]
    ]
    if wrong:
        sys.exit("this is not the Cora that gnnviz bundles: " + "; ".join(wrong))
    write_npz(arguments.output, arrays)
    size = arguments.output.stat().st_size
    print(f"{arguments.output}: {size} bytes, all {len(EXPECTED)} figures as expected")


if __name__ == "__main__":
    main()
