"""The picture of a graph and its counts as figures, checked on a graph small enough to count by hand."""

import re

import numpy as np
import pytest
from toy_graph import ALONE, GRAPH, plain

from gnnviz.errors import ConfigError
from gnnviz.figures.graph import GraphNodes, degree_groups, whole_graph
from gnnviz.figures.graph_statistics import class_bars, class_mixing, component_bars, degree_histogram
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.theme import DARK, LIGHT
from gnnviz.graph_layout import NodePlaces
from gnnviz.graph_statistics import PARTS, graph_statistics, node_parts

# The picture

PLACES = NodePlaces(np.array([0, 2, 3, 5]), np.zeros((4, 2), dtype=np.float32))
EDGES = np.array([(0, 1), (1, 2)], dtype=np.int32)
NODES = GraphNodes(
    NodeTable(GRAPH.y, GRAPH.class_names, np.array([0, 0, 0, 1, 0, 1]), np.full(6, 0.75), GRAPH.node_names),
    GRAPH.degrees(),
    node_parts(GRAPH),
    PARTS,
)


def scene(**settings):
    return whole_graph(PLACES, EDGES, NODES, LIGHT, alt="toy", **settings)


def test_a_picture_of_some_nodes_keeps_their_numbers_and_names():
    found = scene()
    assert found.ids.tolist() == [0, 2, 3, 5]
    assert found.names == ("zero", "two", "three", "<b>*5*</b>")
    assert found.colour_index.tolist() == [0, 1, 1, 1]
    assert [entry.label for entry in found.legend] == ["a (1)", "b c (3)"]
    assert not found.crosses.any()
    assert plain(found.hover[1]) == "two\nclass: b_c\npredicted: a (75.0 %)\ntrain \u00b7 3 neighbours"
    assert found.hover[3].startswith("<b>*5*</b>\n")  # plain text: what a file says is shown, not obeyed
    assert found.edges.tolist() == EDGES.tolist()


def test_nodes_with_more_neighbours_are_larger_but_not_in_proportion():
    sizes = scene().sizes
    assert sizes is not None
    assert sizes.dtype == np.float32
    assert sizes[1] == sizes.max()  # degree 3
    assert sizes[2] == sizes[3] == sizes.min()  # degree 1
    assert sizes[1] / sizes[2] < 2


def test_a_chosen_node_and_its_neighbours_stay_bright():
    found = scene(primary=3, neighbours=np.array([2]))
    assert found.primary == 2
    assert found.selected is not None
    assert found.selected.tolist() == [1, 2]
    left_out = scene(primary=4, neighbours=np.array([5]))
    assert (left_out.primary, left_out.selected) == (None, None)


def test_parts_are_told_apart_without_class_hues():
    found = scene(colour_by="part")
    assert [entry.label for entry in found.legend] == ["in no part (1)", "test (1)", "train (2)"]
    assert not set(found.palette) & set(LIGHT.class_hues)
    assert found.colour_index.tolist() == [2, 2, 1, 0]
    whole = whole_graph(
        NodePlaces(np.arange(6), np.zeros((6, 2), np.float32)), None, NODES, DARK, alt="", colour_by="part"
    )
    assert [entry.hollow for entry in whole.legend] == [False, False, True, False]
    assert whole.hollow == (False, False, True, False)


def test_degrees_share_colours_in_ranges_that_double():
    degrees = np.array([0, 1, 2, 3, 4, 5, 8, 9, 33, 168])
    groups = degree_groups(degrees, LIGHT)
    assert [group.name for group in groups] == [
        "0 neighbours", "1 neighbour", "2 neighbours", "3\u20134", "5\u20138", "9\u201316",
        "more than 32 neighbours",
    ]  # fmt: skip
    assert [group.members.tolist() for group in groups[3:]] == [[3, 4], [5, 6], [7], [8, 9]]
    assert (groups[0].colour, groups[-1].colour) == (LIGHT.depth_stops[0], LIGHT.depth_stops[-1])
    assert len(scene(colour_by="degree").palette) == 3  # degrees 2, 3, 1, 1


def test_wrong_predictions_are_crosses_where_colours_speak_of_them():
    found = scene(colour_by="right_wrong")
    assert found.crosses.tolist() == [False, True, False, False]
    assert [(entry.label, entry.cross) for entry in found.legend] == [
        ("right (3)", False),
        ("wrong (1)", True),
    ]
    bare = GraphNodes(NodeTable(GRAPH.y, GRAPH.class_names), NODES.degrees, NODES.parts, PARTS)
    with pytest.raises(ConfigError, match="train first"):
        whole_graph(PLACES, EDGES, bare, LIGHT, alt="", colour_by="right_wrong")


