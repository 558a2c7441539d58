"""A measure through the layers: lines, floors for exact zeros, gaps, labels, references and the axis."""

import math

import numpy as np
import pytest

from gnnviz.figures.depth import MeasureAxis, accuracy_against_depth
from gnnviz.figures.depth_points import DepthPoint
from gnnviz.figures.layers import NO_VALUES, UNDEFINED, layer_curves
from gnnviz.figures.layout import Chance
from gnnviz.figures.measure_scale import measure_scale
from gnnviz.figures.reference_lines import Reference
from gnnviz.figures.theme import DARK, LIGHT, model_style
from gnnviz.profiles import LayerProfile, Measurement, Moment

START, BEST, LAST = Moment("start", 0), Moment("best", 9), Moment("last", 20)


def profile(moment, *values):
    return LayerProfile(moment, tuple(Measurement(value) for value in values))


def curves(*profiles, theme=LIGHT, log=True, **options):
    return layer_curves(profiles, theme, label="MAD", log=log, model="gcn", **options)


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def line(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_each_moment_is_a_line_over_the_layers_with_the_best_on_top():
    figure = curves(profile(BEST, 0.2, 0.1), profile(START, 0.3, 0.01), profile(LAST, 0.2, 0.2))
    assert [trace.name for trace in figure.data] == ["untrained", "last: epoch 20", "best: epoch 9"]
    assert line(figure, "untrained").x == (1, 2)
    assert line(figure, "untrained").y == (0.3, 0.01)
    assert line(figure, "best: epoch 9").line.color == model_style("gcn", LIGHT).colour
    assert line(figure, "untrained").marker.color == LIGHT.background  # hollow


def test_lines_are_named_at_their_ends_without_overlap():
    figure = curves(profile(START, 0.3, 0.01), profile(BEST, 0.2, 0.1), profile(LAST, 0.2, 0.101))
    ends = {item.text: item for item in figure.layout.annotations}
    assert set(ends) == {"untrained", "best: epoch 9", "last: epoch 20"}
    assert {item.x for item in ends.values()} == {2}
    assert ends["untrained"].y == pytest.approx(math.log10(0.01), abs=0.1)
    low, high = figure.layout.yaxis.range
    assert abs(ends["best: epoch 9"].y - ends["last: epoch 20"].y) >= 0.07 * (high - low)


def test_exact_zeros_stand_on_a_floor_that_says_so():
    figure = curves(profile(START, 0.5, 0.0, 1e-6))
    trace, axis = line(figure, "untrained"), figure.layout.yaxis
    floor = trace.y[1]
    assert 0 < floor < 1e-6
    assert trace.y == (0.5, floor, 1e-6)
    assert trace.marker.symbol == ("circle", "triangle-down", "circle")
    assert trace.text == ("0.500", "exactly 0", "1.00e-06")
    assert axis.tickvals[0] == floor
    assert axis.ticktext[0] == "0"
    assert axis.range[0] < math.log10(floor)
    assert "exactly 0" in texts(figure)
    (shade,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert shade.y0 < floor < shade.y1 == pytest.approx(1e-6)


def test_without_zeros_there_is_no_floor():
    figure = curves(profile(START, 0.5, 1e-6))
    assert "exactly 0" not in texts(figure)
    assert list(figure.layout.yaxis.range) == [-6, 0]


def test_a_measure_that_is_zero_everywhere_can_be_seen():
    trace = curves(profile(START, 0.0, 0.0)).data[0]
    assert all(value > 0 for value in trace.y)
    assert trace.text == ("exactly 0", "exactly 0")


def test_where_there_is_no_value_the_line_is_broken():
    trace = curves(profile(START, 0.5, None, 0.1)).data[0]
    assert trace.y == (0.5, None, 0.1)
    assert trace.connectgaps is False


def test_nothing_measured_is_an_empty_figure_with_the_reason():
    for figure, reason in ((curves(), NO_VALUES), (curves(profile(START, None, None)), UNDEFINED)):
        assert not figure.data
        assert " ".join(texts(figure)).replace("<br>", " ") == reason


def test_features_begin_every_line_as_layer_zero():
    figure = curves(profile(START, 0.3, 0.1), profile(BEST, 0.2, 0.1), features=Measurement(0.8))
    assert [trace.x for trace in figure.data] == [(0, 1, 2), (0, 1, 2)]
    assert [trace.y[0] for trace in figure.data] == [0.8, 0.8]
    assert figure.layout.xaxis.ticktext[0] == "0<br>features"
    assert figure.layout.xaxis.ticktext[-1] == "2<br>logits"


def test_features_far_beyond_a_linear_axis_are_told_instead():
    figure = curves(profile(START, 56.0, 12.0), log=False, features=Measurement(1049.4))
    assert figure.data[0].x == (1, 2)
    assert figure.layout.yaxis.range[1] < 100
    assert "features: 1,049, beyond the axis" in texts(figure)


def test_a_reference_line_is_named_where_no_line_runs():
    crowded = profile(START, 0.5, 0.1, 0.09, 0.09, 0.09, 0.09)
    figure = curves(crowded, references=(Reference(0.08, "all rows equal"),))
    name = next(item for item in figure.layout.annotations if item.text == "all rows equal: 0.0800")
    assert name.yanchor == "top"  # the measured line runs right above
    (drawn,) = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert (drawn.y0, drawn.y1) == (0.08, 0.08)


def test_a_small_panel_has_its_title_and_short_names():
    figure = curves(profile(START, 0.5, 0.0), profile(BEST, 0.5, 0.1), small=True)
    assert figure.layout.title.text == "MAD"
    assert set(texts(figure)) == {"untrained", "best"}
    assert figure.layout.yaxis.title.text == "log scale"


@pytest.mark.parametrize(("depth", "ticks"), [(1, (1,)), (2, (1, 2)), (8, (1, 2, 3, 4, 5, 6, 7, 8))])
def test_few_layers_are_all_named(depth, ticks):
    assert curves(profile(START, *[0.5] * depth)).layout.xaxis.tickvals == ticks


@pytest.mark.parametrize("depth", [9, 16, 32, 63, 64])
def test_many_layers_are_named_sparsely_with_the_ends(depth):
    ticks = curves(profile(START, *[0.5] * depth), features=Measurement(0.9)).layout.xaxis.tickvals
    assert (ticks[0], ticks[-1]) == (0, depth)
    assert len(ticks) <= 10
    assert min(np.diff(ticks)) >= depth / 20


def test_the_picture_is_told_with_its_numbers():
    figure = curves(profile(START, 0.5, None), theme=DARK)
    assert figure.layout.meta["alt"] == "MAD in layers 1 to 2. untrained: 0.500, no value."


# The axis of a measure


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([3e-9, 0.5], (1e-9, 1.0)),
        ([0.03, 0.07], (0.02, 0.1)),
        ([0.05, 0.05], (0.025, 0.1)),
        ([1e300, 1e-300], (1e-300, 1e300)),
    ],
)
def test_a_log_axis_ends_at_round_numbers(values, ends):
    scale = measure_scale(values, log=True)
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert scale.floor is None


