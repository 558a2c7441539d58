"""Sampled neighbourhoods, what a picture of them shows, and computation trees: known answers and chance."""

from itertools import combinations

import numpy as np
import pytest

from gnnviz import sampling
from gnnviz.computation_tree import ComputationTree, computation_tree
from gnnviz.datasets import load_graph
from gnnviz.errors import ConfigError, DatasetError
from gnnviz.graph import Graph
from gnnviz.models import MAX_LAYERS
from gnnviz.neighbourhood import neighbourhood_view
from gnnviz.sampling import NeighbourSampler, fair_choice, sample_neighbourhood


def graph_of(num_nodes: int, edges: list[tuple[int, int]]) -> Graph:
    index = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    return Graph(x=np.zeros((num_nodes, 1), dtype=np.float32), edge_index=index)


def star(leaves: int) -> Graph:
    """Node 0 in the middle of `leaves` others."""
    return graph_of(leaves + 1, [(0, leaf) for leaf in range(1, leaves + 1)])


def stars(number: int, leaves: int) -> Graph:
    """As many stars; the hubs are nodes 0..number - 1, and leaf i of hub h is number + h * leaves + i."""
    return graph_of(
        number + number * leaves,
        [(hub, number + hub * leaves + leaf) for hub in range(number) for leaf in range(leaves)],
    )


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_sample_of_karates_node_11_is_that_of_the_drawing() -> None:
    """Node 11 knows only node 0, and node 0 knows 16 members."""
    first, second = sample_neighbourhood(load_graph("karate"), [11], (10, None), random()).hops
    assert first.nodes.tolist() == [11, 0]
    assert (first.source.tolist(), first.target.tolist()) == ([1], [0])
    assert second.nodes.tolist() == [11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 17, 19, 21, 31]
    assert second.degrees.tolist() == second.drawn.tolist() == [1, 16]
    assert sorted(second.nodes[second.source[1:]]) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31]


@pytest.mark.parametrize("fan_outs", [(10, 25), (3, 1, 2), (None, 4)])
def test_every_hop_of_a_sample_of_cora_is_what_was_asked_for(fan_outs: tuple[int | None, ...]) -> None:
    graph = load_graph("cora")
    seeds = random(1).choice(graph.num_nodes, 300, replace=False)
    sample = sample_neighbourhood(graph, seeds, fan_outs, random(2))
    edges = set(zip(*graph.edge_index.tolist(), strict=True))
    targets = sample.seeds
    assert targets.tolist() == seeds.tolist()
    for hop, fan_out in zip(sample.hops, fan_outs, strict=True):
        assert hop.nodes[: hop.num_targets].tolist() == targets.tolist()
        assert len(set(hop.nodes.tolist())) == len(hop.nodes)
        pairs = list(zip(hop.nodes[hop.source].tolist(), targets[hop.target].tolist(), strict=True))
        assert edges.issuperset(pairs)
        assert len(set(pairs)) == len(pairs), "a neighbour was drawn twice"
        assert hop.degrees.tolist() == graph.degrees()[targets].tolist()
        expected = hop.degrees if fan_out is None else np.minimum(hop.degrees, fan_out)
        assert hop.drawn.tolist() == expected.tolist()
        assert hop.target.tolist() == np.repeat(np.arange(len(targets)), expected).tolist()
        assert set(range(hop.num_targets, len(hop.nodes))) <= set(hop.source.tolist())
        targets = hop.nodes


def test_with_all_neighbours_the_sample_is_the_ball_of_so_many_hops() -> None:
    graph = load_graph("cora")
    for hops in (1, 2, 3):
        sample = sample_neighbourhood(graph, [5, 17], (None,) * hops, random())
        distance = graph.k_hop([5, 17], hops)
        assert sorted(sample.nodes) == np.flatnonzero(distance >= 0).tolist()
        assert sample.found_at.tolist() == distance[sample.nodes].tolist()


def test_sums_over_the_hops_of_all_neighbours_are_products_with_the_adjacency() -> None:
    graph = load_graph("karate")
    values = random().integers(0, 9, graph.num_nodes).astype(np.float64)
    sample = sample_neighbourhood(graph, [0, 33, 11], (None, None, None), random())
    states = values[sample.nodes]
    for hop in reversed(sample.hops):
        states = np.bincount(hop.target, states[hop.source], hop.num_targets)
    adjacency = graph.adjacency()
    assert states.tolist() == (adjacency @ (adjacency @ (adjacency @ values)))[[0, 33, 11]].tolist()


