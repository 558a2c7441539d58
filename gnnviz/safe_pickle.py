"""Reads arrays, CSR matrices and neighbour lists from pickles without running what they name.

Nothing that a pickle names is imported: each allowed name stands for a record of ours that keeps
what the pickle gives it, and the arrays are built from checked records. Knows no dataset.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.errors import DatasetError

NUMBER_TYPES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")
# Arrays need about a dozen; hashing a million nested tuples overflows the interpreter's own stack.
MAX_TUPLES = 1000
# What `pickle` and `pickletools` raise on a file that is cut off, damaged or hostile.
UNREADABLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    DeprecationWarning,  # of an escape that no sound file has, where warnings are errors
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def read_array(path: Path) -> NDArray:
    """Return the numeric array pickled in `path`, of any shape, read-only.

    Raises:
        DatasetError: no such file, not a pickle, a name that is not allowed, no sound array.
    """
    return _to_array(_load(path), path)


def read_matrix(path: Path) -> sparse.csr_array:
    """Return the `scipy.sparse.csr_matrix` pickled in `path` as a float32 array [rows, columns].

    Raises:
        DatasetError: as `read_array`, or pointers and columns that do not fit together.
    """
    record = _load(path)
    state = record.state if isinstance(record, _Matrix) else None
    if not isinstance(state, dict) or not {"_shape", "indptr", "indices", "data"} <= state.keys():
        raise DatasetError(f"{path} does not hold a CSR matrix; give the original Planetoid file")
    indptr, indices, data = (_to_array(state[key], path) for key in ("indptr", "indices", "data"))
    rows, columns = _as_shape(state["_shape"], 2, path)
    sound = (
        indptr.dtype.kind in "iu"
        and indices.dtype.kind in "iu"
        and indptr.shape == (rows + 1,)
        and indices.shape == data.shape == (indptr[-1],)
        and indptr[0] == 0
        and (indptr[1:] >= indptr[:-1]).all()
        and (not indices.size or (indices.min() >= 0 and indices.max() < columns))
    )
    if not sound:
        raise DatasetError(f"the CSR matrix in {path} points outside its {rows} x {columns} values")
    with np.errstate(over="ignore"):  # becomes infinite, which a graph refuses in words
        values = data.astype(np.float32)
    pointers = (indices.astype(np.int64), indptr.astype(np.int64))
    matrix = sparse.csr_array((values, *pointers), shape=(rows, columns))
    matrix.sum_duplicates()
    return matrix


def read_neighbours(path: Path) -> dict[int, list[int]]:
    """Return the neighbours of each node from a pickled dict of lists of node numbers.

    Raises:
        DatasetError: as `read_array`, or anything but lists of whole numbers by whole number.
    """
    table = _load(path)
    if not isinstance(table, dict):
        raise DatasetError(f"{path} does not hold a dict of neighbours; give the original Planetoid file")
    for node, neighbours in table.items():
        if type(node) is not int or not isinstance(neighbours, list):
            found = f"a {type(neighbours).__name__} by {type(node).__name__}"
            raise DatasetError(f"{path} holds {found}; expected lists of neighbours by a node's number")
        if not all(type(neighbour) is int for neighbour in neighbours):
            raise DatasetError(f"{path}: node {node} has a neighbour that is not a whole number")
    return dict(table)


class _Record:
    """Keeps what a pickle calls a name with, and the state it sets; does nothing with either."""

    __slots__ = ("arguments", "state")

    def __new__(cls, *arguments: object) -> _Record:
        record = super().__new__(cls)
        record.arguments = arguments
        record.state = None
        return record

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Name(_Record):
    """Stands for `list` and `numpy.ndarray`, which are only named as arguments."""


class _Type(_Record):
    """Stands for `numpy.dtype`."""


class _Array(_Record):
    """Stands for the function that numpy makes an empty array with."""


class _Matrix(_Record):
    """Stands for `scipy.sparse.csr_matrix`."""


class _Lists(dict):
    """Stands for `collections.defaultdict`, without making entries."""

    __slots__ = ()

    def __init__(self, *_factory: object) -> None:
        super().__init__()


ALLOWED: dict[tuple[str, str], type] = {
    ("__builtin__", "list"): _Name,
    ("builtins", "list"): _Name,
    ("collections", "defaultdict"): _Lists,
    ("numpy", "ndarray"): _Name,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("scipy.sparse.csr", "csr_matrix"): _Matrix,
    ("scipy.sparse._csr", "csr_matrix"): _Matrix,
}


class _Unpickler(pickle.Unpickler):
    """Resolves the allowed names to records, and refuses every other."""

    def __init__(self, content: bytes, path: Path) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in ALLOWED:
            raise DatasetError(
                f"{self._path} asks for {module}.{name}, which no data file needs; "
                "it was not run. Get the file again from a source that you trust"
            )
        return ALLOWED[module, name]


def _load(path: Path) -> object:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    try:
        _check_cost(content)
        return _Unpickler(content, path).load()
    except DatasetError:
        raise
    except UNREADABLE as error:
        raise DatasetError(f"{path} is cut off or damaged; get the file again ({error})") from error


def _check_cost(content: bytes) -> None:
    """Refuse a small file that would take much memory or stack; also refuses one that is cut off."""
    tuples = 0
    for opcode, argument, _ in pickletools.genops(content):
        tuples += opcode.name.startswith("TUPLE")
        # The memo is a table as long as its largest index.
        if opcode.name.endswith("PUT") and isinstance(argument, int) and argument > len(content):
            raise ValueError(f"memo index {argument} in {len(content)} bytes")
    if tuples > MAX_TUPLES:
        raise ValueError(f"{tuples} tuples, at most {MAX_TUPLES} are read")


def _to_array(record: object, path: Path) -> NDArray:
    """Return the array that numpy would make of `(version, shape, dtype, is_fortran, bytes)`."""
    state = record.state if isinstance(record, _Array) else None
    if not isinstance(state, tuple) or len(state) != 5:
        raise DatasetError(f"{path} does not hold a numeric array; give the original Planetoid file")
    _, shape, recorded_type, is_fortran, raw = state
    shape = _as_shape(shape, None, path)
    dtype = _to_dtype(recorded_type, path)
    if isinstance(raw, str):
        raw = raw.encode("latin1", errors="replace")  # bytes of Python 2; always latin1 in a sound file
    if not isinstance(raw, bytes) or len(raw) != math.prod(shape) * dtype.itemsize:
        raise DatasetError(f"{path} holds an array whose values do not fill its shape {shape}")
    values = np.frombuffer(raw, dtype=dtype)
    return values.reshape(shape, order="F" if is_fortran else "C").astype(dtype.newbyteorder("="), copy=False)


def _to_dtype(record: object, path: Path) -> np.dtype:
    arguments = record.arguments if isinstance(record, _Type) else ()
    state = record.state if isinstance(record, _Type) else None
    name = arguments[0] if arguments else None
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
    if name not in NUMBER_TYPES or order not in ("<", ">", "|", "="):
        found = name[:8] if isinstance(name, str) else type(name).__name__
        raise DatasetError(f"{path} holds an array of {found!r}; numbers are {', '.join(NUMBER_TYPES)}")
    return np.dtype(f"{order}{name}")


def _as_shape(shape: object, dimensions: int | None, path: Path) -> tuple[int, ...]:
    sizes = shape if isinstance(shape, tuple) else ()
    whole = tuple(size for size in sizes if type(size) is int and 0 <= size < 2**31)
    if not whole or len(whole) != len(sizes) or len(sizes) != (dimensions or len(sizes)) or len(sizes) > 2:
        raise DatasetError(f"{path} holds an array whose shape is not one or two whole numbers")
    return whole