def test_a_picture_that_is_not_there_yet_says_what_is_awaited():
    found = whole_graph(None, None, NODES, LIGHT, alt="toy", note="being placed", primary=2)
    assert (found.panels[0].positions, found.panels[0].note) == (None, "being placed")
    assert (len(found.ids), len(found.edges), found.legend) == (0, 0, ())


# Counts as figures


def test_the_degree_histogram_has_a_point_per_degree_on_two_log_axes():
    figure = degree_histogram(np.array([4, 7, 0, 2]), 1.5, LIGHT, title="Degrees.")
    (points,) = figure.data
    assert (list(points.x), list(points.y)) == ([1, 3], [7, 2])
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.annotations[0].text == "mean 1.5"
    assert figure.layout.annotations[0].x == pytest.approx(np.log10(1.5))
    assert "4 nodes without neighbours are not shown" in figure.layout.meta["alt"]


def test_component_sizes_are_counted_in_ranges_that_double():
    (bars,) = component_bars(np.array([2485, 3, 2, 2, 4, 1]), LIGHT, title="").data
    assert list(bars.x) == ["1", "2", "3\u20134", "2,485"]
    assert list(bars.y) == [1, 2, 2, 1]


def test_class_bars_are_divided_into_parts_that_add_up():
    counts = graph_statistics(GRAPH).class_parts
    figure = class_bars(counts, PARTS, GRAPH.class_names, LIGHT, title="")
    bars = [trace for trace in figure.data if trace.x[0] is not None]
    assert sum(np.asarray(trace.x) for trace in bars).tolist() == [3, 3]
    assert [trace.name for trace in figure.data if trace.name] == [
        "train",
        "validation",
        "test",
        "in no part",
    ]
    assert list(bars[0].marker.color) == list(LIGHT.class_hues[:2])
    assert [plain(item.text) for item in figure.layout.annotations] == ["3 \u00b7 50.0 %"] * 2


def test_class_mixing_gives_each_row_a_hundred_percent():
    cells, printed = class_mixing(graph_statistics(GRAPH).mixing, GRAPH.class_names, LIGHT, title="").data
    assert np.asarray(cells.z).tolist() == [[40, 60], [60, 40]]
    assert list(cells.y) == ["a", "b c"]
    numbers = zip(printed.y, printed.x, printed.text, strict=True)
    assert [*numbers] == [("a", "a", "40"), ("a", "b c", "60"), ("b c", "a", "60"), ("b c", "b c", "40")]


def test_a_class_without_edges_mixes_with_none():
    cells, _ = class_mixing(np.array([[2, 0], [0, 0]]), ("a", "b"), LIGHT, title="").data
    assert np.asarray(cells.z).tolist() == [[100, 0], [0, 0]]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_numbers_stand_out_from_the_shades_of_their_cells(theme):
    cells, printed = class_mixing(np.array([[65, 35], [34, 66]]), ("a", "b"), theme, title="").data
    assert list(printed.textfont.color) == [theme.ink, theme.ink, theme.ink, theme.background]
    stops = np.array([channels(stop) for _, stop in cells.colorscale])
    for share, colour in zip((65, 35, 34, 66), printed.textfont.color, strict=True):
        shade = [np.interp(share, (0, 50, 100), part) for part in stops.T]
        one, other = sorted(luminance(rgb) for rgb in (np.array(shade), channels(colour)))
        assert (other + 0.05) / (one + 0.05) > 3.3


def channels(colour):
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255


def luminance(rgb):
    return float(
        np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    )


def test_figures_of_nothing_say_why():
    empty = graph_statistics(ALONE)
    figures = [
        degree_histogram(empty.degree_counts, 0.0, LIGHT, title=""),
        class_bars(empty.class_parts, PARTS, (), LIGHT, title=""),
        class_mixing(empty.mixing, (), LIGHT, title=""),
        component_bars(np.array([], dtype=np.int64), LIGHT, title=""),
    ]
    said = [figure.layout.annotations[0].text.replace("<br>", " ") for figure in figures]
    assert said == [
        "No node has a neighbour.",
        "The nodes have no classes.",
        "Without classes and edges nothing mixes.",
        "There are no nodes.",
    ]


def test_counts_that_do_not_fit_their_names_are_refused():
    with pytest.raises(ConfigError, match=re.escape("got counts of shape (1, 1) for classes and classes")):
        class_mixing(np.ones((1, 1), dtype=np.int64), ("a", "b"), LIGHT, title="")


def test_names_from_files_are_not_read_as_markup():
    figure = class_bars(np.array([[1]]), ("train",), ("<a href='x'>y</a>",), LIGHT, title="")
    assert all("<a" not in name for trace in figure.data if trace.y[0] for name in trace.y)
