"""Figures of sampled neighbourhoods, computation trees and reach: their sentences, marks and places."""

import numpy as np
import plotly.graph_objects as go
import pytest

from gnnviz.computation_tree import ComputationTree, computation_tree
from gnnviz.datasets import load_graph
from gnnviz.figures.neighbourhood import cut_note, neighbourhood_figure, neighbourhood_finding
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.reach import reach_figure, reach_finding
from gnnviz.figures.ring_layout import ring_layout
from gnnviz.figures.theme import DARK, LIGHT, class_colours
from gnnviz.figures.tree import computation_tree_figure, tree_finding, tree_rows
from gnnviz.graph import Graph
from gnnviz.neighbourhood import NeighbourhoodView, neighbourhood_view
from gnnviz.sampling import sample_neighbourhood


def star(leaves: int) -> Graph:
    edges = np.array([(0, leaf) for leaf in range(1, leaves + 1)], dtype=np.int64).reshape(-1, 2).T
    return Graph(x=np.zeros((leaves + 1, 1), dtype=np.float32), edge_index=edges)


def view_of(
    graph: Graph, seeds: list[int], fan_outs: tuple[int | None, ...], size: int = 250
) -> NeighbourhoodView:
    generator = np.random.default_rng(0)
    return neighbourhood_view(graph, sample_neighbourhood(graph, seeds, fan_outs, generator), generator, size)


def tree_of(graph: Graph, node: int, fan_outs: tuple[int | None, ...], **settings: int) -> ComputationTree:
    return computation_tree(graph, node, fan_outs, np.random.default_rng(0), **settings)


def table(graph: Graph) -> NodeTable:
    return NodeTable(labels=graph.y, class_names=graph.class_names, names=graph.node_names)


def marks(figure: go.Figure) -> dict[int, list[tuple[float, float, str, str]]]:
    """Return place, colour and symbol of every mark that carries a node id, by id."""
    found: dict[int, list[tuple[float, float, str, str]]] = {}
    for trace in figure.data:
        if trace.customdata is not None:
            for x, y, (node, *_) in zip(trace.x, trace.y, trace.customdata, strict=True):
                place = (float(x), float(y), trace.marker.color, trace.marker.symbol)
                found.setdefault(int(node), []).append(place)
    return found


@pytest.mark.parametrize(
    ("seeds", "fan_outs", "sentence"),
    [
        ([0], (3,), "3 of 168 neighbours of the hub were drawn."),
        ([0], (1,), "1 of 168 neighbours of the hub was drawn."),
        ([0], (None,), "All 168 neighbours of the hub were drawn."),
        ([7], (5,), "The only neighbour of the hub was drawn."),
        (
            [7],
            (5, 10),
            "The only neighbour of the hub was drawn; 12 of the 169 nodes within 2 hops take part.",
        ),
        ([0, 7], (3,), "4 of 169 neighbours of 2 seeds were drawn."),
    ],
)
def test_the_sentence_of_a_neighbourhood_counts_what_was_drawn(
    seeds: list[int], fan_outs: tuple[int | None, ...], sentence: str
) -> None:
    view = view_of(star(168), seeds, fan_outs)
    if seeds == [7] and len(fan_outs) == 2:  # whether the hub draws the seed is chance
        assert neighbourhood_finding(view, "the hub") in {sentence, sentence.replace("12 of", "11 of")}
    else:
        assert neighbourhood_finding(view, "the hub") == sentence


def test_what_is_left_out_of_a_picture_is_said_in_it() -> None:
    view = view_of(star(168), [0], (100,), size=51)
    assert cut_note(view) == "Left out, chosen at random: 50 drawn and 68 not drawn."
    figure = neighbourhood_figure(view, table(star(168)), LIGHT, title="A title.")
    assert any("50 drawn" in note.text for note in figure.layout.annotations)
    assert "50 drawn" in figure.layout.meta["alt"]
    assert cut_note(view_of(star(168), [0], (3,))) == ""


def test_every_shown_node_is_one_mark_in_the_colour_of_its_class() -> None:
    graph = load_graph("cora")
    hub = int(graph.degrees().argmax())
    view = view_of(graph, [hub], (10, 25), size=200)
    figure = neighbourhood_figure(view, table(graph), DARK, title="A title.")
    found = marks(figure)
    assert sorted(found) == sorted(view.nodes.tolist())
    assert graph.y is not None
    colours = class_colours(np.bincount(graph.y).tolist(), DARK).colours
    for node, found_at in zip(view.nodes.tolist(), view.found_at, strict=True):
        ((*_, colour, symbol),) = found[node]
        assert colour == colours[graph.y[node]]
        assert symbol == ("circle" if found_at >= 0 else "circle-open")


