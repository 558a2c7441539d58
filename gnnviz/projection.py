"""PROJECTIONS: one hidden state as points in 2 or 3 dimensions.

A projection alone can hide over-smoothing: t-SNE blows a collapsed state up to the size of any other.
So every result carries what its figure must state; `gnnviz.pca` draws several states on one scale, and
`gnnviz.similarity` measures what a picture cannot show. Numpy and scipy only; scikit-learn is imported
by the one function that runs t-SNE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
from gnnviz.pca import Points, check_dims, explained_shares, principal_axes
from gnnviz.rows import Matrix, MeasureUndefined, State, as_state, balanced, centred

LARGEST_PERPLEXITY = 30.0
TSNE_INPUT_CHANNELS = 50
FLOAT32_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ProjectionResult:
    """Points, and what a figure of them must state.

    Attributes:
        name: the key in `PROJECTIONS`.
        coordinates: one point for each node [N, dims], float32.
        explained: PCA: share of the variance along each axis, in 0..1; None elsewhere and where the
            variance is 0.
        kl_divergence: t-SNE: what is left of its loss, in nats; None elsewhere.
        perplexity: t-SNE: the number of neighbours it aimed at; None elsewhere.
        note: a sentence that must stand beside the picture, or "".
    """

    name: str
    coordinates: Points
    explained: tuple[float, ...] | None = None
    kl_divergence: float | None = None
    perplexity: float | None = None
    note: str = ""

    @property
    def axis_names(self) -> tuple[str, ...]:
        """What stands on each axis: the component and its share of the variance, or that there is no unit."""
        numbers = range(1, self.coordinates.shape[1] + 1)
        if self.explained is None:
            return tuple(f"{PROJECTIONS[self.name].label} {number} (no unit)" for number in numbers)
        shares = zip(numbers, self.explained, strict=True)
        return tuple(
            f"component {number} ({100 * share:.0f}\u202f% of the variance)" for number, share in shares
        )


@dataclass(frozen=True, slots=True)
class Projection:
    """What the user is told about a projection, and the function.

    Attributes:
        label: the name on screen.
        help: one line that says what it does.
        caveat: one or two sentences that stand beside every such picture.
        paper: authors, venue and year.
        fast: True: a fraction of a second for thousands of nodes; False: many seconds.
        compute: function of a checked state [N, d] float64, dims, seed and first points or None.
    """

    label: str
    help: str
    caveat: str
    paper: str
    fast: bool
    compute: Callable[[Matrix, int, int, Matrix | None], ProjectionResult]


def project(
    name: str, h: State, *, dims: int = 2, seed: int = 0, init: NDArray[np.floating] | None = None
) -> ProjectionResult:
    """Return a hidden state as points.

    Args:
        name: a key of `PROJECTIONS`.
        h: one row for each node [N, d], dense or sparse.
        dims: 2 or 3.
        seed: decides t-SNE's randomness; PCA has none.
        init: points for t-SNE to start from [N, dims], such as another layer's; their size does not
            matter. None starts from PCA. PCA itself starts from nothing and leaves them unused.

    Raises:
        ConfigError: no such projection, or `dims` is not 2 or 3.
        MeasureUndefined: no rows, values that are NaN or infinite, or too few nodes.
        ValueError: `init` has another shape.
    """
    if name not in PROJECTIONS:
        raise ConfigError(f"unknown projection {name!r}; choose from {', '.join(sorted(PROJECTIONS))}")
    check_dims(dims)
    state = as_state(h)
    start = None if init is None else as_state(init)
    if start is not None and start.shape != (len(state), dims):
        raise ValueError(f"first points have shape {start.shape}; give {(len(state), dims)}")
    return PROJECTIONS[name].compute(state, dims, seed, start)


def _pca(h: Matrix, dims: int, _seed: int, _init: Matrix | None) -> ProjectionResult:
    """Project onto the directions of largest variance, centred, in the units of the hidden channels.

    Exact, from the covariance. Each axis points to where its largest loading is positive.

    Reference: Pearson, Philosophical Magazine 1901.
    """
    spread = centred(h)
    axes = principal_axes(spread, dims)
    points = (spread @ axes).astype(np.float32)
    return ProjectionResult("pca", points, explained_shares(spread, axes), note=_rounding_note(h, spread))


def _tsne(h: Matrix, dims: int, seed: int, init: Matrix | None) -> ProjectionResult:
    """Arrange the nodes so that near ones stay near; distances and sizes of groups carry no meaning.

    Wider states are first reduced to 50 channels by PCA. The perplexity is 30, or (N - 1) / 3 for fewer
    than 91 nodes. The start is PCA or `init` at a spread of 1e-4, with noise of 1e-6 so that equal rows
    and flat starts can part.

    Reference: van der Maaten & Hinton, JMLR 2008; van der Maaten, JMLR 2014 (Barnes-Hut).
    """
    if len(h) < 4:
        raise MeasureUndefined(f"t-SNE needs 4 nodes or more, got {len(h)}; choose PCA")
    spread = centred(h)
    if not spread.any():
        note = f"All {len(h)} rows are equal: they are one point, and t-SNE has nothing to arrange."
        return ProjectionResult("tsne", np.zeros((len(h), dims), dtype=np.float32), note=note)
    from sklearn.manifold import TSNE  # a second to import; only where t-SNE runs

    channels = balanced(spread)
    if channels.shape[1] > TSNE_INPUT_CHANNELS:
        channels = channels @ principal_axes(channels, TSNE_INPUT_CHANNELS)
    perplexity = min(LARGEST_PERPLEXITY, (len(h) - 1) / 3)
    first = spread @ principal_axes(spread, dims) if init is None else init
    start = _tsne_start(first, np.random.default_rng(seed))
    tsne = TSNE(
        dims,
        perplexity=perplexity,
        init=start,  # pyright: ignore[reportArgumentType] - an array is taken, though its default is a word
        random_state=seed,
        n_jobs=1,
    )
    points = tsne.fit_transform(channels).astype(np.float32)
    return ProjectionResult(
        "tsne",
        points,
        kl_divergence=float(tsne.kl_divergence_),
        perplexity=perplexity,
        note=_rounding_note(h, spread),
    )


def _tsne_start(points: Matrix, generator: np.random.Generator) -> Points:
    """Return first points [N, dims] at the small spread that t-SNE starts from, with a little noise."""
    start = balanced(centred(points))
    spread = start.std(axis=0).max()
    start = start * (1e-4 / spread) if spread else start
    return (start + generator.normal(scale=1e-6, size=start.shape)).astype(np.float32)


def _rounding_note(h: Matrix, spread: Matrix) -> str:
    largest = np.abs(h).max()
    if not spread.any():
        return f"All {len(h)} rows are equal: they are one point."
    share = float(np.abs(spread).max() / largest)
    if share > FLOAT32_ROUNDING:
        return ""
    return f"Rows differ by at most {share:.0e} of their size: the picture shows rounding, not structure."


PROJECTIONS: dict[str, Projection] = {
    "pca": Projection(
        label="PCA",
        help="The flat view along the directions in which the nodes differ most.",
        caveat="A shadow: nodes that look close may differ along directions that are not drawn. "
        "The shares of variance on the axes say how much is shown.",
        paper="Pearson, Philosophical Magazine 1901",
        fast=True,
        compute=_pca,
    ),
    "tsne": Projection(
        label="t-SNE",
        help="An arrangement that keeps each node's nearest neighbours near.",
        caveat="t-SNE cannot show shrinkage: it draws a collapsed state as large as any other. "
        "Distances between groups, and their sizes, carry no meaning.",
        paper="van der Maaten & Hinton, JMLR 2008",
        fast=False,
        compute=_tsne,
    ),
}
