"""Where nodes are drawn: forces on two roads, components that do not touch, the same on every call."""

import numpy as np
import pytest

from gnnviz.datasets import DatasetSpec, load_graph
from gnnviz.engine import places
from gnnviz.engine.places import FOLDER, graph_places
from gnnviz.graph import Graph
from gnnviz.graph_layout import ASPECT, drawn_edges, place_nodes
from gnnviz.packing import pack_around
from gnnviz.repulsion import MeshRepulsion, exact_repulsion


def graph_of(pairs, num_nodes):
    return Graph(np.ones((num_nodes, 1)), np.array(pairs, dtype=np.int64).reshape(-1, 2).T)


def two_cliques():
    """Return nodes 0-5 and 6-11, each set fully joined, with one edge between the sets."""
    sets = [range(6), range(6, 12)]
    pairs = [(a, b) for members in sets for a in members for b in members if a < b]
    return graph_of([*pairs, (5, 6)], 12)


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=2)


# Repulsion


def test_two_points_push_with_their_masses_over_their_distance():
    force = exact_repulsion(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([2.0, 10.0]))
    # 2 * 10 / 5 = 4, along (3, 4) / 5
    assert force == pytest.approx(np.array([[-2.4, -3.2], [2.4, 3.2]]))


def test_points_in_one_place_do_not_push_each_other():
    assert exact_repulsion(np.zeros((3, 2)), np.ones(3)) == pytest.approx(np.zeros((3, 2)))


def test_the_mesh_agrees_with_the_exact_force():
    generator = np.random.default_rng(3)
    points, masses = generator.normal(size=(600, 2)), generator.uniform(1, 5, size=600)
    exact, mesh = exact_repulsion(points, masses), MeshRepulsion(256)(points, masses)
    error = np.linalg.norm(mesh - exact, axis=1)
    # Close pairs are too weak on the mesh; most points have none.
    assert np.median(error / np.linalg.norm(exact, axis=1)) < 0.02
    assert np.corrcoef(exact.ravel(), mesh.ravel())[0, 1] > 0.98


def test_the_mesh_force_adds_up_to_nothing():
    points = np.random.default_rng(1).uniform(-7, 9, size=(300, 2))
    masses = np.ones(300)
    force = MeshRepulsion(64)(points, masses)
    assert np.abs(force.sum(axis=0)).max() < 1e-3 * np.abs(force).sum()


# Packing


def test_circles_are_packed_around_without_touching():
    square = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)], dtype=np.float64)
    radii = [0.6, 0.4, *[0.2] * 20]
    centres = pack_around(square, radii, gap=0.1, aspect=1.5)
    apart = distances(centres) - np.add.outer(radii, radii)
    assert apart[~np.eye(len(radii), dtype=bool)].min() >= 0.1
    outside = np.maximum(np.abs(centres) - 1, 0)  # from the square
    assert (np.linalg.norm(outside, axis=1) - radii).min() >= 0.1 - 1e-5


def test_packing_finds_room_for_one_point_and_many_circles():
    centres = pack_around(np.zeros((1, 2)), [1.0] * 40, gap=0.5, aspect=1.0)
    assert distances(centres)[~np.eye(40, dtype=bool)].min() >= 2.5
    assert pack_around(np.zeros((1, 2)), [], gap=0.5, aspect=1.0).shape == (0, 2)


# The whole


def test_neighbours_are_nearer_than_strangers():
    apart = distances(place_nodes(two_cliques()).positions)
    inside = [apart[a, b] for a in range(6) for b in range(a)]
    between = [apart[a, b] for a in range(6) for b in range(6, 12)]
    assert max(inside) < min(between) * 1.5
    assert np.mean(inside) < np.mean(between) / 2


def test_a_layout_is_the_same_on_every_call():
    graph = load_graph("karate")
    first, second = place_nodes(graph), place_nodes(graph)
    assert np.array_equal(first.positions, second.positions)


