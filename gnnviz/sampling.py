"""Sampled neighbourhoods: which nodes a mini-batch needs when every node draws a few of its neighbours.

`sample_neighbourhood` draws once; `NeighbourSampler` prepares a graph for many draws. What they return
serves mini-batch training and pictures alike. Numpy only: knows no model and no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnnviz.errors import ConfigError, DatasetError
from gnnviz.graph import Graph
from gnnviz.models import MAX_LAYERS

# At least so many in every sort key: two neighbours tie, and the earlier one wins, in 1 of 2^32 pairs.
RANDOM_BITS = 32
LARGEST_WORD = 2**64 - 1


@dataclass(frozen=True, slots=True, eq=False)
class SampledHop:
    """One step outwards: the targets, and the neighbours that each of them drew.

    Attributes:
        nodes: node ids [S], each once: the targets, then, ascending, those drawn for the first time.
        num_targets: T; the targets are `nodes[:T]`, and are all the nodes of the hop before.
        source: [E] positions in `nodes` of what was drawn.
        target: [E] positions in `nodes[:T]` of who drew it, ascending.
        drawn: number of neighbours that each target drew [T].
        degrees: number of neighbours that each target has [T].
        fan_out: the most that a target could draw, or None for all.
    """

    nodes: NDArray[np.int64]
    num_targets: int
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    drawn: NDArray[np.int64]
    degrees: NDArray[np.int64]
    fan_out: int | None

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.nodes, self.source, self.target, self.drawn, self.degrees):
            array.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class SampledNeighbourhood:
    """The seeds and, hop by hop, what their last layer, the layer before it, ... need.

    A model of K layers computes layer l (1 = next to the features) on `hops[K - l]`, from states of its
    `nodes` to states of its first `num_targets` ones; after layer K these are the seeds.

    Attributes:
        seeds: node ids [B], each once, in the order given.
        hops: hop 1 (the seeds and their own neighbours) to hop K.
    """

    seeds: NDArray[np.int64]
    hops: tuple[SampledHop, ...]

    @property
    def nodes(self) -> NDArray[np.int64]:
        """All the nodes that take part [S], in the order in which they were found."""
        return self.hops[-1].nodes

    @property
    def found_at(self) -> NDArray[np.int64]:
        """The hop at which each of `nodes` was first drawn [S]; 0 for the seeds."""
        sizes = [len(self.seeds), *(len(hop.nodes) - hop.num_targets for hop in self.hops)]
        return np.repeat(np.arange(len(sizes)), sizes)


class NeighbourSampler:
    """Draws neighbourhoods from one graph; prepared once, then quick for every batch.

    Args:
        graph: the graph.
    """

    def __init__(self, graph: Graph) -> None:
        self._neighbours = graph.edge_index[0]  # [E], grouped by target: the graph sorts its edges so
        self._degrees = graph.degrees()  # [N]
        self._first = np.cumsum(self._degrees) - self._degrees  # [N]
        # 0, 1, 2, ...: a hop draws each edge once at most, and slices of this save making the numbers anew.
        self._count = np.arange(max(len(self._degrees), len(self._neighbours)))

    @property
    def num_nodes(self) -> int:
        """N, the number of nodes of the graph."""
        return len(self._degrees)

    def sample(
        self, nodes: ArrayLike, fan_outs: Sequence[int | None], generator: np.random.Generator
    ) -> SampledNeighbourhood:
        """Draw the neighbourhood of some nodes; see `sample_neighbourhood`."""
        check_fan_outs(fan_outs)
        seeds = self._checked_seeds(nodes)
        position = np.empty(self.num_nodes, dtype=np.int64)  # in `nodes`; only of nodes that take part
        position[seeds] = np.arange(len(seeds))
        hops: list[SampledHop] = []
        targets = seeds
        for fan_out in fan_outs:
            hops.append(self._hop(targets, fan_out, position, generator))
            targets = hops[-1].nodes
        return SampledNeighbourhood(seeds, tuple(hops))

    def _hop(
        self,
        targets: NDArray[np.int64],
        fan_out: int | None,
        position: NDArray[np.int64],
        generator: np.random.Generator,
    ) -> SampledHop:
        """Draw for every target, and enter what is new in `position`."""
        first, degrees = self._first.take(targets), self._degrees.take(targets)
        drawn = degrees if fan_out is None else np.minimum(degrees, fan_out)
        begin = drawn.cumsum()
        begin -= drawn
        target = self._count[: len(targets)].repeat(drawn)  # [E]
        # All places exist, so that "wrap" never wraps: it is how numpy looks them up without checking each.
        edges = (first - begin).take(target, mode="wrap")
        edges += self._count[: len(edges)]
        if fan_out is not None and len(crowded := (degrees > fan_out).nonzero()[0]):
            chosen = _draw(degrees.take(crowded), fan_out, generator)  # [R, fan_out]
            slots = begin.take(crowded)[:, None] + self._count[:fan_out]
            chosen += first.take(crowded)[:, None]
            edges[slots] = chosen
        found = self._neighbours.take(edges, mode="wrap")  # [E] node ids
        is_new = np.zeros(self.num_nodes, dtype=bool)
        is_new[found] = True
        is_new[targets] = False
        new = is_new.nonzero()[0]
        position[new] = self._count[len(targets) : len(targets) + len(new)]
        return SampledHop(
            nodes=np.concatenate([targets, new]),
            num_targets=len(targets),
            source=position.take(found, mode="wrap"),
            target=target,
            drawn=drawn,
            degrees=degrees,
            fan_out=fan_out,
        )

    def _checked_seeds(self, nodes: ArrayLike) -> NDArray[np.int64]:
        ids = np.asarray(nodes)
        if not ids.size:
            raise DatasetError("got no nodes to start from; give one node or more")
        if ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise DatasetError(
                f"nodes have shape {ids.shape} and type {ids.dtype}; give a list of whole numbers"
            )
        given, ids = ids, ids.astype(np.int64)
        if ids.view(np.uint64).max() >= self.num_nodes:  # below 0 is the largest of all there
            raise DatasetError(
                f"got nodes {given.min()} to {given.max()}; the graph has nodes 0 to {self.num_nodes - 1}"
            )
        is_seed = np.zeros(self.num_nodes, dtype=bool)
        is_seed[ids] = True
        if np.count_nonzero(is_seed) == len(ids):
            return ids
        return ids[np.sort(np.unique(ids, return_index=True)[1])]


def sample_neighbourhood(
    graph: Graph, nodes: ArrayLike, fan_outs: Sequence[int | None], generator: np.random.Generator
) -> SampledNeighbourhood:
    """Draw, hop by hop, a few neighbours of some nodes, of these and their neighbours, and so on.

    Every target draws uniformly and without replacement, and takes all its neighbours where they are
    no more than the fan-out; an isolated node has none. The targets of hop k + 1 are all the nodes of hop
    k, its own targets among them: they draw anew, because the layer below computes their states as well.

    Args:
        graph: the graph; for many batches of it, keep a `NeighbourSampler`.
        nodes: the seeds, node ids [B]; repeated ones count once.
        fan_outs: `fan_outs[0]` is what each seed draws of its own neighbours (hop 1, the last layer),
            `fan_outs[1]` what each node then draws at hop 2, ...; 1 or more, or None for all.
        generator: equal states give equal samples.

    Raises:
        ConfigError: a fan-out below 1, none at all, or more than `MAX_LAYERS`.
        DatasetError: no node, or one that does not exist.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, algorithm 2.
    Differs: without replacement; the paper draws with replacement where neighbours are few.
    """
    return NeighbourSampler(graph).sample(nodes, fan_outs, generator)


def check_fan_outs(fan_outs: Sequence[int | None]) -> None:
    """Raise ConfigError unless there are 1 to `MAX_LAYERS` fan-outs, each 1 or more, or None for all."""
    if not 1 <= len(fan_outs) <= MAX_LAYERS:
        raise ConfigError(f"got {len(fan_outs)} fan-outs; give one per layer, 1 to {MAX_LAYERS}")
    for hop, fan_out in enumerate(fan_outs, start=1):
        if fan_out is None:
            continue
        if isinstance(fan_out, bool) or not isinstance(fan_out, int | np.integer) or fan_out < 1:
            raise ConfigError(f"fan-out {fan_out!r} at hop {hop}; give 1 or more, or None for all neighbours")


def fair_choice(count: int, room: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return the positions 0..count - 1 if there is room for them, else a uniform choice, ascending."""
    if count <= room:
        return np.arange(count)
    return np.sort(generator.choice(count, size=room, replace=False))


