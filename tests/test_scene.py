"""Nodes as points on a canvas: colours, crosses, words, selection and one range for all frames."""

import numpy as np
import pytest
from toy_graph import plain

from gnnviz.errors import ConfigError
from gnnviz.figures.nodes import NodeTable, common_span
from gnnviz.figures.scene import Panel, graph_scene
from gnnviz.figures.theme import DARK, LIGHT

PLANE = np.array([[0, 0], [1, 0], [0, 1], [4, 2], [2, 2]], dtype=np.float32)
NODES = NodeTable(
    labels=np.array([0, 0, 1, 1, 1]),
    class_names=("Theory", "Rule_Learning"),
    predictions=np.array([0, 1, 1, 1, 0]),
    probabilities=np.array([0.9, 0.6, 0.8, 0.7, 0.5]),
)


def scene(nodes=NODES, planes=(PLANE,), theme=LIGHT, **settings):
    panels = tuple(Panel("", plane, "still to come") for plane in planes)
    return graph_scene(panels, nodes, theme, alt="toy", count=5, **settings)


def labels(found):
    return [entry.label for entry in found.legend]


def test_every_class_has_one_colour_and_is_counted_in_the_legend():
    found = scene()
    assert found.palette == LIGHT.class_hues[:2]
    assert found.colour_index.tolist() == [0, 0, 1, 1, 1]
    assert labels(found)[:2] == ["Theory (2)", "Rule Learning (3)"]
    assert tuple(entry.colour for entry in found.legend[:2]) == found.palette
    assert found.ids.tolist() == [0, 1, 2, 3, 4]


def test_a_class_keeps_its_colour_where_another_has_no_nodes():
    found = scene(NodeTable(np.ones(5, dtype=int), NODES.class_names))
    assert found.palette == LIGHT.class_hues[1:2]
    assert labels(found) == ["Rule Learning (5)"]


def test_more_classes_than_hues_share_a_grey_that_the_legend_counts():
    classes = np.repeat(np.arange(10), np.arange(1, 11))
    nodes = NodeTable(classes, tuple(f"c{index}" for index in range(10)))
    found = graph_scene((Panel("", None),), nodes, LIGHT, alt="", count=len(classes))
    assert labels(found)[0] == "c2 (3)"
    assert labels(found)[-1] == "2 smaller classes (3)"
    assert found.palette == (*LIGHT.class_hues, LIGHT.other_class)
    assert found.legend[-1].colour == LIGHT.other_class
    assert found.colour_index[:4].tolist() == [8, 8, 8, 0]


def test_nodes_without_labels_are_one_grey_group():
    found = scene(NodeTable(None))
    assert (found.palette, labels(found)) == ((LIGHT.other_class,), ["nodes (5)"])
    assert found.hover[3] == "node 3"
    assert not found.crosses.any()


def test_wrong_predictions_are_crosses_that_the_legend_counts():
    found = scene()
    assert found.crosses.tolist() == [False, True, False, False, True]
    last = found.legend[-1]
    assert (last.label, last.colour, last.cross) == ("predicted wrongly (2)", LIGHT.muted, True)
    assert not any(entry.cross for entry in found.legend[:-1])


@pytest.mark.parametrize("predictions", [None, NODES.labels], ids=["untrained", "all_right"])
def test_where_nothing_is_wrong_the_legend_does_not_speak_of_it(predictions):
    found = scene(NodeTable(NODES.labels, NODES.class_names, predictions))
    assert not found.crosses.any()
    assert len(found.legend) == 2


def test_colours_by_prediction_and_by_right_or_wrong():
    predicted = scene(colour_by="prediction")
    assert predicted.colour_index.tolist() == [0, 1, 1, 1, 0]
    assert predicted.palette == LIGHT.class_hues[:2]
    judged = scene(colour_by="right_wrong")
    assert judged.colour_index.tolist() == [0, 1, 0, 0, 1]
    assert judged.palette == (LIGHT.right, LIGHT.wrong)
    assert [(entry.label, entry.cross) for entry in judged.legend] == [
        ("right (3)", False),
        ("wrong (2)", True),
    ]


@pytest.mark.parametrize("colour_by", ["prediction", "right_wrong"])
def test_colours_that_need_predictions_are_refused_without(colour_by):
    with pytest.raises(ConfigError, match=f"cannot colour by '{colour_by}' without predictions"):
        scene(NodeTable(NODES.labels, NODES.class_names), colour_by=colour_by)


def test_right_or_wrong_needs_labels():
    unlabelled = NodeTable(None, NODES.class_names, NODES.predictions)
    assert labels(scene(unlabelled, colour_by="prediction")) == ["Theory (2)", "Rule Learning (3)"]
    with pytest.raises(ConfigError, match="cannot colour by 'right_wrong'"):
        scene(unlabelled, colour_by="right_wrong")


def test_the_pointer_finds_name_class_prediction_and_probability():
    assert plain(scene().hover[1]) == "node 1\nclass: Theory\npredicted: Rule_Learning (60.0 %)"
    sure = NodeTable(NODES.labels, NODES.class_names, NODES.predictions)
    assert scene(sure).hover[1] == "node 1\nclass: Theory\npredicted: Rule_Learning"


def test_names_from_files_stay_as_they_are():
    names = ("<b>*0*</b>", "one", "two", "three", "four")
    found = scene(NodeTable(NODES.labels, ("<i>a</i>", "b"), names=names))
    assert found.hover[0] == "<b>*0*</b>\nclass: <i>a</i>"  # plain text: shown, not obeyed
    assert found.legend[0].label == "<i>a</i> (2)"


def test_a_selection_and_its_primary_node_reach_the_canvas():
    chosen = np.array([2, 1], dtype=np.int32)
    found = scene(selected=chosen, primary=2)
    assert found.selected is chosen
    assert found.primary == 2
    assert found.span == scene().span
    assert (scene().selected, scene().primary) == (None, None)
    nobody = scene(selected=np.zeros(0, dtype=np.int32)).selected
    assert nobody is not None  # an empty selection dims everything, no selection nothing
    assert len(nobody) == 0


def test_all_frames_share_one_range_and_a_waiting_one_says_so():
    found = scene(planes=(PLANE, PLANE / 2 - 1, None))
    assert found.span == common_span([PLANE, PLANE / 2 - 1])
    assert [panel.positions is None for panel in found.panels] == [False, False, True]
    assert found.panels[2].note == "still to come"
    assert scene(span=((-1, 5), (-2, 3))).span == ((-1, 5), (-2, 3))


def test_the_common_span_holds_all_points_with_a_margin():
    assert common_span([PLANE, PLANE - 1]) == (
        (pytest.approx(-1.2), pytest.approx(4.2)),
        (pytest.approx(-1.2), pytest.approx(2.2)),
    )
    assert common_span([np.full((3, 2), 7.0)]) == ((6, 8), (6, 8))
    assert common_span([]) == ((-1, 1), (-1, 1))


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_the_scene_has_the_colours_of_its_page_and_is_told_in_words(page):
    found = scene(theme=page, axes=("PC 1", "PC 2"))
    assert (found.ink, found.muted, found.background) == (page.ink, page.muted, page.background)
    assert (found.alt, found.axes) == ("toy", ("PC 1", "PC 2"))
