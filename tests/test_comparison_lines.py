"""Controls and theory behind the lines through the layers: drawn faintly, named, explained, never a NaN."""

import math
from itertools import pairwise

import pytest

from gnnviz.figures.comparison_lines import Comparison, Mark
from gnnviz.figures.layers import NO_VALUES, layer_curves
from gnnviz.figures.reference_lines import Reference
from gnnviz.figures.theme import LIGHT, model_style
from gnnviz.profiles import (
    LayerProfile,
    Measurement,
    Moment,
    chosen_moments,
    raw_and_normalised,
)
from gnnviz.smoothing import METRICS

START, BEST, LAST = Moment("start", 0), Moment("best", 9), Moment("last", 20)
ALONE = Comparison("propagation only", ((0, 0.9), (1, 0.4), (2, 0.2), (3, 0.1)), "propagation", "no weights")


def profile(moment, *values):
    return LayerProfile(moment, tuple(Measurement(value) for value in values))


def curves(*profiles, log=True, **options):
    return layer_curves(profiles, LIGHT, label="MAD", log=log, model="gcn", **options)


def line(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_a_comparison_is_dashed_behind_the_run_named_at_its_end_and_explained():
    figure = curves(profile(BEST, 0.3, 0.2, 0.1), comparisons=(ALONE,), features=Measurement(0.9))
    trace = line(figure, "propagation only")
    assert [trace.name for trace in figure.data] == ["propagation only", "best: epoch 9"]
    assert (trace.x, trace.y) == ((0, 1, 2, 3), (0.9, 0.4, 0.2, 0.1))
    assert trace.line.dash != "solid"
    assert trace.line.color == LIGHT.reference
    assert "no weights" in trace.hovertemplate
    assert {"propagation only", "best: epoch 9"} <= set(texts(figure))
    assert "propagation only: 0.400, 0.200, 0.100" in figure.layout.meta["alt"]


def test_layer_zero_and_layers_beyond_the_run_are_left_out_where_the_axis_has_none():
    trace = line(curves(profile(BEST, 0.3, 0.2), comparisons=(ALONE,)), "propagation only")
    assert trace.x == (1, 2)


def test_another_run_has_the_look_of_its_model_and_the_axis_reaches_to_its_last_layer():
    other = Comparison("GAT · 4 layers", ((1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1)), "run", "its title", "gat")
    figure = curves(profile(BEST, 0.3, 0.2), comparisons=(ALONE, other))
    trace = line(figure, "GAT · 4 layers")
    assert (trace.x, trace.y) == ((1, 2, 3, 4), (0.4, 0.3, 0.2, 0.1))
    assert trace.line.color == model_style("gat", LIGHT).colour != model_style("gcn", LIGHT).colour
    assert trace.line.dash != "solid"
    assert trace.marker.symbol.endswith("-open")  # the run itself has filled marks
    assert figure.layout.xaxis.range[1] >= 4
    assert line(figure, "propagation only").x == (1, 2, 3)


def test_the_axis_holds_the_comparisons_too():
    low = Comparison("spectral sum", ((1, 1e-9), (2, 0.0)), "theory")
    figure = curves(profile(BEST, 0.3, 0.2), comparisons=(low,))
    assert 10 ** figure.layout.yaxis.range[0] < 1e-9
    trace = line(figure, "spectral sum")
    assert trace.text == ("1.00e-09", "exactly 0")
    assert trace.y[1] == figure.layout.yaxis.tickvals[0]  # on the floor


def test_a_comparison_that_would_squeeze_a_linear_axis_is_told_instead():
    wide = Comparison("propagation only", ((0, 1049.0), (1, 900.0), (2, 30.0)), "propagation")
    figure = curves(profile(BEST, 40.0, 20.0), log=False, comparisons=(wide,))
    assert line(figure, "propagation only").y == (None, 30.0)
    assert figure.layout.yaxis.range[1] < 100
    assert "propagation only: up to 900, beyond the axis" in texts(figure)


def test_a_value_that_is_missing_breaks_the_line_and_is_no_nan():
    gap = Comparison("MLP (no graph)", ((1, 0.3), (2, None), (3, 0.1)), "mlp")
    trace = line(curves(profile(BEST, 0.3, 0.2, 0.1), comparisons=(gap,)), "MLP (no graph)")
    assert trace.y == (0.3, None, 0.1)
    assert trace.connectgaps is False
    assert trace.line.color == model_style("mlp", LIGHT).colour


def test_comparisons_are_drawn_without_the_run_and_an_empty_figure_only_without_both():
    figure = curves(comparisons=(ALONE,), references=(Reference(0.5, "plateau"),))
    assert line(figure, "propagation only").x == (1, 2, 3)
    assert not curves(comparisons=(Comparison("other seeds", (), "seed"),)).data
    assert NO_VALUES in " ".join(texts(curves())).replace("<br>", " ")


def test_many_names_at_the_end_keep_apart_within_the_axis():
    lines = [Comparison(f"line {k}", ((1, 0.3), (2, 0.2)), "theory") for k in range(12)]
    figure = curves(profile(BEST, 0.3, 0.2), comparisons=lines)
    heights = sorted(note.y for note in figure.layout.annotations if note.x == 2)
    low, high = figure.layout.yaxis.range
    assert len(heights) == 13
    assert low <= heights[0]
    assert heights[-1] <= high
    assert min(b - a for a, b in pairwise(heights)) > 0.05 * (high - low)


def test_only_the_first_of_several_seeds_is_named():
    seeds = [Comparison(name, ((1, 0.3), (2, 0.2)), "seed") for name in ("other seeds", "", "")]
    figure = curves(profile(BEST, 0.3, 0.2), comparisons=seeds)
    assert texts(figure).count("other seeds") == 1
    assert "" not in texts(figure)
    assert all(trace.opacity < 1 for trace in figure.data[:3])


@pytest.mark.parametrize("log", [True, False])
def test_a_marked_depth_is_a_vertical_line_that_explains_itself(log):
    mark = Mark(2, "half-way", "58% of its component")
    figure = curves(profile(BEST, 0.3, 0.2, 0.1), log=log, marks=(mark, Mark(9, "too deep")))
    (drawn,) = [shape for shape in figure.layout.shapes if shape.x0 == shape.x1]
    assert drawn.x0 == 2
    assert "half-way" in texts(figure)
    assert "too deep" not in texts(figure)
    hover = line(figure, "half-way")
    assert set(hover.x) == {2}
    assert hover.opacity == 0
    low, high = figure.layout.yaxis.range
    ends = [math.log10(y) for y in (hover.y[0], hover.y[-1])] if log else [hover.y[0], hover.y[-1]]
    assert ends == pytest.approx([low, high])
    assert "58% of its component" in hover.hovertemplate


def test_a_horizontal_line_explains_itself_where_there_is_something_to_say():
    told = curves(profile(BEST, 0.3, 0.2), references=(Reference(0.25, "plateau", "where mixing leads"),))
    hover = line(told, "plateau")
    assert (hover.x, hover.y) == ((1, 2), (0.25, 0.25))
    assert "where mixing leads" in hover.hovertemplate
    assert len(curves(profile(BEST, 0.3, 0.2), references=(Reference(0.25, "plateau"),)).data) == 1


# What the page chooses


def test_chosen_moments_keep_their_order_and_the_last_stands_for_a_best_to_come():
    known = (START, BEST, LAST)
    assert chosen_moments(known, ("best", "start", "propagation")) == (START, BEST)
    assert chosen_moments(known, ("last",)) == (LAST,)
    assert chosen_moments((START, LAST), ("best",)) == (LAST,)
    assert chosen_moments((START, LAST), ("start",)) == (START,)
    assert chosen_moments(known, ()) == ()


def test_raw_and_normalised_are_pairs_of_known_measures():
    assert raw_and_normalised("rayleigh_sym") == ("dirichlet_sym", "rayleigh_sym")
    assert raw_and_normalised("dirichlet_sym") == ("dirichlet_sym", "rayleigh_sym")
    assert raw_and_normalised("mad") is None
    assert all(set(raw_and_normalised(name) or ()) <= set(METRICS) for name in METRICS)
