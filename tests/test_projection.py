import sys
from subprocess import run

import numpy as np
import pytest
from scipy import sparse

from gnnviz.errors import ConfigError
from gnnviz.pca import aligned_pca, procrustes, shared_pca
from gnnviz.projection import PROJECTIONS, project
from gnnviz.rows import MeasureUndefined
from gnnviz.similarity import cosine_histogram, knn_purity


def noise(num_nodes=40, width=6, seed=0):
    return np.random.default_rng(seed).normal(size=(num_nodes, width))


def rotation(width, seed=0):
    return np.linalg.qr(noise(width, width, seed))[0]


# PCA


def test_pca_of_a_tilted_cross_on_paper():
    along, across = np.array([3.0, 4.0, 0.0]) / 5, np.array([-4.0, 3.0, 0.0]) / 5
    h = np.array([4 * along, -4 * along, across, -across])
    h += [10, 20, 30]
    result = project("pca", h)
    np.testing.assert_allclose(result.coordinates, [[4, 0], [-4, 0], [0, -1], [0, 1]], atol=1e-6)
    assert result.explained == pytest.approx((32 / 34, 2 / 34))
    assert (result.note, result.perplexity, result.kl_divergence) == ("", None, None)


@pytest.mark.parametrize("size", [(40, 6), (40, 90), (5, 3)])
def test_pca_agrees_with_the_singular_value_decomposition(size):
    h = noise(*size) + 5
    spread = h - h.mean(axis=0)
    left, sigma, _ = np.linalg.svd(spread, full_matrices=False)
    result = project("pca", h, dims=3)
    expected = left[:, :3] * sigma[:3]
    signs = np.sign(np.sum(expected * result.coordinates, axis=0))
    np.testing.assert_allclose(result.coordinates, expected * signs, atol=1e-5)
    assert result.explained == pytest.approx(tuple(sigma[:3] ** 2 / np.sum(sigma**2)))
    assert result.coordinates.dtype == np.float32


def test_pca_does_not_depend_on_the_order_of_nodes():
    h, order = noise(), np.random.default_rng(1).permutation(40)
    shuffled = project("pca", h[order]).coordinates
    np.testing.assert_allclose(shuffled, project("pca", h).coordinates[order], atol=1e-6)


def test_pca_of_sparse_rows_is_that_of_dense_ones():
    h = np.where(noise() > 0.8, 1.0, 0.0)
    np.testing.assert_array_equal(
        project("pca", sparse.csr_array(h)).coordinates, project("pca", h).coordinates
    )


def test_pca_keeps_the_units_of_a_state():
    h = noise()
    shrunk = project("pca", 1e-6 * h).coordinates
    np.testing.assert_allclose(shrunk, 1e-6 * project("pca", h).coordinates, rtol=1e-4, atol=1e-11)


def test_a_collapsed_state_is_one_point():
    result = project("pca", np.full((7, 3), 0.1))
    np.testing.assert_array_equal(result.coordinates, np.zeros((7, 2)))
    assert result.explained is None
    assert result.note == "All 7 rows are equal: they are one point."


def test_one_channel_lies_on_one_axis():
    result = project("pca", np.array([[1.0], [3.0], [5.0]]))
    np.testing.assert_allclose(result.coordinates, [[-2, 0], [0, 0], [2, 0]])
    assert result.explained == pytest.approx((1, 0))
    assert project("pca", [[3.0, 4.0]]).coordinates.tolist() == [[0, 0]]


def test_structure_of_rounding_alone_is_called_so():
    h = 1 + 1e-9 * noise(12)
    for name in PROJECTIONS:
        assert "rounding, not structure" in project(name, h).note


# Several states on one scale


def test_a_shared_basis_keeps_the_ratio_of_sizes():
    h = noise()
    points = shared_pca([h, 0.25 * h + 3, np.ones((40, 6))])
    np.testing.assert_allclose(points.coordinates[1], 0.25 * points.coordinates[0], atol=1e-6)
    np.testing.assert_array_equal(points.coordinates[2], 0)
    assert points.limit == np.abs(points.coordinates[0]).max()
    assert points.explained[0] == pytest.approx(points.explained[1])
    assert points.explained[2] is None
    np.testing.assert_allclose(points.coordinates[0], project("pca", h).coordinates, atol=1e-5)


