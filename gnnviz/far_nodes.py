"""Nodes that lie far from a node: which they are, and uniform draws from them.

Breadth-first searches start from 64 nodes at once, one bit each; the nodes that are far from a start are
the set bits of its row. Numpy only; knows no training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.graph import Graph

_WORD = np.dtype("<u8")  # in this byte order bit i of a word is bit i of its bytes, too
_BITS = 64
_KEPT_WORDS = 2**23  # 64 MiB: up to 23,000 nodes, all rows are made once and kept
_BLOCK_WORDS = 2**22  # gathered at a time in a search
_BLOCK_NUMBERS = 2**25  # truth values of one block, a byte each


@dataclass(frozen=True, slots=True, eq=False)
class FarDraws:
    """What was drawn for some starts.

    Attributes:
        has_far: whether there is a far node [S].
        nodes: node ids [F, count], for the F starts that have one, in their order.
    """

    has_far: NDArray[np.bool_]
    nodes: NDArray[np.int64]


class FarNodes:
    """Draws nodes that lie more than `hops` edges away, nodes of other components among them.

    Args:
        graph: the graph.
        hops: 1 or more.
        among: which nodes can be drawn [N] bool; None for all.

    Attributes:
        largest_distance: the most hops, up to `hops`, that a search has needed so far.
    """

    def __init__(self, graph: Graph, hops: int, among: NDArray[np.bool_] | None = None) -> None:
        self.largest_distance = 0
        self._among = among
        self._num_nodes, self._hops = graph.num_nodes, hops
        degrees = graph.degrees()
        self._neighbours = graph.edge_index[0]  # grouped by target
        self._connected = degrees.nonzero()[0]
        self._begins = (degrees.cumsum() - degrees)[self._connected]
        self._row_words = -(-graph.num_nodes // _BITS)
        is_small = graph.num_nodes * self._row_words <= _KEPT_WORDS
        self._rows = _BitRows(self._far(np.arange(graph.num_nodes))) if is_small else None

    def draw(self, starts: NDArray[np.int64], count: int, generator: np.random.Generator) -> FarDraws:
        """Draw `count` far nodes for each start, uniformly and each draw by itself.

        Args:
            starts: node ids [S], each once.
            count: 1 or more.
            generator: equal states give equal draws.
        """
        if self._rows is not None:
            return self._rows.draw(starts, count, generator)
        size = self._block_size()
        blocks = [starts[begin : begin + size] for begin in range(0, len(starts), size)]
        draws = [_BitRows(self._far(block)).draw(np.arange(len(block)), count, generator) for block in blocks]
        none = FarDraws(np.zeros(0, dtype=bool), np.zeros((0, count), dtype=np.int64))
        return FarDraws(
            np.concatenate([none.has_far, *(each.has_far for each in draws)]),
            np.concatenate([none.nodes, *(each.nodes for each in draws)]),
        )

    def _far(self, starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return a row of bits for each start [S, ceil(N / 64)]: set where the node is far."""
        size = self._block_size()
        rows = np.zeros((len(starts), self._row_words), dtype=_WORD)
        for begin in range(0, len(starts), size):
            block = starts[begin : begin + size]
            near = self._near(block).view(np.uint8)  # [N, 8 * words]
            is_far = np.unpackbits(near, axis=1, count=len(block), bitorder="little").T == 0  # [S, N]
            if self._among is not None:
                is_far &= self._among
            packed = np.packbits(is_far, axis=1, bitorder="little")
            rows[begin : begin + size].view(np.uint8)[:, : packed.shape[1]] = packed
        return rows

    def _near(self, starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return for each node the starts that are near it, as bits [N, ceil(S / 64)]."""
        places = np.arange(len(starts))
        near = np.zeros((self._num_nodes, -(-len(starts) // _BITS)), dtype=_WORD)
        near[starts, places // _BITS] = np.left_shift(np.uint64(1), (places % _BITS).astype(_WORD))
        for hop in range(1, self._hops + 1):
            grown = near.copy()
            if len(self._connected):
                spread = np.bitwise_or.reduceat(near.take(self._neighbours, axis=0), self._begins, axis=0)
                grown[self._connected] |= spread
            if np.array_equal(grown, near):
                break
            near = grown
            self.largest_distance = max(self.largest_distance, hop)
        return near

    def _block_size(self) -> int:
        words = min(
            _BLOCK_WORDS // max(1, len(self._neighbours)), _BLOCK_NUMBERS // (_BITS * self._num_nodes)
        )
        return _BITS * max(1, words)


class _BitRows:
    """Rows of bits, counted once, so that the n-th set bit of a row is found without a search through it.

    Args:
        words: [S, W] uint64.
    """

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words.reshape(-1)
        self._width = words.shape[1]
        counts = np.bitwise_count(self._words)
        self._ends = counts.cumsum(dtype=np.int64)  # set bits up to and with each word, over all rows
        row_ends = self._ends[self._width - 1 :: self._width]
        self._row_begins = np.concatenate([[0], row_ends[:-1]])  # [S]
        self._totals = row_ends - self._row_begins  # [S]

    def draw(self, rows: NDArray[np.int64], count: int, generator: np.random.Generator) -> FarDraws:
        """Draw `count` set bits of each row that has one, uniformly, with replacement."""
        totals = self._totals.take(rows)
        has_far = totals > 0
        rank = generator.integers(0, totals[has_far, None], size=(int(has_far.sum()), count))
        rank += self._row_begins.take(rows[has_far])[:, None]
        word = self._ends.searchsorted(rank.reshape(-1), side="right")
        after = self._ends.take(word) - rank.reshape(-1)  # set bits of the word from the wanted one on
        bits = np.unpackbits(self._words.take(word).view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
        left = bits[:, ::-1].cumsum(axis=1, dtype=np.uint8) == after[:, None]
        bit = _BITS - 1 - left.argmax(axis=1)
        return FarDraws(has_far, (word % self._width * _BITS + bit).reshape(-1, count))
