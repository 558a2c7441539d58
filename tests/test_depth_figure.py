"""Accuracy against depth: marks, bands, gaps, chance lines, and the sentence above them."""

import math

import numpy as np
import pytest

from gnnviz.errors import ConfigError
from gnnviz.figures.depth import MeasureAxis, accuracy_against_depth
from gnnviz.figures.depth_points import DepthPoint, depth_finding
from gnnviz.figures.layout import Chance
from gnnviz.figures.theme import DARK, LIGHT, model_style

CHANCE = Chance(majority=0.319, uniform=1 / 7)
DEPTHS = (2, 4, 8, 16, 32)


def plain(text):
    return text.replace("\u202f", " ")


def notes(figure):
    return [plain(annotation.text) for annotation in figure.layout.annotations]


def note(figure, start):
    return next(item for item in figure.layout.annotations if plain(item.text).startswith(start))


def points(accuracies, **fields):
    return [DepthPoint(depth, (value,), **fields) for depth, value in accuracies.items()]


def finding(accuracies, expected=None):
    return plain(depth_finding(points(accuracies), expected or tuple(accuracies), CHANCE))


def test_the_depth_axis_is_logarithmic_with_the_true_numbers():
    figure = accuracy_against_depth([], LIGHT, title="t", expected_depths=DEPTHS, chance=CHANCE)
    axis = figure.layout.xaxis
    assert axis.type == "log"
    assert "log scale" in axis.title.text
    assert axis.tickvals == DEPTHS
    assert axis.ticktext == ("2", "4", "8", "16", "32")
    assert 10 ** np.array(axis.range) == pytest.approx([2 / math.sqrt(2), 32 * math.sqrt(2)])


def test_depth_lines_show_means_and_break_at_what_is_missing():
    known = [DepthPoint(2, (0.8, 0.84)), DepthPoint(8, (0.5,))]
    figure = accuracy_against_depth(known, LIGHT, title="t", expected_depths=(2, 4, 8), chance=CHANCE)
    line = next(trace for trace in figure.data if trace.name == "GCN")
    assert line.x == (2, 4, 8)
    assert line.y[0] == pytest.approx(82)
    assert (line.y[1], line.y[2]) == (None, 50)
    assert line.connectgaps is False
    assert plain(figure.layout.xaxis.title.text).endswith(
        "means of 1 to 2 runs per depth;<br>band: lowest to highest run"
    )


def test_the_band_spans_lowest_to_highest_run():
    known = [DepthPoint(2, (0.8, 0.84)), DepthPoint(4, (0.5, 0.7))]
    figure = accuracy_against_depth(known, LIGHT, title="t", expected_depths=(2, 4), chance=CHANCE)
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert band.x == (2, 4, 4, 2)
    assert band.y == pytest.approx((80, 50, 70, 84))


def test_running_depths_are_hollow_and_pending_ones_are_said_to_come():
    known = [DepthPoint(2, (0.8,)), DepthPoint(4, live=0.25)]
    figure = accuracy_against_depth(known, DARK, title="t", expected_depths=(2, 4, 8), chance=CHANCE)
    live = next(trace for trace in figure.data if "still training" in (trace.name or ""))
    assert (live.x, live.y) == ((4,), (25.0,))
    assert live.marker.color == DARK.background
    assert "25.0 %<br>so far" in notes(figure)
    coming = [item for item in figure.layout.annotations if item.text == "still to come"]
    assert [item.x for item in coming] == pytest.approx([math.log10(8)])


def test_chance_lines_carry_their_labels_at_an_end():
    figure = accuracy_against_depth(
        points({2: 0.8, 4: 0.319}), LIGHT, title="t", expected_depths=(2, 4), chance=CHANCE
    )
    label = note(figure, "guess largest")
    assert plain(label.text) == "guess largest<br>class: 31.9 %"
    assert (label.y, label.x, label.xanchor, label.yanchor) == (pytest.approx(31.9), 0, "left", "bottom")
    assert plain(note(figure, "guess uniformly").text) == "guess uniformly: 14.3 %"
    assert {round(shape.y0, 2) for shape in figure.layout.shapes if shape.type == "line"} == {31.9, 14.29}