def test_positions_are_finite_centred_and_fill_one_unit():
    found = place_nodes(load_graph("karate"))
    assert found.nodes.tolist() == list(range(34))
    assert found.positions.dtype == np.float32
    assert np.isfinite(found.positions).all()
    assert np.abs(found.positions).max() == pytest.approx(1)
    assert found.positions.max(axis=0) + found.positions.min(axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_components_stand_apart():
    ring = [(node, (node + 1) % 8) for node in range(8)]
    graph = graph_of([*ring, (8, 9), (9, 10)], 12)  # a ring, a path and a node alone
    points = place_nodes(graph).positions
    component = graph.components()
    apart = distances(points)
    lengths = [apart[a, b] for a, b in graph.edge_index.T]
    assert apart[component[:, None] != component].min() > 0.5 * max(lengths[:8])


@pytest.mark.parametrize("num_nodes", [0, 1, 2, 3])
def test_the_smallest_graphs_are_placed(num_nodes):
    points = place_nodes(graph_of([], num_nodes)).positions
    assert points.shape == (num_nodes, 2)
    assert np.isfinite(points).all()
    if num_nodes > 1:
        assert distances(points)[~np.eye(num_nodes, dtype=bool)].min() > 0.1


def test_of_too_many_nodes_those_with_most_neighbours_are_drawn():
    star = graph_of([(4, 0), (4, 1), (4, 2), (4, 3), (0, 1), (2, 5)], 6)
    found = place_nodes(star, max_nodes=4)
    assert found.nodes.tolist() == [0, 1, 2, 4]  # degrees 2, 2, 2 and 4
    assert found.positions.shape == (4, 2)
    edges = drawn_edges(star, found.nodes)
    assert sorted(map(tuple, edges.tolist())) == [(0, 1), (0, 3), (1, 3), (2, 3)]


def test_every_edge_is_drawn_once():
    graph = load_graph("karate")
    edges = drawn_edges(graph, np.arange(34))
    assert len(edges) == graph.num_edges == 78
    assert (edges[:, 0] < edges[:, 1]).all()


def test_cora_fills_a_wide_picture_and_keeps_topics_together():
    graph = load_graph("cora")
    points = place_nodes(graph).positions.astype(np.float64)
    width, height = points.max(axis=0) - points.min(axis=0)
    assert 1 < width / height < 2 * ASPECT
    from scipy.spatial import cKDTree

    nearest = cKDTree(points).query(points, k=6)[1][:, 1:]
    assert graph.y is not None
    # 0.18 if places knew nothing; the edges alone bring 0.81 together.
    assert np.mean(graph.y[nearest] == graph.y[:, None]) > 0.6


# On disk


def test_a_layout_is_computed_once_and_kept(tmp_path, monkeypatch):
    spec = DatasetSpec("karate", "leaders")
    first = graph_places(str(tmp_path), spec)
    kept = list((tmp_path / FOLDER).iterdir())
    assert len(kept) == 1
    monkeypatch.setattr(places, "place_nodes", lambda _graph: pytest.fail("placed again"))
    second = graph_places(str(tmp_path), spec)
    assert np.array_equal(first.positions, second.positions)
    assert np.array_equal(first.nodes, second.nodes)
    other_split = graph_places(str(tmp_path), DatasetSpec("karate", "random", 3))
    assert np.array_equal(first.positions, other_split.positions)


def test_other_edges_between_as_many_nodes_have_a_layout_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("GNNVIZ_DATA", str(tmp_path))
    (tmp_path / "own.content").write_text("".join(f"n{node}\t1\tc{node % 2}\n" for node in range(6)))
    found = []
    for edges in ("n0\tn1\nn1\tn2\n", "n3\tn4\nn4\tn5\n"):
        (tmp_path / "own.cites").write_text(edges)
        found.append(graph_places(str(tmp_path), DatasetSpec("own:own", "random")))
    assert len(list((tmp_path / FOLDER).iterdir())) == 2
    assert not np.array_equal(found[0].positions, found[1].positions)


def test_a_damaged_layout_is_made_anew(tmp_path):
    spec = DatasetSpec("karate", "leaders")
    first = graph_places(str(tmp_path), spec)
    (kept,) = (tmp_path / FOLDER).iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    assert np.array_equal(graph_places(str(tmp_path), spec).positions, first.positions)
    assert len(kept.read_bytes()) > 50


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / FOLDER).write_text("a file where the folder would be")
    assert len(graph_places(str(tmp_path), DatasetSpec("karate", "leaders")).nodes) == 34
