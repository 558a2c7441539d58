"""PCA and Procrustes: the axes of one hidden state, and several states as points on one scale.

`shared_pca` is for states whose channels mean the same, `aligned_pca` for those whose channels do not.
Numpy and scipy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.rows import Matrix, MeasureUndefined, State, as_state, balanced, centred

Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PointsOnOneScale:
    """Several states as points in the units of the hidden channels, never rescaled one by one.

    Attributes:
        coordinates: the points of each state [N, dims], float32, in the order given.
        explained: for each state, the share of its variance in the picture, in 0..1; None where its
            variance is 0.
        limit: the largest absolute coordinate of all; axes from -limit to limit show every state.
    """

    coordinates: tuple[Points, ...]
    explained: tuple[float | None, ...]
    limit: float


def shared_pca(states: Sequence[State], dims: int = 2) -> PointsOnOneScale:
    """Return states of one width in one basis: for epochs of one layer, whose channels keep their meaning.

    Each state is centred on its own mean, so that the axes are spent on what tells nodes apart and not on
    the drift of the whole; the basis is the PCA of all centred states together, in which large states
    weigh more.

    Args:
        states: one or more states [N, d], of one width d.
        dims: 2 or 3.

    Raises:
        ConfigError: `dims` is not 2 or 3.
        MeasureUndefined: no states, or one that is empty, NaN or infinite.
        ValueError: widths that differ.
    """
    spreads = _centred_states(states, dims)
    widths = sorted({spread.shape[1] for spread in spreads})
    if len(widths) > 1:
        raise ValueError(
            f"states are {widths} channels wide; a shared basis needs one width (see aligned_pca)"
        )
    axes = principal_axes(np.concatenate(spreads), dims)
    return _on_one_scale([spread @ axes for spread in spreads], [_shown(spread, axes) for spread in spreads])


def aligned_pca(states: Sequence[State], dims: int = 2) -> PointsOnOneScale:
    """Return each state in its own PCA, turned to lie close to the one before: for layers, or runs.

    Channels of different layers have nothing to do with each other, so there is no shared basis. Each
    picture is turned or mirrored as a whole (Procrustes) and never rescaled: on axes of one range, a
    state that shrinks is seen to shrink.

    Args:
        states: one or more states [N, d], of one N and any width.
        dims: 2 or 3.

    Raises:
        ConfigError: `dims` is not 2 or 3.
        MeasureUndefined: no states, or one that is empty, NaN or infinite.
        ValueError: numbers of nodes that differ.
    """
    spreads = _centred_states(states, dims)
    counts = sorted({len(spread) for spread in spreads})
    if len(counts) > 1:
        raise ValueError(f"states have {counts} nodes; pictures are aligned node by node")
    axes = [principal_axes(spread, dims) for spread in spreads]
    pictures: list[Matrix] = []
    lead: Matrix | None = None
    for spread, own in zip(spreads, axes, strict=True):
        picture = spread @ own
        if lead is not None:
            picture = picture @ _turn(picture, lead)
        if picture.any():  # a collapsed state has no orientation to hand on
            lead = picture
        pictures.append(picture)
    return _on_one_scale(pictures, list(map(_shown, spreads, axes)))


def procrustes(source: NDArray[np.floating], target: NDArray[np.floating]) -> Matrix:
    """Return `source` moved, turned and mirrored, but not scaled, to lie closest to `target` [N, dims].

    Args:
        source: points [N, dims].
        target: points of the same nodes [N, dims].

    Raises:
        ValueError: shapes that differ.

    Reference: Schoenemann, Psychometrika 1966.
    """
    moving, fixed = as_state(source), as_state(target)
    if moving.shape != fixed.shape:
        raise ValueError(f"points have shapes {moving.shape} and {fixed.shape}; give equal ones")
    spread = centred(moving)
    return spread @ _turn(spread, centred(fixed)) + fixed.mean(axis=0)


def principal_axes(spread: Matrix, dims: int) -> Matrix:
    """Return the `dims` directions of largest variance of a centred state [d, dims], largest first.

    Where there are fewer channels or nodes than `dims`, the rest are zero.
    """
    state = balanced(spread)
    num_nodes, width = state.shape
    found = min(dims, num_nodes, width)
    basis = np.eye(width)
    if width > num_nodes:  # fewer nodes than channels: look in the space that the nodes span
        basis = np.linalg.qr(state.T)[0]  # [d, N]
        state = state @ basis
    size = state.shape[1]
    _, vectors = scipy.linalg.eigh(state.T @ state, subset_by_index=[size - found, size - 1])
    axes = np.zeros((width, dims))
    axes[:, :found] = basis @ vectors[:, ::-1]
    largest = np.abs(axes).round(9).argmax(axis=0)  # rounded: of two equal loadings the first decides
    return axes * np.where(axes[largest, np.arange(dims)] < 0, -1.0, 1.0)


def explained_shares(spread: Matrix, axes: Matrix) -> tuple[float, ...] | None:
    """Return the share of the variance along each axis, or None where there is no variance."""
    state = balanced(spread)
    total = float(np.vdot(state, state))
    if not total:
        return None
    return tuple(float(share) for share in np.sum((state @ axes) ** 2, axis=0) / total)


def _turn(source: Matrix, target: Matrix) -> Matrix:
    """Return the orthogonal matrix [dims, dims] that brings centred points closest to others."""
    return scipy.linalg.orthogonal_procrustes(balanced(source), balanced(target))[0]


def _shown(spread: Matrix, axes: Matrix) -> float | None:
    """Return the share of the variance in the picture, or None where there is no variance."""
    shares = explained_shares(spread, axes)
    return None if shares is None else sum(shares)


def check_dims(dims: int) -> None:
    """Refuse a picture that is neither flat nor solid.

    Raises:
        ConfigError: `dims` is not 2 or 3.
    """
    if dims not in (2, 3):
        raise ConfigError(f"got {dims!r} dimensions; choose 2 or 3")


def _centred_states(states: Sequence[State], dims: int) -> list[Matrix]:
    check_dims(dims)
    if not states:
        raise MeasureUndefined("got no hidden states to draw")
    return [centred(as_state(state)) for state in states]


def _on_one_scale(pictures: list[Matrix], explained: list[float | None]) -> PointsOnOneScale:
    points = tuple(picture.astype(np.float32) for picture in pictures)
    return PointsOnOneScale(points, tuple(explained), max(float(np.abs(one).max()) for one in points))