def test_aligned_states_differ_by_what_alignment_cannot_undo():
    h = noise(width=2)
    turned = 0.5 * h @ rotation(2) + 7
    wide = np.hstack([h @ rotation(2, seed=1), np.zeros((40, 3))])
    points = aligned_pca([h, turned, np.ones((40, 4)), wide])
    np.testing.assert_allclose(points.coordinates[1], 0.5 * points.coordinates[0], atol=1e-6)
    np.testing.assert_array_equal(points.coordinates[2], 0)
    np.testing.assert_allclose(points.coordinates[3], points.coordinates[0], atol=1e-6)
    assert points.explained == (pytest.approx(1), pytest.approx(1), None, pytest.approx(1))
    assert points.limit == max(np.abs(one).max() for one in points.coordinates)


def test_procrustes_undoes_a_rotation_a_mirror_and_a_shift():
    points = noise(width=3)
    mirrored = points @ rotation(3) @ np.diag([1, 1, -1]) + [5, 6, 7]
    np.testing.assert_allclose(procrustes(mirrored, points), points, atol=1e-12)


def test_procrustes_never_scales():
    points = noise(width=2)
    aligned = procrustes(3 * points @ rotation(2), points)
    np.testing.assert_allclose(aligned - aligned.mean(axis=0), 3 * (points - points.mean(axis=0)), atol=1e-12)


# t-SNE


def test_tsne_parts_three_groups():
    h = np.repeat(10 * np.eye(3), 12, axis=0) + 0.1 * noise(36, 3)
    result = project("tsne", h)
    assert result.coordinates.shape == (36, 2)
    assert result.coordinates.dtype == np.float32
    assert result.perplexity == pytest.approx(35 / 3)
    assert 0 <= result.kl_divergence < 1
    assert result.explained is None
    assert knn_purity(result.coordinates, np.repeat([0, 1, 2], 12), 8) == 1


def test_tsne_is_decided_by_its_seed():
    h = noise(30)
    first = project("tsne", h, seed=1).coordinates
    np.testing.assert_array_equal(first, project("tsne", h, seed=1).coordinates)
    assert not np.array_equal(first, project("tsne", h, seed=2).coordinates)


def test_tsne_starts_where_it_is_told():
    h = np.repeat(10 * np.eye(2), 20, axis=0) + 0.1 * noise(40, 2)
    towards = np.repeat([[1.0, 0.0], [-1.0, 0.0]], 20, axis=0)
    for side in (1, -1):
        points = project("tsne", h, init=side * 1e6 * towards).coordinates
        assert np.sign(points[:20, 0].mean() - points[20:, 0].mean()) == side


def test_tsne_does_not_depend_on_the_size_of_a_state():
    h = noise(30)
    np.testing.assert_array_equal(project("tsne", h).coordinates, project("tsne", h * 2.0**-600).coordinates)


def test_tsne_of_a_collapsed_state_is_one_point_and_says_so():
    result = project("tsne", np.full((34, 8), 0.3), dims=3)
    np.testing.assert_array_equal(result.coordinates, np.zeros((34, 3)))
    assert "All 34 rows are equal" in result.note
    assert result.kl_divergence is None


@pytest.mark.parametrize(
    "h",
    [
        noise(4),
        noise(34, 80),
        np.repeat(np.eye(3), 10, axis=0),
        np.outer(np.arange(1.0, 35.0), np.ones(5)),
        np.vstack([np.zeros((33, 2)), np.ones((1, 2))]),
        noise(34) * 1e-200,
    ],
    ids=["four nodes", "wide", "equal rows", "one line", "one odd node", "tiny"],
)
def test_tsne_of_hard_states_is_finite(h):
    result = project("tsne", h)
    assert np.isfinite(result.coordinates).all()
    assert np.ptp(result.coordinates, axis=0).min() > 0  # not caught on a line
    assert np.isfinite(result.kl_divergence)


def test_tsne_of_three_nodes_is_refused_in_words():
    with pytest.raises(MeasureUndefined, match="needs 4 nodes or more, got 3; choose PCA"):
        project("tsne", noise(3))


def test_scikit_learn_is_imported_by_tsne_alone():
    program = (
        "import sys, numpy as np; from gnnviz import projection, similarity, smoothing;"
        "projection.project('pca', np.eye(5)); sys.exit('sklearn' in sys.modules or 'torch' in sys.modules)"
    )
    assert run([sys.executable, "-c", program], check=False).returncode == 0


# What is refused