def _draw(sizes: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw `count` of 0..size - 1 for every size, uniformly and without replacement [R, count].

    Args:
        sizes: [R], each more than `count`.
        count: 1 or more.
        generator: the source of random words.
    """
    offset_bits = int(sizes.max() - 1).bit_length()
    rows = 1 << max(0, 64 - RANDOM_BITS - offset_bits)  # that leave enough random bits
    if rows >= len(sizes):
        return _draw_at_once(sizes, count, offset_bits, generator)
    pieces = [sizes[begin : begin + rows] for begin in range(0, len(sizes), rows)]
    return np.concatenate([_draw_at_once(piece, count, offset_bits, generator) for piece in pieces])


def _draw_at_once(
    sizes: NDArray[np.int64], count: int, offset_bits: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffle every row by sorting keys of (row, random bits, offset), and take the first of each."""
    ends = sizes.cumsum()
    begin = ends - sizes  # [R]
    row_bits = (len(sizes) - 1).bit_length()
    offset_mask = (1 << offset_bits) - 1
    keys = _random_words(int(ends[-1]), generator)
    keys >>= row_bits
    keys &= LARGEST_WORD - offset_mask
    # Row and offset in one: a key's place plus (row - begin) leaves the row and the offset.
    row = np.arange(len(sizes), dtype=np.uint64) << (64 - row_bits) % 64
    keys |= (row - begin.view(np.uint64)).repeat(sizes) + np.arange(len(keys), dtype=np.uint64)
    keys.sort()
    return (keys.take(begin[:, None] + np.arange(count)) & offset_mask).view(np.int64)


def _random_words(count: int, generator: np.random.Generator) -> NDArray[np.uint64]:
    """Return `count` words of 64 random bits each."""
    if isinstance(generator.bit_generator, np.random.MT19937):  # its raw words have 32
        return generator.integers(0, LARGEST_WORD, size=count, dtype=np.uint64, endpoint=True)
    return generator.bit_generator.random_raw(count)