def test_chance_labels_move_to_the_end_that_is_free():
    figure = accuracy_against_depth(
        points({2: 0.3, 4: 0.8}), LIGHT, title="t", expected_depths=(2, 4), chance=CHANCE
    )
    assert note(figure, "guess largest").x == 1


@pytest.mark.parametrize(
    ("first", "last", "place"),
    [
        (0.8, 0.3, ("left", "bottom")),
        (0.4, 0.8, ("right", "bottom")),
        (0.4, 0.3, ("left", "top")),
        (0.25, 0.4, ("left", "bottom")),
        (0.3, 0.4, ("right", "top")),
        (0.3, 0.3, ("left", "bottom")),
    ],
)
def test_the_label_of_the_largest_class_stands_where_no_mark_is(first, last, place):
    known = points({2: first, 4: last})
    figure = accuracy_against_depth(known, LIGHT, title="t", expected_depths=(2, 4), chance=CHANCE)
    label = note(figure, "guess largest")
    assert (label.xanchor, label.yanchor) == place


def test_between_near_chance_lines_there_is_no_room_for_a_label():
    near = Chance(majority=0.28, uniform=0.14)
    figure = accuracy_against_depth(
        points({2: 0.4, 4: 0.4}), LIGHT, title="t", expected_depths=(2, 4), chance=near
    )
    assert note(figure, "guess largest").yanchor == "bottom"


def test_chance_labels_that_would_overlap_are_one():
    close = Chance(majority=0.03, uniform=0.01)
    figure = accuracy_against_depth([], LIGHT, title="t", expected_depths=(2,), chance=close)
    assert "guess largest<br>class: 3.0 %<br>guess uniformly: 1.0 %" in notes(figure)


def test_several_models_are_named_at_their_lines():
    known = points({2: 0.8, 4: 0.3}) + points({2: 0.81, 4: 0.3}, model="gat")
    figure = accuracy_against_depth(known, LIGHT, title="t", expected_depths=(2, 4), chance=CHANCE)
    ends = [note(figure, name) for name in ("GCN", "GAT")]
    assert abs(ends[0].y - ends[1].y) >= 6 - 1e-9
    assert [item.font.color for item in ends] == [
        model_style(model, LIGHT).colour for model in ("gcn", "gat")
    ]


def test_the_room_beside_the_lines_is_that_of_the_longest_name():
    def room(models):
        known = [DepthPoint(depth, (0.8,), model=model) for model in models for depth in (2, 4)]
        return accuracy_against_depth(
            known, LIGHT, title="t", expected_depths=(2, 4), chance=CHANCE
        ).layout.margin.r

    assert room(["gcn"]) < room(["gcn", "gat"]) < room(["gcn", "sage"])


def test_the_second_panel_shows_the_measure():
    known = [DepthPoint(2, (0.8,), smoothness=(0.5,)), DepthPoint(4, (0.3,), smoothness=(3e-9,))]
    arguments = {"title": "t", "expected_depths": (2, 4), "chance": CHANCE}
    flat = accuracy_against_depth(known, LIGHT, **arguments, measure=MeasureAxis("MAD"))
    line = next(trace for trace in flat.data if trace.yaxis == "y2")
    assert line.y == (0.5, 3e-9)
    assert list(flat.layout.yaxis2.range) == pytest.approx([0, 0.55])
    log = accuracy_against_depth(known, LIGHT, **arguments, measure=MeasureAxis("MAD", log=True))
    assert log.layout.yaxis2.type == "log"
    assert log.layout.yaxis2.title.text == "MAD (log scale)"
    assert list(log.layout.yaxis2.range) == [-9, 0]


def test_no_depth_at_all_is_an_empty_figure():
    figure = accuracy_against_depth([], LIGHT, title="t", expected_depths=(), chance=CHANCE)
    assert notes(figure) == ["No depth was chosen. Choose the<br>numbers of layers to compare."]