@pytest.mark.parametrize(
    ("ask", "error", "reason"),
    [
        (lambda h: project("umap", h), ConfigError, "unknown projection 'umap'; choose from pca, tsne"),
        (lambda h: project("pca", h, dims=4), ConfigError, "got 4 dimensions; choose 2 or 3"),
        (lambda h: project("pca", h * np.nan), MeasureUndefined, "NaN or infinite"),
        (lambda h: project("pca", h[:0]), MeasureUndefined, "0 nodes"),
        (lambda h: project("tsne", h, init=h), ValueError, r"give \(40, 2\)"),
        (lambda h: shared_pca([h, h[:, :3]]), ValueError, "needs one width"),
        (lambda _: shared_pca([]), MeasureUndefined, "no hidden states"),
        (lambda h: aligned_pca([h, h[:3]]), ValueError, r"\[3, 40\] nodes"),
        (lambda h: aligned_pca([h], dims=1), ConfigError, "choose 2 or 3"),
        (lambda h: procrustes(h, h[:, :2]), ValueError, "give equal ones"),
        (lambda h: cosine_histogram(h, 0), ConfigError, "choose 1 or more"),
        (lambda h: knn_purity(h, np.zeros(40, int), 40), MeasureUndefined, "choose from 1 to 39"),
        (lambda h: knn_purity(h, np.zeros(39, int)), ValueError, "has 40 rows"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(ask, error, reason):
    with pytest.raises(error, match=reason):
        ask(noise())


@pytest.mark.parametrize("name", PROJECTIONS)
def test_a_record_tells_the_user_all(name):
    record = PROJECTIONS[name]
    for text in (record.label, record.help, record.caveat, record.paper):
        assert text
    for dims in (2, 3):
        result = project(name, noise(12), dims=dims)
        assert (result.name, result.coordinates.shape) == (name, (12, dims))


# What a projection cannot show


def test_cosine_histogram_on_paper():
    h = np.array([[1.0, 0.0], [5.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]])
    histogram = cosine_histogram(h, 4)
    np.testing.assert_allclose(histogram.edges, [-1, -0.5, 0, 0.5, 1])
    np.testing.assert_array_equal(histogram.counts, [2, 0, 3, 1])
    assert (histogram.dead, histogram.nodes_used, histogram.nodes_live) == (1, 4, 4)


def test_cosine_histogram_agrees_with_numpy_over_several_blocks():
    h = noise(2000, 3)
    unit = h / np.linalg.norm(h, axis=1, keepdims=True)
    cosines = np.clip((unit @ unit.T)[np.triu_indices(2000, 1)], -1, 1)
    np.testing.assert_array_equal(
        cosine_histogram(h, 17).counts, np.histogram(cosines, bins=17, range=(-1, 1))[0]
    )


def test_a_sampled_histogram_says_so():
    histogram = cosine_histogram(noise(100), 8, at_most=20)
    assert (histogram.counts.sum(), histogram.nodes_used, histogram.nodes_live) == (190, 20, 100)


def test_a_dead_state_has_no_cosines():
    histogram = cosine_histogram(np.zeros((5, 2)), 3)
    assert (histogram.counts.tolist(), histogram.dead) == ([0, 0, 0], 5)


def test_purity_on_paper():
    h = np.array([[0.0], [1.0], [2.1], [10.0]])
    y = np.array([0, 0, 1, 1])  # nearest of 0 is 1, of 1 is 0, of 2.1 is 1, of 10 is 2.1
    assert knn_purity(h, y, 1) == pytest.approx(3 / 4)
    assert knn_purity(h, y, 3) == pytest.approx(1 / 3)


def test_purity_of_equal_rows_is_that_of_chance():
    y = np.array([0] * 6 + [1] * 4)
    chance = (6 * 5 + 4 * 3) / (10 * 9)
    for k in (1, 4, 9):
        assert knn_purity(np.ones((10, 3)), y, k) == pytest.approx(chance)


def test_ties_share_the_last_place():
    h = np.array([[0.0], [1.0], [-1.0]])
    assert knn_purity(h, np.array([0, 0, 1]), 1) == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_purity_agrees_with_sorted_distances():
    h, y = noise(), np.random.default_rng(2).integers(0, 3, 40)
    distance = np.linalg.norm(h[:, None] - h, axis=2)
    nearest = np.argsort(distance, axis=1)[:, 1:6]
    assert knn_purity(h, y, 5) == pytest.approx(np.mean(y[nearest] == y[:, None]))