@pytest.mark.parametrize("random_bits", [sampling.RANDOM_BITS, 50], ids=["at_once", "in_pieces"])
def test_every_pair_of_neighbours_is_drawn_equally_often(
    monkeypatch: pytest.MonkeyPatch, random_bits: int
) -> None:
    """2 of 5 neighbours: 10 pairs, each expected 2,000 times; 27.9 is exceeded once in 1,000 trials."""
    monkeypatch.setattr(sampling, "RANDOM_BITS", random_bits)
    hubs = 20_000
    hop = sample_neighbourhood(stars(hubs, 5), np.arange(hubs), (2,), random(3)).hops[0]
    leaf = ((hop.nodes[hop.source] - hubs) % 5).reshape(hubs, 2)
    names = [tuple(pair) for pair in np.sort(leaf, axis=1).tolist()]
    counts = np.array([names.count(pair) for pair in combinations(range(5), 2)])
    assert counts.sum() == hubs
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9


def test_neighbours_of_a_hub_are_drawn_equally_often_wherever_they_stand() -> None:
    """10 of 168, 4,000 times; each expected 238.1 times, with the variance of draws without replacement."""
    hubs, leaves, drawn = 400, 168, 10
    sampler, generator = NeighbourSampler(stars(hubs, leaves)), random(4)
    counts = np.zeros(leaves)
    for _ in range(10):
        hop = sampler.sample(np.arange(hubs), (drawn,), generator).hops[0]
        counts += np.bincount((hop.nodes[hop.source] - hubs) % leaves, minlength=leaves)
    share = drawn / leaves
    variance = 4000 * share * (1 - share)
    statistic = ((counts - 4000 * share) ** 2 / variance).sum() * (leaves - 1) / leaves
    assert 112 < statistic < 229  # 167 degrees of freedom: 0.001 on either side


def test_hubs_of_different_degree_do_not_disturb_each_other() -> None:
    """A hub of 40 and one of 3, side by side 3,000 times; 16.3 and 71.1 are exceeded once in 1,000 trials."""
    graph = graph_of(45, [(0, leaf) for leaf in range(2, 42)] + [(1, leaf) for leaf in range(42, 45)])
    sampler, generator = NeighbourSampler(graph), random(5)
    counts = np.zeros(45)
    for _ in range(3000):
        hop = sampler.sample([0, 1], (1,), generator).hops[0]
        counts[hop.nodes[hop.source]] += 1
    assert ((counts[2:42] - 75) ** 2 / 75).sum() < 72.1
    assert ((counts[42:] - 1000) ** 2 / 1000).sum() < 13.9


def test_isolated_nodes_draw_nothing() -> None:
    sample = sample_neighbourhood(graph_of(3, [(0, 1)]), [2], (5, 5), random())
    assert sample.nodes.tolist() == [2]
    assert [hop.drawn.tolist() for hop in sample.hops] == [[0], [0]]
    assert [len(hop.source) for hop in sample.hops] == [0, 0]


def test_a_graph_without_edges_can_be_sampled() -> None:
    assert sample_neighbourhood(graph_of(2, []), [1, 0], (None, 3), random()).nodes.tolist() == [1, 0]


def test_repeated_seeds_count_once_in_the_order_given() -> None:
    sample = sample_neighbourhood(star(4), [3, 0, 3, 1, 0], (2,), random())
    assert sample.seeds.tolist() == [3, 0, 1]
    assert sample.hops[0].drawn.tolist() == [1, 2, 1]


def test_equal_generators_give_equal_samples_and_each_batch_another() -> None:
    sampler = NeighbourSampler(star(100))
    one, other = random(7), random(7)
    first, again = sampler.sample([0], (5,), one).nodes, sampler.sample([0], (5,), other).nodes
    assert first.tolist() == again.tolist()
    assert sampler.sample([0], (5,), one).nodes.tolist() != first.tolist()