def test_the_picture_is_told_with_its_numbers():
    figure = accuracy_against_depth(
        points({2: 0.814}), LIGHT, title="T.", expected_depths=(2,), chance=CHANCE
    )
    assert plain(figure.layout.meta["alt"]) == (
        "T. Test accuracy: GCN with 2 layers 81.4 %. For comparison: always the largest class 31.9 %, "
        "uniform guessing 14.3 %."
    )


# The sentence about depth


@pytest.mark.parametrize(
    ("accuracies", "sentence"),
    [
        (
            {2: 0.814, 8: 0.252, 16: 0.319},
            "From 8 layers on this GCN does no better than always guessing the largest class (31.9 %): "
            "81.4 % with 2 layers, 31.9 % with 16.",
        ),
        (
            {2: 0.814, 4: 0.789, 8: 0.319},
            "With 8 layers this GCN does no better than always guessing the largest class (31.9 %): "
            "81.4 % with 2 layers, 31.9 % with 8.",
        ),
        (
            {2: 0.319, 4: 0.2},
            "This GCN does no better than always guessing the largest class (31.9 %) "
            "at any depth from 2 to 4 layers.",
        ),
        (
            {2: 0.81, 4: 0.8},
            "Depth makes little difference to this GCN: between 80.0 % and 81.0 % from 2 to 4 layers.",
        ),
        ({2: 0.81, 4: 0.6}, "This GCN gets worse with depth: 81.0 % with 2 layers, 60.0 % with 4."),
        ({2: 0.6, 4: 0.81}, "This GCN gets better with depth: 60.0 % with 2 layers, 81.0 % with 4."),
        ({2: 0.7, 4: 0.8, 8: 0.6}, "This GCN is best with 4 layers (80.0 %) and worst with 8 (60.0 %)."),
        ({2: 0.8, 4: 0.2, 8: 0.7}, "This GCN is best with 2 layers (80.0 %) and worst with 4 (20.0 %)."),
        ({1: 0.814}, "With 1 layer this GCN gets 81.4 % of the test nodes right."),
    ],
)
def test_the_finding_says_what_was_measured(accuracies, sentence):
    assert finding(accuracies) == sentence


def test_two_points_above_the_largest_class_are_within_chance_and_three_are_not():
    assert "no better" in finding({2: 0.814, 4: 0.338})
    assert finding({2: 0.814, 4: 0.349}).startswith("This GCN gets worse with depth")


def test_the_finding_is_provisional_while_depths_are_missing():
    assert finding({2: 0.814}, DEPTHS) == (
        "So far, with 2 layers this GCN gets 81.4 % of the test nodes right; "
        "depths 4, 8, 16 and 32 are still to come."
    )
    assert finding({2: 0.814, 8: 0.5}, (2, 4, 8)) == (
        "So far, this GCN gets worse with depth: 81.4 % with 2 layers, 50.0 % with 8; "
        "depth 4 is still to come."
    )


def test_the_finding_names_what_will_be_seen_when_nothing_is():
    assert depth_finding([], (2, 4), CHANCE) == (
        "No run is finished yet: the accuracy with 2 and 4 layers will appear here."
    )
    running = [DepthPoint(2, live=0.3)]
    assert depth_finding(running, (2, 4), CHANCE).startswith("The first run is still training: ")
    assert (
        depth_finding([], (), CHANCE)
        == "No run is finished yet: the accuracy of each depth will appear here."
    )


def test_the_finding_counts_the_runs_behind_it():
    known = [DepthPoint(2, (0.8, 0.82)), DepthPoint(4, (0.6, 0.6, 0.6))]
    assert plain(depth_finding(known, (2, 4), CHANCE)) == (
        "This GCN gets worse with depth: 81.0 % with 2 layers, 60.0 % with 4 "
        "(means of 2 to 3 runs per depth)."
    )


def test_the_finding_refuses_two_models():
    with pytest.raises(ConfigError, match="points of gat and gcn; give the points of one model"):
        depth_finding(points({2: 0.8}) + points({2: 0.8}, model="gat"), (2,), CHANCE)
