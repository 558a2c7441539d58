"""Nodes as points: colours, crosses, selection, shared ranges; and the cosines between them."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from gnnviz.errors import ConfigError
from gnnviz.figures.histogram import cosine_histogram_figure
from gnnviz.figures.scatter import WEBGL_FROM, NodeTable, common_span, projection_scatter
from gnnviz.figures.theme import LIGHT
from gnnviz.figures.thumbnails import Thumbnail, thumbnails


def plain(text):
    return text.replace("\u202f", " ")


def notes(figure):
    return [plain(annotation.text) for annotation in figure.layout.annotations]


def note(figure, start):
    return next(item for item in figure.layout.annotations if plain(item.text).startswith(start))


PLANE = np.array([[0, 0], [1, 0], [0, 1], [4, 2], [2, 2]], dtype=np.float64)
NODES = NodeTable(
    labels=np.array([0, 0, 1, 1, 1]),
    class_names=("Theory", "Rule_Learning"),
    predictions=np.array([0, 1, 1, 1, 0]),
    probabilities=np.array([0.9, 0.6, 0.8, 0.7, 0.5]),
    ids=np.array([10, 11, 12, 13, 14]),
)


def scatter(nodes=NODES, **settings):
    return projection_scatter(PLANE, nodes, LIGHT, title="t", axis_titles=("PC 1", "PC 2"), **settings)


def test_a_projection_has_a_trace_per_class_with_ids_and_counts():
    first, second, legend = scatter().data
    assert (first.name, second.name, legend.name) == ("Theory 2", "Rule Learning 3", "wrong prediction 2")
    assert first.marker.color == LIGHT.class_hues[0]
    assert list(first.customdata) == [10, 11]
    assert list(second.customdata) == [12, 13, 14]
    assert list(second.x) == [0, 4, 2]
    assert list(second.y) == [1, 2, 2]


def test_wrong_predictions_are_crosses():
    first, second, _ = scatter().data
    assert list(first.marker.symbol) == ["circle", "x"]
    assert list(second.marker.symbol) == ["circle", "circle", "x"]


def test_the_pointer_finds_name_class_prediction_and_probability():
    assert plain(scatter().data[0].text[1]) == (
        "<b>node 11</b><br>class: Theory<br>predicted: Rule_Learning (60.0 %)"
    )


def test_colours_by_prediction_and_by_right_or_wrong():
    predicted = scatter(colour_by="prediction").data
    assert list(predicted[0].customdata) == [10, 14]
    right, wrong = scatter(colour_by="right_wrong").data
    assert (right.name, list(right.customdata)) == ("right 3", [10, 12, 13])
    assert (wrong.name, list(wrong.customdata)) == ("wrong 2", [11, 14])
    assert right.marker.symbol == "circle"
    assert set(wrong.marker.symbol) == {"x"}
    with pytest.raises(ConfigError, match="cannot colour by 'prediction' without predictions"):
        scatter(NodeTable(NODES.labels, NODES.class_names), colour_by="prediction")


def test_a_selection_dims_the_others_in_place():
    figure = scatter(selected=[12, 11], primary=12)
    first, second = figure.data[:2]
    assert (list(first.selectedpoints), list(second.selectedpoints)) == ([1], [0])
    assert (first.name, second.name) == ("Theory 1 of 2", "Rule Learning 1 of 3")
    assert first.unselected.marker.opacity == 0.15
    assert first.unselected.marker.color == LIGHT.unselected
    assert figure.layout.xaxis.range == scatter().layout.xaxis.range
    ring = figure.data[-1]
    assert (ring.x, ring.y, ring.marker.symbol) == ((0.0,), (1.0,), "circle-open")
    assert note(figure, "node 12").x == 0.0
    assert figure.layout.selectionrevision != scatter(selected=[11]).layout.selectionrevision
    assert figure.layout.selectionrevision == scatter(selected=[11, 12]).layout.selectionrevision


def test_an_empty_selection_dims_everything():
    assert [len(trace.selectedpoints) for trace in scatter(selected=[]).data[:2]] == [0, 0]


def test_both_axes_of_a_projection_have_one_scale_and_a_name():
    layout = scatter(span=((-1, 5), (-2, 3))).layout
    assert (layout.yaxis.scaleanchor, layout.yaxis.scaleratio) == ("x", 1)
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("PC 1", "PC 2")
    assert (layout.xaxis.range, layout.yaxis.range) == ((-1, 5), (-2, 3))


def test_the_common_span_holds_all_points_with_a_margin():
    assert common_span([PLANE, PLANE - 1]) == (
        (pytest.approx(-1.2), pytest.approx(4.2)),
        (pytest.approx(-1.2), pytest.approx(2.2)),
    )
    assert common_span([np.full((3, 2), 7.0)]) == ((6, 8), (6, 8))
    assert common_span([]) == ((-1, 1), (-1, 1))


def test_more_classes_than_hues_share_a_grey_that_the_legend_counts():
    labels = np.repeat(np.arange(10), np.arange(1, 11))
    nodes = NodeTable(labels, tuple(f"c{index}" for index in range(10)))
    plane = np.random.default_rng(0).normal(size=(len(labels), 2))
    figure = projection_scatter(plane, nodes, LIGHT, title="t", axis_titles=("x", "y"))
    assert len(figure.data) == 9
    assert figure.data[-1].name == "2 smaller classes 3"
    assert figure.data[-1].marker.color == LIGHT.other_class
    assert figure.data[0].name == "c2 3"


def test_nodes_without_labels_are_one_trace():
    figure = scatter(NodeTable(None))
    assert [trace.name for trace in figure.data] == ["nodes 5"]
    assert figure.data[0].text[0] == "<b>node 0</b>"


def test_many_points_are_drawn_with_webgl():
    plane = np.zeros((WEBGL_FROM + 1, 2))
    figure = projection_scatter(plane, NodeTable(None), LIGHT, title="t", axis_titles=("x", "y"))
    assert isinstance(figure.data[0], go.Scattergl)
    assert isinstance(scatter().data[0], go.Scatter)


def test_a_projection_without_points_says_why():
    figure = projection_scatter(
        np.zeros((0, 2)), NODES, LIGHT, title="t", axis_titles=("x", "y"), reason="No run."
    )
    assert notes(figure) == ["No run."]


# Thumbnails and cosines


def test_thumbnails_share_one_range_and_carry_their_accuracy():
    frames = [Thumbnail("2 layers", PLANE, 0.814), Thumbnail("4 layers", PLANE / 2), Thumbnail("8 layers")]
    figure = thumbnails(frames, NODES, LIGHT, title="", columns=2)
    assert notes(figure) == ["2 layers \u2013 81.4 %", "4 layers", "8 layers", "still to come"]
    ranges = {axis.range for axis in figure.select_xaxes() if axis.range}
    assert ranges == {tuple(common_span([PLANE, PLANE / 2])[0])}
    assert [figure.layout[f"yaxis{place}"].scaleanchor for place in ("", "2", "3")] == ["x", "x2", "x3"]
    waiting = note(figure, "still to come")
    assert (waiting.xref, waiting.yref) == ("x3 domain", "y3 domain")


def test_thumbnails_of_nothing_say_so():
    assert notes(thumbnails([], NODES, LIGHT, title="t", columns=5)) == ["No depth was chosen."]


def test_cosines_are_shares_of_their_own_pairs_on_a_fixed_axis():
    edges = np.linspace(-1, 1, 5)
    counts = {"same class": np.array([0, 0, 1, 3]), "different classes": np.array([4, 4, 0, 2])}
    figure = cosine_histogram_figure(edges, counts, LIGHT, title="t")
    same, different = figure.data
    assert list(same.x) == list(edges)
    assert list(same.y) == [0, 0, 25, 75, 75]
    assert list(different.y) == [40, 40, 0, 20, 20]
    assert same.line.dash != different.line.dash
    assert list(figure.layout.xaxis.range) == [-1.02, 1.02]
    assert figure.layout.yaxis.range[1] == pytest.approx(93.75)
    assert "different classes: 10 pairs" in figure.layout.xaxis.title.text
    assert note(figure, "same class").xanchor == "right"


def test_cosines_refuse_what_does_not_fit():
    edges = np.linspace(-1, 1, 5)
    with pytest.raises(ConfigError, match=re.escape("all: got 3 counts for 4 bins; give one per bin")):
        cosine_histogram_figure(edges, {"all": np.ones(3)}, LIGHT, title="t")
    with pytest.raises(ConfigError, match="got 5 kinds of pairs; give at most 4"):
        cosine_histogram_figure(edges, {str(kind): np.ones(4) for kind in range(5)}, LIGHT, title="t")


def test_cosines_without_pairs_say_why():
    figure = cosine_histogram_figure(
        np.linspace(-1, 1, 5), {"all": np.zeros(4)}, LIGHT, title="t", reason="One node."
    )
    assert notes(figure) == ["One node."]