def test_samples_cannot_be_changed() -> None:
    hop = sample_neighbourhood(star(4), [0], (2,), random()).hops[0]
    with pytest.raises(ValueError, match="read-only"):
        hop.source[0] = 1


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ([], "no nodes"),
        ([5], "got nodes 5 to 5; the graph has nodes 0 to 4"),
        ([-1, 2], "got nodes -1 to 2"),
        ([0.5], "whole numbers"),
        ([[0, 1]], "shape"),
    ],
)
def test_seeds_that_cannot_be_are_refused(nodes: list[object], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        sample_neighbourhood(star(4), nodes, (2,), random())


@pytest.mark.parametrize(
    ("fan_outs", "sentence"),
    [
        ((), "got 0 fan-outs"),
        ((3,) * (MAX_LAYERS + 1), f"1 to {MAX_LAYERS}"),
        ((3, 0), "fan-out 0 at hop 2; give 1 or more, or None"),
        ((-1,), "fan-out -1 at hop 1"),
        ((2.0,), "fan-out 2.0"),
        ((True,), "fan-out True"),
    ],
)
def test_fan_outs_that_cannot_be_are_refused(fan_outs: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        sample_neighbourhood(star(4), [0], fan_outs, random())


def test_a_fair_choice_keeps_all_where_there_is_room() -> None:
    assert fair_choice(4, 4, random()).tolist() == [0, 1, 2, 3]
    assert len(set(fair_choice(10, 4, random()).tolist())) == 4


def test_the_computation_tree_of_a_path_is_the_one_on_paper() -> None:
    """Path 0 - 1 - 2, root 0: it and 1; then 0 again, 1 and, from 1, itself, 0 and 2."""
    path = graph_of(3, [(0, 1), (1, 2)])
    tree = computation_tree(path, 0, (None, None), random())
    assert tree.level.tolist() == [0, 1, 1, 2, 2, 2, 2, 2]
    assert tree.node.tolist()[:5] == [0, 0, 1, 0, 1]
    assert sorted(tree.node.tolist()[5:]) == [0, 1, 2]
    assert tree.target.tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert tree.weight.tolist() == [1, 1, 1, 1, 1, 0.5, 0.5]
    assert tree.is_own.tolist() == [True, False, True, False, True, False, False]
    assert tree.tree_sizes.tolist() == [1, 2, 5]
    assert not tree.is_cut
    merged = computation_tree(path, 0, (None, None), random(), merged=True)
    assert merged.node.tolist() == [0, 0, 1, 0, 1, 2]
    assert merged.copies.tolist() == [1, 1, 1, 2, 2, 1]
    assert merged.merged_sizes.tolist() == [1, 2, 3]
    assert len(merged.source) == 7
    assert not merged.is_cut


def test_sizes_of_the_whole_tree_are_powers_of_the_adjacency() -> None:
    graph = load_graph("cora")
    tree = computation_tree(graph, 20, (None,) * 4, random(), max_nodes=50)
    walks, with_own = np.zeros(graph.num_nodes), graph.adjacency()
    walks[20] = 1
    sizes = [1.0]
    for _ in range(4):
        walks = with_own @ walks + walks
        sizes.append(walks.sum())
    assert tree.tree_sizes.tolist() == sizes
    assert tree.is_cut


def evaluated(tree: ComputationTree, values: np.ndarray) -> float:
    """The root's value when every state is its own one plus twice the mean of its neighbours'."""
    states = values[tree.node].astype(np.float64)
    for level in range(tree.num_levels - 2, -1, -1):
        fed = tree.level[tree.target] == level
        factor = np.where(tree.is_own, 1.0, 2.0 * tree.weight)[fed]
        states[tree.level == level] = np.bincount(
            tree.target[fed], factor * states[tree.source[fed]], len(states)
        )[tree.level == level]
    return float(states[0])


def test_tree_and_merged_form_compute_the_same_and_what_a_full_graph_does() -> None:
    graph = load_graph("karate")
    values = random().normal(size=graph.num_nodes)
    for fan_outs in ((3, 2, 2), (None, None, None)):
        tree = computation_tree(graph, 0, fan_outs, random(1), max_nodes=10**5)
        merged = computation_tree(graph, 0, fan_outs, random(1), max_nodes=10**5, merged=True)
        assert not tree.is_cut
        assert not merged.is_cut
        assert evaluated(tree, values) == pytest.approx(evaluated(merged, values), rel=1e-12)
        counted = [
            ((tree.node == node) & (tree.level == level)).sum()
            for node, level in zip(merged.node, merged.level, strict=True)
        ]
        assert merged.copies.tolist() == counted
    full, mean = values, graph.adjacency() / graph.degrees()[:, None]
    for _ in range(3):
        full = full + 2 * (mean @ full)
    assert evaluated(merged, values) == pytest.approx(full[0], rel=1e-12)


@pytest.mark.parametrize("merged", [False, True])
def test_a_tree_that_is_cut_counts_what_it_hides(merged: bool) -> None:
    graph = load_graph("cora")
    hub = int(graph.degrees().argmax())
    tree = computation_tree(graph, hub, (25, 25, 25), random(), max_nodes=90, merged=merged)
    assert len(tree.node) <= 90
    assert tree.is_cut
    shown = np.bincount(tree.target, minlength=len(tree.node))
    whole = computation_tree(graph, hub, (25, 25, 25), random(), max_nodes=10**6, merged=merged)
    assert whole.sizes.tolist() == tree.sizes.tolist() == whole.shown_sizes.tolist()
    inputs = {(int(node), int(level)): 0 for node, level in zip(whole.node, whole.level, strict=True)}
    counts = np.bincount(whole.target, minlength=len(whole.node))
    for place in range(len(whole.node)):
        inputs[int(whole.node[place]), int(whole.level[place])] = int(counts[place])
    expected = [inputs[int(node), int(level)] for node, level in zip(tree.node, tree.level, strict=True)]
    assert (tree.hidden_inputs + shown).tolist() == expected
    assert (np.bincount(tree.source, minlength=len(tree.node))[1:] >= 1).all(), "a state that feeds nothing"


def test_what_is_cut_from_a_tree_is_left_to_chance() -> None:
    """20 of 101 inputs shown, 1,000 times; each expected 198 times, in whatever place it stands."""
    graph, generator = star(100), random(6)
    counts = np.zeros(101)
    for _ in range(1000):
        tree = computation_tree(graph, 0, (None,), generator, max_nodes=21)
        assert tree.shown_sizes.tolist() == [1, 20]
        assert tree.hidden_inputs[0] == 81
        counts[tree.node[1:]] += 1
    share = 20 / 101
    statistic = ((counts - 1000 * share) ** 2 / (1000 * share * (1 - share))).sum() * 100 / 101
    assert 61.9 < statistic < 149.4  # 100 degrees of freedom: 0.001 on either side


def test_a_tree_needs_room_for_every_level() -> None:
    with pytest.raises(ConfigError, match="2 layers need at least 3"):
        computation_tree(star(3), 0, (2, 2), random(), max_nodes=2)
    deep = computation_tree(star(3), 0, (2,) * 10, random(), max_nodes=11)
    assert deep.shown_sizes.tolist() == [1] * 11


def test_the_view_of_a_hub_shows_what_was_drawn_and_counts_the_rest() -> None:
    sample = sample_neighbourhood(star(168), [0], (3,), random())
    view = neighbourhood_view(star(168), sample, random(), max_nodes=50)
    assert (view.drawn_neighbours, view.all_neighbours) == (3, 168)
    assert (view.nodes_drawn, view.nodes_within) == (4, 169)
    assert view.found_at.tolist() == [0, 1, 1, 1] + [-1] * 46
    assert (view.hidden_drawn, view.hidden_others) == (0, 119)
    assert sorted(view.edge_hop.tolist()) == [0] * 46 + [1] * 3
    assert view.ring.tolist() == [0] + [1] * 49
    assert view.parent.tolist() == [-1] + [0] * 49


def test_the_view_draws_a_triangle_once_with_the_hop_of_each_edge() -> None:
    """0 draws one of 1 and 2 at hop 1; at hop 2 all edges are drawn, so only that one is of hop 1."""
    triangle = graph_of(4, [(0, 1), (1, 2), (0, 2), (2, 3)])
    sample = sample_neighbourhood(triangle, [0], (1, None), random())
    view = neighbourhood_view(triangle, sample, random())
    names = {
        tuple(sorted(view.nodes[pair])): hop for pair, hop in zip(view.edges.T, view.edge_hop, strict=True)
    }
    drawn = int(sample.hops[0].nodes[1])
    assert names[(0, drawn)] == 1
    assert names[(0, 3 - drawn)] == names[(1, 2)] == 2
    assert view.ring[view.nodes == 3 - drawn].tolist() == [1]


def test_the_view_keeps_to_its_size_and_every_node_hangs_on_a_shown_one() -> None:
    graph = load_graph("cora")
    hub = int(graph.degrees().argmax())
    sample = sample_neighbourhood(graph, [hub], (25, 25, 25), random())
    view = neighbourhood_view(graph, sample, random(), max_nodes=80)
    assert len(view.nodes) == len(set(view.nodes.tolist())) == 80
    assert view.hidden_drawn == len(sample.nodes) - (view.found_at >= 0).sum()
    assert set(view.found_at.tolist()) == {0, 1, 2, 3}, "one hop took all the room"
    assert (view.ring[1:] == view.ring[view.parent[1:]] + 1).all()
    adjacency = graph.adjacency()
    assert all(adjacency[view.nodes[one], view.nodes[two]] for one, two in view.edges.T)


def test_a_view_needs_room_beside_the_seeds() -> None:
    sample = sample_neighbourhood(star(4), [0, 1], (1,), random())
    with pytest.raises(ConfigError, match="max_nodes 2 for 2 seeds"):
        neighbourhood_view(star(4), sample, random(), max_nodes=2)


def test_a_generator_of_32_bit_words_draws_uniformly_too():
    hub = Graph(
        x=np.zeros((41, 1), dtype=np.float32), edge_index=np.stack([np.zeros(40, int), np.arange(1, 41)])
    )
    sampler, generator = NeighbourSampler(hub), np.random.Generator(np.random.MT19937(0))
    counts = np.zeros(41)
    for _ in range(2000):
        counts[sampler.sample([0], [10], generator).nodes[1:]] += 1
    assert counts[1:].sum() == 20_000
    assert abs(counts[1:] - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)