def test_a_linear_axis_holds_zero_and_negative_values():
    assert measure_scale([2.0, 10.0], log=False).reach == pytest.approx((0, 11))
    assert measure_scale([-0.5, 1.0], log=False).reach == pytest.approx((-0.55, 1.1))
    assert measure_scale([0.0, 0.0], log=False).reach == (0, 1)
    assert measure_scale([], log=False).reach == (0, 1)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.03, 0.07], "0.02 0.05 0.1"),
        ([1e-6, 2e-5], "10^-6 2·10^-6 5·10^-6 10^-5 2·10^-5"),
        ([1e-8, 1.0], "10^-8 10^-6 10^-4 10^-2 10^0"),
        ([2.0, 5e3], "10^0 10^1 10^2 10^3 10^4"),
    ],
)
def test_ticks_are_plain_where_short_and_powers_elsewhere(values, shown):
    ticks = " ".join(measure_scale(values, log=True).settings(LIGHT, "MAD")["ticktext"])
    assert ticks.replace("<sup>", "^").replace("</sup>", "").replace("\u2212", "-") == shown


def test_depth_figure_keeps_zeros_of_the_measure_on_its_floor():
    known = [DepthPoint(2, (0.8,), smoothness=(0.5,)), DepthPoint(4, (0.3,), smoothness=(0.0,))]
    figure = accuracy_against_depth(
        known,
        LIGHT,
        title="t",
        expected_depths=(2, 4),
        chance=Chance(0.3, 0.14),
        measure=MeasureAxis("MAD", log=True),
    )
    trace = next(item for item in figure.data if item.yaxis == "y2")
    assert trace.y[0] == 0.5
    assert trace.y[1] == figure.layout.yaxis2.tickvals[0]
    assert figure.layout.yaxis2.ticktext[0] == "0"
    assert trace.text == ("0.500", "exactly 0")
