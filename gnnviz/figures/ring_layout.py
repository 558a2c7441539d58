"""Where the nodes of a sampled neighbourhood stand: the seeds in the middle, a ring per hop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnnviz.neighbourhood import NeighbourhoodView

# A node that was not drawn takes this part of the room of one that was.
_OTHER_ROOM = 0.2
# Nodes that were not drawn: distance of their first track from the ring, of a track from the next, and
# between neighbours on a track, all in ring widths.
_FIRST_TRACK, _TRACK, _SPACING = 0.22, 0.11, 0.09
_MOST_TRACKS = 4


def ring_layout(view: NeighbourhoodView) -> NDArray[np.float64]:
    """Return where nodes stand [n, 2]: on circles, ring by ring, next to their parents.

    Every drawn node has a sector of the circle, which its drawn children share by what hangs on them.
    Its other children stand in the same sector, on tracks a little further out.
    """
    is_drawn = view.found_at >= 0
    begin, width = _sectors(view)
    angle = begin + width / 2
    # Several seeds stand on a small ring of their own.
    radius = view.ring.astype(np.float64) + (0.0 if view.num_seeds == 1 else 0.6)
    for parent in np.unique(view.parent[~is_drawn]):
        others = np.flatnonzero(~is_drawn & (view.parent == parent))
        angle[others] = begin[parent] + width[parent] * (np.arange(len(others)) + 0.5) / len(others)
        arc = width[parent] * (view.ring[others[0]] + _FIRST_TRACK)
        tracks = int(np.clip(np.ceil(_SPACING * len(others) / arc), 1, _MOST_TRACKS))
        radius[others] += _FIRST_TRACK + _TRACK * (np.arange(len(others)) % tracks)
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])


def _sectors(view: NeighbourhoodView) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the sector of each node begins, and its width [n], in radians; 0 for nodes not drawn."""
    outwards = np.argsort(view.ring, kind="stable")
    outwards = outwards[view.found_at[outwards] >= 0]
    others = np.bincount(view.parent[view.found_at < 0], minlength=len(view.nodes))
    room = np.maximum(1.0, _OTHER_ROOM * others)
    inside = np.zeros(len(room))  # what the drawn children need
    for node in outwards[::-1]:
        room[node] = max(room[node], inside[node])
        if view.parent[node] >= 0:
            inside[view.parent[node]] += room[node]
    begin, width, free = np.zeros(len(room)), np.zeros(len(room)), np.zeros(len(room))
    seeds = np.arange(view.num_seeds)
    width[seeds] = 2 * np.pi * room[seeds] / room[seeds].sum()
    begin[seeds] = np.cumsum(width[seeds]) - width[seeds]
    for node in outwards:
        parent = view.parent[node]
        if parent >= 0:
            width[node] = width[parent] * room[node] / inside[parent]
            begin[node] = begin[parent] + free[parent]
            free[parent] += width[node]
    return begin, width
