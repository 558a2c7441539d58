"""Pickles of arrays, matrices and neighbour lists: sound ones, damaged ones and hostile ones."""

from __future__ import annotations

import builtins
import os
import pickle
import pickletools
import struct
from collections import defaultdict

import numpy as np
import pytest
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.safe_pickle import read_array, read_matrix, read_neighbours

PYTHON_2_ARRAY = (  # numpy.array([[1, 2], [3, 250]], dtype="int32") as Python 2 wrote it
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
    b"(K\x01K\x02K\x02\x86cnumpy\ndtype\nq\x04U\x02i4K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xff"
    b"J\xff\xff\xff\xffK\x00tb\x89U\x10" + struct.pack("<4i", 1, 2, 3, 250) + b"tb."
)


def write_bytes(folder, content):
    path = folder / "ind.mini.ty"
    path.write_bytes(content)
    return path


def test_an_array_pickled_by_python_2_is_read(tmp_path):
    array = read_array(write_bytes(tmp_path, PYTHON_2_ARRAY))
    assert array.dtype == np.int32
    assert array.tolist() == [[1, 2], [3, 250]]


@pytest.mark.parametrize("dtype", ["<i2", ">i4", "<u8", "<f4", ">f8", "i1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_read_as_numpy_reads_it(tmp_path, dtype, order):
    array = np.array([[1, 2, 3], [4, 5, 120]], dtype=dtype, order=order)
    read = read_array(write_bytes(tmp_path, pickle.dumps(array, protocol=4)))
    assert read.tolist() == array.tolist()
    assert read.dtype == array.dtype.newbyteorder("=")


def test_a_matrix_with_repeated_entries_adds_them_up_as_scipy_does(tmp_path):
    matrix = sparse.csr_matrix((np.array([1.0, 2.0, 4.0]), [1, 1, 0], [0, 2, 3]), shape=(2, 2))
    read = read_matrix(write_bytes(tmp_path, pickle.dumps(matrix, protocol=4)))
    assert read.toarray().tolist() == [[0, 3], [4, 0]]


class Calls:
    """Pickles as a call of `function`, which is what a hostile file does."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("read", [read_array, read_matrix, read_neighbours])
def test_a_hostile_pickle_is_refused_by_name_and_nothing_runs(tmp_path, protocol, read):
    witness = tmp_path / "witness"
    payload = pickle.dumps(Calls(os.system, f"touch {witness}"), protocol=protocol)
    with pytest.raises(DatasetError, match=r"ind\.mini\.ty asks for posix\.system, .* was not run"):
        read(write_bytes(tmp_path, payload))
    assert not witness.exists()


def test_a_stack_global_is_refused_by_name(tmp_path):
    payload = pickle.dumps(Calls(builtins.eval, "1 + 1"), protocol=4)
    assert "STACK_GLOBAL" in {opcode.name for opcode, _, _ in pickletools.genops(payload)}
    with pytest.raises(DatasetError, match=r"asks for builtins\.eval"):
        read_array(write_bytes(tmp_path, payload))


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"(S'true'\nios\nsystem\n.", r"os\.system"),
        (b"(cos\nsystem\nS'true'\no.", r"os\.system"),
        (b"c__builtin__\neval\n(S'1'\ntR.", r"__builtin__\.eval"),
        (b"\x80\x04\x8c\x05numpy\x8c\x11core.multiarray.x\x93.", r"numpy\.core\.multiarray\.x"),
        (b"cnumpy\nload\n(S'x'\ntR.", r"numpy\.load"),
        (b"cscipy.sparse\nload_npz\n(S'x'\ntR.", r"scipy\.sparse\.load_npz"),
        (b"ccollections\nnamedtuple\n.", r"collections\.namedtuple"),
    ],
)
def test_every_way_to_name_something_is_refused(tmp_path, payload, name):
    with pytest.raises(DatasetError, match=f"asks for {name}, which no data file needs"):
        read_array(write_bytes(tmp_path, payload))


def nested_tuples_as_key(depth):
    return b"\x80\x02})" + b"\x85" * depth + b"]s."


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b".",
        b"not a pickle",
        b"\x80\x02Pid\n.",
        b"\x80\x04B\xff\xff\xff\x7f.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x02cnumpy\ndtype\nN}b.",
        b"\x80\x02ccollections\ndefaultdict\n}U\x01aK\x01sb.",
        b"\x80\x02ccollections\ndefaultdict\n)RN}U\x01aK\x01s\x86b.",
        b"\x80\x02]\x94h\x05.",
    ],
)
def test_garbage_is_refused_in_one_sentence(tmp_path, payload):
    with pytest.raises(DatasetError, match=r"ind\.mini\.ty (is cut off|does not hold)"):
        read_neighbours(write_bytes(tmp_path, payload))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (nested_tuples_as_key(1_000_000), "1000000 tuples, at most 1000"),
        (b"\x80\x02]r\xff\xff\xff\x7f.", "memo index 2147483647 in 9 bytes"),
        (b"\x80\x02]q\xff.", "memo index 255 in 6 bytes"),
        (b"]p99999999999\n.", "memo index 99999999999 in 15 bytes"),
    ],
)
def test_a_small_file_that_would_take_much_memory_or_stack_is_refused(tmp_path, payload, reason):
    with pytest.raises(DatasetError, match=reason):
        read_neighbours(write_bytes(tmp_path, payload))


def test_tuples_up_to_the_limit_are_no_reason_to_refuse(tmp_path):
    with pytest.raises(DatasetError, match="holds a list by tuple"):
        read_neighbours(write_bytes(tmp_path, nested_tuples_as_key(900)))


def matrix_pickle(**state):
    matrix = sparse.csr_matrix(np.eye(3))
    matrix.__dict__.update(state)
    return pickle.dumps(matrix, protocol=4)


@pytest.mark.parametrize(
    "state",
    [
        {"indices": np.array([0, 1, 3])},
        {"indices": np.array([0, -1, 2])},
        {"indices": np.array([0.0, 1.0, 2.0])},
        {"indices": np.array([0, 1])},
        {"indptr": np.array([0, 1, 2])},
        {"indptr": np.array([0, 3, 2, 3])},
        {"indptr": np.array([1, 1, 2, 3])},
        {"indptr": np.array([0, 1, 2, 2**40])},
        {"data": np.ones(2)},
        {"_shape": (2, 3)},
        {"_shape": (3, 2)},
    ],
)
def test_a_matrix_whose_parts_do_not_fit_is_refused(tmp_path, state):
    with pytest.raises(DatasetError, match="points outside its"):
        read_matrix(write_bytes(tmp_path, matrix_pickle(**state)))


@pytest.mark.parametrize("shape", [(3, -3), (3,), (3, 3, 1), (3, 2**40), (3, 3.0), (True, 3), "ab", None])
def test_a_matrix_with_an_impossible_shape_is_refused(tmp_path, shape):
    with pytest.raises(DatasetError, match="not one or two whole numbers"):
        read_matrix(write_bytes(tmp_path, matrix_pickle(_shape=shape)))


@pytest.mark.parametrize(
    "content",
    [
        PYTHON_2_ARRAY.replace(b"K\x01K\x02K\x02\x86", b"K\x01K\x02K\x09\x86"),
        PYTHON_2_ARRAY.replace(b"\x89U\x10", b"\x89U\x0f").replace(b"\xfa\x00\x00\x00tb", b"\xfa\x00\x00tb"),
        PYTHON_2_ARRAY.replace(b"U\x02i4", b"U\x02O8"),
        PYTHON_2_ARRAY.replace(b"U\x02i4", b"U\x02c8"),
        PYTHON_2_ARRAY.replace(b"U\x01<", b"U\x01x"),
    ],
)
def test_an_array_whose_parts_do_not_fit_is_refused(tmp_path, content):
    assert content != PYTHON_2_ARRAY
    with pytest.raises(DatasetError, match=r"ind\.mini\.ty holds an array"):
        read_array(write_bytes(tmp_path, content))


SAMPLES = {
    "ty": np.eye(3, dtype=np.int32)[[2, 1, 0, 1]],
    "tx": sparse.csr_matrix(np.array([[1, 0, 0, 2], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=np.float32)),
    "graph": defaultdict(list, {node: [node + 1, 3 * node, 300] for node in range(100)}),
}


@pytest.mark.parametrize(
    ("part", "read"), [("ty", read_array), ("tx", read_matrix), ("graph", read_neighbours)]
)
def test_a_pickle_cut_off_anywhere_is_refused(tmp_path, part, read):
    content = pickle.dumps(SAMPLES[part], protocol=4)
    read(write_bytes(tmp_path, content))
    for length in range(0, len(content), max(1, len(content) // 300)):
        with pytest.raises(DatasetError, match=r"ind\.mini\.ty is cut off or damaged"):
            read(write_bytes(tmp_path, content[:length]))


@pytest.mark.parametrize(
    ("part", "read"), [("ty", read_array), ("tx", read_matrix), ("graph", read_neighbours)]
)
def test_a_pickle_with_changed_bytes_is_read_or_refused_in_words(tmp_path, part, read):
    content = pickle.dumps(SAMPLES[part], protocol=4)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(1000):
        damaged = bytearray(content)
        for position in rng.integers(0, min(len(content), 400), 2):
            damaged[position] = rng.integers(0, 256)
        try:
            read(write_bytes(tmp_path, bytes(damaged)))
        except DatasetError:
            refused += 1
    assert refused > 300