def test_edges_are_strong_where_they_were_drawn_and_faint_where_not() -> None:
    view = view_of(star(20), [0], (4,))
    figure = neighbourhood_figure(view, table(star(20)), LIGHT, title="A title.")
    lines = {trace.name: trace for trace in figure.data if trace.mode == "lines"}
    assert {name: len(trace.x) // 3 for name, trace in lines.items()} == {
        "not drawn (hollow)": 16,
        "drawn at hop 1": 4,
    }
    assert lines["drawn at hop 1"].line.width >= 2 > lines["not drawn (hollow)"].line.width


def test_rings_are_hops_and_no_two_nodes_share_a_place() -> None:
    graph = load_graph("cora")
    hub = int(graph.degrees().argmax())
    for seeds, fan_outs in (([hub], (3, 3)), ([20], (3, 2)), ([hub, 20, 5], (3, 2)), ([20], (2,) * 6)):
        view = view_of(graph, seeds, fan_outs)
        places = ring_layout(view)
        inner = 0.0 if len(seeds) == 1 else 0.6
        distance = np.linalg.norm(places, axis=1) - inner
        drawn = view.found_at >= 0
        assert distance[drawn] == pytest.approx(view.ring[drawn], abs=1e-12)
        assert (np.floor(distance[~drawn] + 1e-9) == view.ring[~drawn]).all()
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(len(places))
        assert gaps.min() > 1e-3


def test_the_seed_says_its_name_and_hover_says_class_and_hop() -> None:
    graph = load_graph("karate")
    figure = neighbourhood_figure(view_of(graph, [0], (2, 2)), table(graph), LIGHT, title="A title.")
    assert "node 0" in {note.text for note in figure.layout.annotations}
    texts = {text for trace in figure.data if trace.customdata is not None for text in trace.text}
    assert "<b>node 0</b><br>class: Mr. Hi<br>seed" in texts
    assert any(text.endswith("<br>1 hop away, drawn at hop 1") for text in texts)
    assert any(text.endswith("not drawn") for text in texts)


def test_graphs_without_labels_are_drawn_in_one_grey() -> None:
    nodes = NodeTable(labels=None)
    figure = neighbourhood_figure(view_of(star(5), [0], (2,)), nodes, LIGHT, title="A title.")
    assert {colour for places in marks(figure).values() for *_, colour, _ in places} == {LIGHT.other_class}
    tree = computation_tree_figure(tree_of(star(5), 0, (2,)), nodes, LIGHT, title="A title.")
    assert {colour for places in marks(tree).values() for *_, colour, _ in places} == {LIGHT.other_class}


def test_isolated_nodes_have_titled_empty_figures() -> None:
    graph = star(0)
    view, tree, alone = view_of(graph, [0], (3, 3)), tree_of(graph, 0, (3, 3)), np.full(3, 0.5)
    titles = (
        neighbourhood_finding(view, "it"),
        tree_finding(tree, "it"),
        reach_finding(alone, alone, "it"),
    )
    assert titles == (
        "It has no neighbours to draw.",
        "It has no neighbours: through 2 layers it sees only itself.",
        "It has no neighbours: with 2 layers it sees only itself.",
    )
    figures = (
        neighbourhood_figure(view, table(graph), LIGHT, title=titles[0]),
        computation_tree_figure(tree, table(graph), LIGHT, title=titles[1]),
        reach_figure(alone, alone, LIGHT, title=titles[2], name="It"),
    )
    for figure, title in zip(figures, titles, strict=True):
        assert not figure.data
        assert title in figure.layout.meta["alt"]
        assert "isolated" in figure.layout.annotations[0].text


def test_the_sentence_of_a_tree_counts_the_whole_of_it() -> None:
    """A star of 3 in full: 1 + 4 + (4 + 2 + 2 + 2) states; merged 1 + 4 + 4."""
    assert (
        tree_finding(tree_of(star(3), 0, (None, None)), "It")
        == "Through 2 layers, It hears 10 inputs from 4 different nodes."
    )
    merged = tree_of(star(3), 0, (None, None), merged=True)
    assert tree_finding(merged, "It") == "With equal states merged, It takes 9 states instead of 15."


def test_huge_trees_are_counted_in_round_numbers() -> None:
    tree = tree_of(load_graph("karate"), 0, (None,) * 40)
    assert " x 10" in tree_finding(tree, "It")


