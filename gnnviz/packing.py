"""Small drawings around a large one: where the pieces of a graph that is not connected go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

_GRID = 160  # places tried along the shorter side; finer ones are hardly seen


def pack_around(
    main: NDArray[np.float64], radii: Sequence[float], gap: float, aspect: float
) -> NDArray[np.float64]:
    """Return centres [K, 2] of circles outside a main drawing, as near to its middle as they fit.

    Circles overlap neither each other nor the convex hull of the main drawing, and keep `gap` between
    them. They are placed in the given order, each in the free place that is nearest to the middle.

    Args:
        main: points of the main drawing [M, 2], its middle near (0, 0).
        radii: of the K circles, 0 or more; the largest first packs best.
        gap: smallest distance between two drawings, above 0.
        aspect: width over height of the whole that is aimed at, above 0.
    """
    reach = float(np.abs(main / (aspect, 1.0)).max()) + gap
    # Circles fill about half of the area that they are packed into.
    area = reach**2 + sum((radius + gap) ** 2 for radius in radii)
    half = 1.5 * float(np.sqrt(area)) + 2 * max(radii, default=0.0)
    while True:
        centres = _packed(main, radii, gap, aspect, half)
        if centres is not None:
            return centres
        half *= 1.5


def _packed(
    main: NDArray[np.float64], radii: Sequence[float], gap: float, aspect: float, half: float
) -> NDArray[np.float64] | None:
    """Return the centres, or None if a frame that is 2 `half` high has no room for all."""
    step = 2 * half / _GRID
    columns, rows = np.arange(-half * aspect, half * aspect, step), np.arange(-half, half, step)
    places = np.stack(np.meshgrid(columns, rows), axis=2).reshape(-1, 2)  # [places, 2]
    places = places[np.argsort(np.square(places / (aspect, 1.0)).sum(axis=1), kind="stable")]
    free = _distance_to_hull(places, main)
    centres = np.zeros((len(radii), 2))
    for number, radius in enumerate(radii):
        place = int(np.argmax(free >= radius + gap))  # the first, which is the nearest to the middle
        if free[place] < radius + gap:
            return None
        centres[number] = places[place]
        free = np.minimum(free, np.linalg.norm(places - places[place], axis=1) - radius)
    return centres


def _distance_to_hull(places: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a lower bound of the distance of each place from the convex hull; below 0 inside it."""
    around = np.array([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)])
    width = 1e-6 + 1e-6 * float(np.abs(points).max())  # so that a line or a point has a hull, too
    fat = (points[:, None] + width * around).reshape(-1, 2)
    sides = ConvexHull(fat).equations  # [sides, 3]: outward normal and offset
    return (places @ sides[:, :2].T + sides[:, 2]).max(axis=1)
