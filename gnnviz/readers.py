"""Reads graphs from the two file formats that citation graphs are passed around in.

`read_content_cites` reads a pair of text files, `read_planetoid` the eight files of a Planetoid
data set with its public split. Knows formats; knows no registry, no environment and no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.graph import UNLABELLED, Cleaning, Graph, shape_of
from gnnviz.safe_pickle import read_array, read_matrix, read_neighbours

PLANETOID_PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
PLANETOID_VALIDATION_NODES = 500


def check_file_name(name: str) -> str:
    """Return `name` if it is a plain file name without an extension that could leave its folder.

    Raises:
        DatasetError: anything but letters, digits, spaces, `_`, `-` and dots that do not lead.
    """
    if not re.fullmatch(r"\w[\w .-]*", name):
        raise DatasetError(
            f"{name[:80]!r} cannot name a data file; use letters, digits, spaces, '_', '-' and '.', "
            "starting with a letter or digit"
        )
    return name


def read_content_cites(content: Path, cites: Path) -> Graph:
    """Return the graph of a `.content` and a `.cites` file, without a split.

    A line of `content` is `id feature ... feature class`, a line of `cites` is `cited_id citing_id`;
    fields are separated by tabs, or by spaces where a line has no tab. Classes are numbered by name.
    Citations of an id that is not in `content` are dropped and counted in `cleaning.unknown_ids`.

    Raises:
        DatasetError: a file that cannot be read, or a malformed line, named by file and number.
    """
    ids, features, classes = _read_content(content)
    position = {node_id: node for node, node_id in enumerate(ids)}
    edges, unknown = [], 0
    for number, fields in _lines(cites):
        if len(fields) != 2:
            raise DatasetError(
                f"{cites} line {number}: got {len(fields)} fields; give a cited and a citing id"
            )
        cited, citing = fields
        if cited in position and citing in position:
            edges.append((position[citing], position[cited]))
        else:
            unknown += 1
    class_names = tuple(sorted(set(classes)))
    number_of = {name: number for number, name in enumerate(class_names)}
    return Graph(
        x=features,
        edge_index=np.array(edges, dtype=np.int64).reshape(-1, 2).T,
        y=np.array([number_of[name] for name in classes], dtype=np.int64),
        class_names=class_names,
        node_names=tuple(ids),
        name=content.stem,
        cleaning=Cleaning(unknown_ids=unknown),
    )


def planetoid_paths(folder: Path, name: str) -> dict[str, Path]:
    """Return the eight files of a Planetoid data set by part, whether they are there or not."""
    return {part: folder / f"ind.{check_file_name(name)}.{part}" for part in PLANETOID_PARTS}


def read_planetoid(folder: Path, name: str = "cora") -> Graph:
    """Return the Planetoid data set `name` with its public split.

    Nodes 0 to A-1 are the A rows of `allx`; `test.index` says which node each row of `tx` is. The
    first rows, those of `y`, are for training, the next 500 for validation, `test.index` for testing.
    A node in neither (Citeseer has 15) has no features and no known class: it gets a row of zeros,
    no label and no part in the split. Classes keep the numbers of the files, which do not name them.

    Args:
        folder: holds `ind.NAME.x`, `.tx`, `.allx`, `.y`, `.ty`, `.ally`, `.graph` and `.test.index`.
        name: of the data set, such as cora, citeseer or pubmed.

    Raises:
        DatasetError: a file that is missing, damaged, hostile, or does not fit the others.

    Reference: Yang, Cohen & Salakhutdinov, ICML 2016 (the split).
    """
    paths = planetoid_paths(folder, name)
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        raise DatasetError(f"{folder} lacks {', '.join(missing)}; a Planetoid data set has eight files")
    edges, num_nodes = _read_edges(paths["graph"])
    known, test_nodes, x = _read_features(paths, num_nodes)
    num_known = len(known) - len(test_nodes)
    labels, num_classes, num_train = _read_labels(paths, num_known, len(test_nodes))
    y = np.full(num_nodes, UNLABELLED)
    y[known] = labels
    val_end = num_train + PLANETOID_VALIDATION_NODES
    if val_end > num_known:
        raise DatasetError(
            f"{paths['allx']} has {num_known} rows; the public split needs {num_train} for training "
            f"and {PLANETOID_VALIDATION_NODES} for validation"
        )
    node = np.arange(num_nodes)
    return Graph(
        x=x,
        edge_index=edges,
        y=y,
        train_mask=node < num_train,
        val_mask=(node >= num_train) & (node < val_end),
        test_mask=np.isin(node, test_nodes),
        class_names=tuple(f"class {number}" for number in range(num_classes)),
        name=name,
    )


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number, from 1, and the fields of every line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _fields(line.strip())
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _fields(line: str) -> list[str]:
    return [field.strip() for field in line.split("\t")] if "\t" in line else line.split()


def _read_content(path: Path) -> tuple[list[str], sparse.csr_array, list[str]]:
    """Return ids, features [N, F] and names of classes, in the order of the file."""
    line_of: dict[str, int] = {}
    classes: list[str] = []
    columns, values = [], []
    width = 0
    for number, fields in _lines(path):
        if len(fields) < 3:
            raise DatasetError(f"{path} line {number}: got {len(fields)} fields; give id, features and class")
        width = width or len(fields)
        if len(fields) != width:
            raise DatasetError(f"{path} line {number}: got {len(fields)} fields; the first line has {width}")
        if fields[0] in line_of:
            first = line_of[fields[0]]
            raise DatasetError(f"{path} line {number}: node {fields[0]!r} is already on line {first}")
        row = _as_numbers(fields[1:-1], f"{path} line {number}")
        line_of[fields[0]] = number
        classes.append(fields[-1])
        columns.append(np.flatnonzero(row))
        values.append(row[columns[-1]])
    if not classes:
        raise DatasetError(f"{path} has no lines; give one line per node: id, features and class")
    indptr = np.cumsum([0, *map(len, columns)])
    shape = (len(classes), width - 2)
    features = sparse.csr_array((np.concatenate(values), np.concatenate(columns), indptr), shape=shape)
    return list(line_of), features, classes


def _as_numbers(fields: list[str], place: str) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(fields, dtype=np.float32)
    except ValueError as error:
        raise DatasetError(f"{place}: a feature is not a number: {error}") from error
    if not np.isfinite(numbers).all():
        raise DatasetError(
            f"{place}: feature {fields[int((~np.isfinite(numbers)).argmax())]!r} is not finite"
        )
    return numbers


def _read_edges(path: Path) -> tuple[NDArray[np.int64], int]:
    """Return every listed neighbour as an edge [2, E], and the number of nodes."""
    neighbours = read_neighbours(path)
    num_nodes = len(neighbours)
    if sorted(neighbours) != list(range(num_nodes)):
        raise DatasetError(f"{path} lists {num_nodes} nodes, but they are not numbered 0 to {num_nodes - 1}")
    for node, others in neighbours.items():
        if others and not 0 <= min(others) <= max(others) < num_nodes:
            raise DatasetError(f"{path}: node {node} has a neighbour outside 0 to {num_nodes - 1}")
    pairs = [(other, node) for node, others in neighbours.items() for other in others]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T, num_nodes


def _read_features(
    paths: dict[str, Path], num_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], sparse.csr_array]:
    """Return the node of each row of `allx` and `tx` [K], the test nodes [T], and x [N, F]."""
    x, allx, tx = (read_matrix(paths[part]) for part in ("x", "allx", "tx"))
    (num_train, width), (num_known, all_width), (num_test, test_width) = map(shape_of, (x, allx, tx))
    if not width == all_width == test_width:
        raise DatasetError(f"{paths['x']}, .allx and .tx have {width}, {all_width} and {test_width} features")
    if num_train > num_known or (x != allx[:num_train]).nnz:
        raise DatasetError(f"{paths['x']} is not the first {num_train} rows of {paths['allx'].name}")
    test_nodes = _read_test_index(paths["test.index"], num_known, num_nodes)
    if len(test_nodes) != num_test:
        raise DatasetError(
            f"{paths['test.index']} names {len(test_nodes)} nodes, but .tx has {num_test} rows"
        )
    known = np.concatenate([np.arange(num_known), test_nodes])
    rows = sparse.coo_array(sparse.vstack([allx, tx]))
    placed = (rows.data, (known[rows.row], rows.col))
    return known, test_nodes, sparse.csr_array(placed, shape=(num_nodes, width))


def _read_test_index(path: Path, first: int, num_nodes: int) -> NDArray[np.int64]:
    nodes: list[int] = []
    for number, fields in _lines(path):
        if len(fields) != 1 or not re.fullmatch(r"[0-9]{1,10}", fields[0]):
            raise DatasetError(f"{path} line {number}: got {' '.join(fields)[:40]!r}; give one node's number")
        nodes.append(int(fields[0]))
        if not first <= nodes[-1] < num_nodes:
            raise DatasetError(f"{path} line {number}: node {nodes[-1]} is not in {first} to {num_nodes - 1}")
    if len(set(nodes)) != len(nodes):
        raise DatasetError(f"{path} names a node twice; give every test node once")
    return np.array(nodes, dtype=np.int64)


def _read_labels(paths: dict[str, Path], num_known: int, num_test: int) -> tuple[NDArray[np.int64], int, int]:
    """Return the class of each row of `allx` and `tx` [K], and how many classes and training nodes."""
    y, ally, ty = (_read_one_hot(paths[part]) for part in ("y", "ally", "ty"))
    classes, all_classes, test_classes = y.shape[1], ally.shape[1], ty.shape[1]
    if not classes == all_classes == test_classes:
        raise DatasetError(
            f"{paths['y']}, .ally and .ty have {classes}, {all_classes} and {test_classes} classes"
        )
    if not np.array_equal(y, ally[: len(y)]):
        raise DatasetError(f"{paths['y']} is not the first {len(y)} rows of {paths['ally'].name}")
    if (len(ally), len(ty)) != (num_known, num_test):
        found = f"{len(ally)} and {len(ty)} rows"
        raise DatasetError(f"{paths['ally']} and .ty have {found}; .allx and .tx {num_known} and {num_test}")
    return np.concatenate([ally, ty]).argmax(axis=1), classes, len(y)


def _read_one_hot(path: Path) -> NDArray:
    table = read_array(path)
    if table.ndim != 2 or not table.shape[1]:
        raise DatasetError(f"{path} has shape {table.shape}; expected a table [nodes, classes]")
    if not np.isin(table, (0, 1)).all() or not (table.sum(axis=1) == 1).all():
        raise DatasetError(f"{path} must have a single 1 in each row, at the node's class, and 0 elsewhere")
    return table