def test_states_stand_in_their_layers_and_no_two_in_one_place() -> None:
    graph = load_graph("karate")
    for merged in (False, True):
        tree = tree_of(graph, 0, (3, 2, 2), merged=merged)
        rows = tree_rows(tree)
        places = set(zip(tree.level.tolist(), rows.round(6).tolist(), strict=True))
        assert len(places) == len(tree.node)
        figure = computation_tree_figure(tree, table(graph), LIGHT, title="A title.")
        found = marks(figure)
        assert {node: len(places) for node, places in found.items()} == {
            int(node): int((tree.node == node).sum()) for node in tree.node
        }
        assert list(figure.layout.xaxis.ticktext) == ["layer 3", "layer 2", "layer 1", "input"]


def test_a_state_of_a_tree_stands_amid_its_inputs() -> None:
    tree = tree_of(star(3), 0, (None,))
    assert tree_rows(tree).tolist() == [1.5, 0, 1, 2, 3]


def test_edges_of_a_tree_are_as_wide_as_their_share_and_own_states_are_dotted() -> None:
    """Of a star of 3: three thirds at the hub, a whole at each leaf, and 1 + 4 own states."""
    figure = computation_tree_figure(
        tree_of(star(3), 0, (None, None)), table(star(3)), LIGHT, title="A title."
    )
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    counts = {(trace.name, trace.line.width): len(trace.x) // 3 for trace in lines}
    widths = sorted(width for name, width in counts if name == "drawn neighbour")
    assert len(widths) == 2
    assert counts["drawn neighbour", widths[0]] == 3 + 3
    assert counts["drawn neighbour", widths[1]] == 3
    assert [len(trace.x) // 3 for trace in lines if trace.name == "own state"] == [5]


def test_the_columns_of_a_tree_that_is_cut_say_so() -> None:
    tree = tree_of(star(100), 0, (None,), max_nodes=21)
    figure = computation_tree_figure(tree, table(star(100)), LIGHT, title="A title.")
    assert list(figure.layout.xaxis.ticktext) == ["layer 1", "input<br>20 of<br>101"]
    assert "20 of 101 states" in figure.layout.meta["alt"]
    assert "at random" in figure.layout.meta["alt"]


@pytest.mark.parametrize(
    ("reach", "sentence"),
    [
        ([0.01, 0.2, 0.6], "With 2 layers, It sees 60.0\u202f% of the graph, the average node 30.0\u202f%."),
        (
            [0.01, 0.1, 0.1],
            "With 2 layers, It sees 10.0\u202f% of the graph: all that is connected to it, from 1 layer on.",
        ),
    ],
)
def test_the_sentence_about_reach_says_how_much_is_seen(reach: list[float], sentence: str) -> None:
    assert reach_finding(np.array(reach), np.array([0.01, 0.1, 0.3]), "It") == sentence


def test_the_sentence_about_two_nodes_says_what_they_share() -> None:
    shared = np.array([0.0, 0.1, 0.25])
    sentence = reach_finding(np.array([0.1, 0.2, 0.4]), shared, "This", shared=shared, other="that")
    assert sentence == "With 2 layers, This and that have 25.0\u202f% of what they see in common."


def test_reach_is_drawn_in_percent_with_a_label_at_every_end() -> None:
    reach, mean, shared = np.array([0.1, 0.5]), np.array([0.1, 0.45]), np.array([0.0, 0.9])
    figure = reach_figure(reach, mean, LIGHT, title="A title.", name="It", shared=shared)
    assert {trace.name: list(trace.y) for trace in figure.data} == {
        "It": [10, 50],
        "in common": [0, 90],
        "average node": [10, 45],
    }
    places = sorted(float(note.y) for note in figure.layout.annotations)
    assert np.diff(places).min() > 12
    assert "It: 10.0\u202f% with 0, 50.0\u202f% with 1." in figure.layout.meta["alt"]
    assert (figure.layout.yaxis.dtick, figure.layout.yaxis.ticksuffix) == (25, "\u202f%")
    assert figure.layout.yaxis.tickvals is None  # beside values of its own plotly leaves out the suffix


def test_all_text_is_readable_when_projected() -> None:
    graph = load_graph("karate")
    reach = np.array([0.1, 0.5])
    for figure in (
        neighbourhood_figure(view_of(graph, [0], (4, 3)), table(graph), DARK, title="A title."),
        computation_tree_figure(tree_of(graph, 0, (3, 2)), table(graph), DARK, title="A title."),
        reach_figure(reach, reach, DARK, title="A title.", name="It"),
    ):
        fonts = [note.font.size for note in figure.layout.annotations] + [figure.layout.font.size]
        assert min(fonts) >= 14
        sizes = [np.min(trace.marker.size) for trace in figure.data if "markers" in trace.mode]
        assert min(sizes) >= 6
