"""Nodes' stories as pictures: every bar, cross and colour is that of its prediction."""

import numpy as np
import pytest
from test_node_stories import PARTLY, PREDICTED, STORIES, certain, told
from toy_graph import GRAPH, plain

from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.scene import Panel, graph_scene
from gnnviz.figures.stories import neighbour_strips, story_strip, turning_scene
from gnnviz.figures.theme import DARK, FONT_SIZE, LIGHT, depth_colours
from gnnviz.node_stories import node_stories

BLUE, RED = LIGHT.class_hues[:2]


def crosses(figure):
    """Return the places of the crosses, which are drawn twice: an edge below, the cross above."""
    below, above = (trace for trace in figure.data if trace.name == "wrong")
    assert (list(below.x), list(below.y)) == (list(above.x), list(above.y))
    assert below.marker.symbol == above.marker.symbol == "x"
    return list(zip(above.x, above.y, strict=True))


def test_a_strip_is_the_true_class_and_below_it_each_depths_prediction():
    bars = story_strip(STORIES, 1, LIGHT, title="t").data[0]
    assert list(bars.y) == [0, 1, 2, 3]
    assert list(bars.x) == [100, 75, 75, 75]
    assert list(bars.marker.color) == [BLUE, BLUE, RED, RED]


def test_depths_go_down_and_are_named():
    axis = story_strip(STORIES, 1, LIGHT, title="t").layout.yaxis
    assert list(axis.ticktext) == ["its class", "2 layers", "4 layers", "8 layers"]
    assert axis.range[0] > axis.range[1]


def test_wrong_predictions_are_crossed_out_inside_their_bars():
    assert crosses(story_strip(STORIES, 1, LIGHT, title="t")) == [(37.5, 2), (37.5, 3)]
    assert crosses(story_strip(STORIES, 0, LIGHT, title="t")) == []


def test_class_names_stand_beside_the_bars():
    figure = story_strip(STORIES, 5, LIGHT, title="t")
    assert [note.text for note in figure.layout.annotations] == ["b c", "a", "b c", "a"]
    assert min(note.font.size for note in figure.layout.annotations) >= FONT_SIZE - 1
    assert plain(figure.layout.meta["alt"]) == (
        "t Its class: b c; predicted with 2 layers a (75.0 %), wrong; 4 layers b c (75.0 %); "
        "8 layers a (75.0 %), wrong."
    )


def test_a_bar_is_as_long_as_the_net_is_sure():
    stories = node_stories(GRAPH, (2, 4), [*certain(PREDICTED[:1], 0.9), *certain(PREDICTED[:1], 0.6)])
    assert list(story_strip(stories, 0, LIGHT, title="").data[0].x) == pytest.approx([100, 90, 60])


def test_a_node_without_a_label_has_no_crosses_and_says_so():
    figure = story_strip(told(PARTLY), 5, DARK, title="t")
    assert crosses(figure) == []
    assert figure.layout.annotations[0].text == "no label"
    assert figure.data[0].marker.color[0] == DARK.right


def test_neighbours_are_columns_with_their_own_rows_of_depths():
    nodes = np.array([0, 1, 3])
    figure = neighbour_strips(
        STORIES, nodes, ["zero", "one", "a name that is far too long"], LIGHT, title="t"
    )
    bars = figure.data[0]
    cells = {
        (int(node), round(base + height / 2)): colour
        for node, base, height, colour in zip(
            bars.customdata, bars.base, bars.y, bars.marker.color, strict=True
        )
    }
    assert cells == {
        (node, row): (BLUE, RED)[value]
        for node in (0, 1, 3)
        for row, value in enumerate([GRAPH.y[node], *PREDICTED[:, node]])
    }
    assert crosses(figure) == [(1, 2), (1, 3), (2, 3)]
    assert list(figure.layout.xaxis.ticktext) == ["zero", "one", "a name that i\u2026"]
    assert figure.layout.meta["alt"] == "t 2 of 3 are wrong at some depth."


def test_names_from_files_are_shown_and_not_obeyed():
    figure = neighbour_strips(STORIES, np.array([5]), ["<b>*5*</b>"], LIGHT, title="t")
    assert list(figure.layout.xaxis.ticktext) == ["&lt;b>*5*&lt;/b>"]
    assert figure.data[0].hovertext[1] == "&lt;b>*5*&lt;/b><br>2 layers: a"


def test_a_node_without_neighbours_gets_a_sentence():
    figure = neighbour_strips(STORIES, np.array([], dtype=int), [], LIGHT, title="t")
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text == "This node has no neighbours."


def scene_of(stories, theme=LIGHT, turning="ever"):
    scene = graph_scene(
        (Panel("", np.zeros((6, 2), dtype=np.float32)),),
        NodeTable(stories.labels, stories.class_names, predictions=stories.predicted[0]),
        theme,
        alt="toy",
        count=6,
    )
    return turning_scene(scene, stories, turning, theme)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_picture_is_coloured_by_the_depth_at_which_nodes_turn_wrong(theme):
    found = scene_of(STORIES, theme)
    shallow, middle, deep = depth_colours(3, theme)
    expected = [theme.right, middle, theme.right, deep, middle, shallow]
    assert [found.palette[place] for place in found.colour_index] == expected
    assert [(entry.label, entry.colour) for entry in found.legend] == [
        ("right at every depth (2)", theme.right),
        ("first wrong at 2 layers (1)", shallow),
        ("first wrong at 4 layers (2)", middle),
        ("first wrong at 8 layers (1)", deep),
    ]
    assert not found.crosses.any()
    assert found.hover[3].endswith("\nfirst wrong at 8 layers")


def test_nodes_without_a_label_are_rings_of_their_own():
    found = scene_of(told(PARTLY), turning="for_good")
    assert found.legend[0].label == "no label (2)"
    assert found.legend[0].hollow
    assert found.hollow[int(found.colour_index[5])]
    assert "right with the deepest net (2)" in [entry.label for entry in found.legend]
