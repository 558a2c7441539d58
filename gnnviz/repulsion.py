"""The force by which all nodes of a drawing push each other apart, exactly and on a mesh.

Each pair repels with the product of its masses over its distance, along the line that joins it: the
field of point charges in a plane. Knows points and masses; knows no graph.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]

# The corners of a cell, and whether a corner lies on its low or its high side in x and y.
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def exact_repulsion(points: Points, masses: Points) -> Points:
    """Return the force on every point [N, 2], from all N^2 pairs; points in one place do not push.

    Args:
        points: positions [N, 2].
        masses: of the points [N], above 0.
    """
    apart = points[:, None] - points[None]  # [N, N, 2]
    squared = np.square(apart).sum(axis=2)
    squared[squared == 0] = np.inf
    return masses[:, None] * np.einsum("ijk,ij->ik", apart, masses[None] / squared)


class MeshRepulsion:
    """The same force with a cost that hardly grows with N: masses on a mesh, joined by a convolution.

    A point's mass is shared among the four corners of its mesh cell, the field of all corners is one
    fast Fourier transform, and a point reads its four corners. What is lost is the push between
    points that are within about two cells of each other: it is too weak there.

    Args:
        size: cells along an edge of the mesh, a power of two for speed.

    Reference: Hockney & Eastwood, Computer Simulation Using Particles, 1988, ch. 5 (particle mesh).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._wide = 2 * size  # as much again, empty, or the mesh would push on itself around its ends
        offsets = np.arange(self._wide)
        offsets = np.where(offsets < size, offsets, offsets - self._wide).astype(np.float32)
        x, y = np.meshgrid(offsets, offsets, indexing="ij")
        squared = x**2 + y**2
        squared[0, 0] = np.inf
        self._fields = [np.fft.rfft2(part / squared) for part in (x, y)]

    def __call__(self, points: Points, masses: Points) -> Points:
        """Return the force on every point [N, 2]; arguments as `exact_repulsion`."""
        low = points.min(axis=0)
        cell = float((points - low).max()) / (self._size - 2) or 1.0
        whole, rest = np.divmod((points - low) / cell, 1)
        shares = [np.abs(1 - right - rest[:, 0]) * np.abs(1 - up - rest[:, 1]) for right, up in _CORNERS]
        corners = [
            ((whole[:, 0] + right) * self._wide + whole[:, 1] + up).astype(np.int64) for right, up in _CORNERS
        ]
        weights = np.concatenate([masses * share for share in shares])
        mesh = np.bincount(np.concatenate(corners), weights, self._wide**2).astype(np.float32)
        spectrum = np.fft.rfft2(mesh.reshape(self._wide, self._wide))
        forces = []
        for field in self._fields:
            at_corners = np.fft.irfft2(spectrum * field, s=(self._wide, self._wide)).ravel()
            forces.append(
                sum(share * at_corners[corner] for share, corner in zip(shares, corners, strict=True))
            )
        return masses[:, None] * np.stack(forces, axis=1) / cell
