"""What the figures show is what was put in; empty cases and sentences included."""

import math
import re

import numpy as np
import pytest

from gnnviz.errors import ConfigError
from gnnviz.figures.curves import training_curves
from gnnviz.figures.depth import MeasureAxis, accuracy_against_depth
from gnnviz.figures.depth_points import DepthPoint
from gnnviz.figures.histogram import cosine_histogram_figure
from gnnviz.figures.layout import Chance, counted, empty_figure, listed, percent, significant, spread, wrapped
from gnnviz.figures.theme import DARK, FONT_SIZE, LIGHT, PART_DASH, model_style
from gnnviz.records import BestEpoch, EpochRecord

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


def record(epoch, loss=1.0, acc=0.5):
    return EpochRecord(
        epoch=epoch,
        objective=loss,
        train_loss=loss,
        val_loss=loss + 0.2,
        test_loss=loss + 0.1,
        train_acc=acc + 0.2,
        val_acc=acc,
        test_acc=acc + 0.1,
        grad_norms=(),
        weight_norms=(),
        seconds=0.01,
    )


def every_figure(page):
    edges = np.linspace(-1, 1, 5)
    return {
        "empty": empty_figure(page, title="t", reason="r"),
        "training": training_curves([record(1), record(2)], page, title="t", total_epochs=9, chance=CHANCE),
        "depth": accuracy_against_depth(
            points({2: 0.8}), page, title="t", expected_depths=DEPTHS, chance=CHANCE, measure=MeasureAxis("m")
        ),
        "cosines": cosine_histogram_figure(edges, {"all": np.array([1, 2, 3, 4])}, page, title="t"),
    }


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_every_figure_is_transparent_readable_and_told_in_words(page):
    for name, figure in every_figure(page).items():
        layout = figure.layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)", name
        assert layout.uirevision == "gnnviz", name
        assert layout.width is None, name
        assert layout.font.color == page.ink, name
        assert layout.meta["alt"].startswith("t "), name
        sizes = [item.font.size or FONT_SIZE for item in layout.annotations]
        axes = [*figure.select_xaxes(), *figure.select_yaxes()]
        sizes += [axis.tickfont.size or FONT_SIZE for axis in axes] + [layout.font.size]
        assert min(sizes) >= 14, name
        marks = [trace.marker.size for trace in figure.data if "markers" in (trace.mode or "")]
        assert min(marks, default=6) >= 6, name
        widths = [
            trace.line.width for trace in figure.data if "lines" in (trace.mode or "") and not trace.fill
        ]
        assert min(widths, default=2) >= 2, name


def test_titles_break_where_a_phone_ends():
    figure = empty_figure(LIGHT, title="word " * 20, reason="")
    lines = figure.layout.title.text.split("<br>")
    assert len(lines) == 3
    assert max(map(len, lines)) <= 40
    assert figure.layout.margin.t - empty_figure(LIGHT, title="", reason="").layout.margin.t == 72
    assert figure.layout.meta["title"] == "word " * 20


def test_an_empty_figure_says_what_and_why():
    figure = empty_figure(LIGHT, title="The curves", reason="Nothing was trained.")
    assert figure.layout.title.text == "The curves"
    assert notes(figure) == ["Nothing was trained."]
    assert figure.layout.meta["alt"] == "The curves Nothing was trained."
    assert len(figure.data) == 0


def test_numbers_have_one_form():
    assert plain(percent(0.8137)) == "81.4 %"
    assert [significant(value) for value in (1.9459, 0.012345, 123.4, 0.0)] == [
        "1.95",
        "0.0123",
        "123",
        "0.00",
    ]
    assert counted(2708) == "2,708"
    assert [listed(words) for words in ([2], [2, 4], [2, 4, 8])] == ["2", "2 and 4", "2, 4 and 8"]
    assert wrapped("") == [""]


def test_labels_are_spread_evenly_around_equal_values():
    assert spread([5.0, 5.0], 2.0, 0.0, 10.0) == pytest.approx([4.0, 6.0])
    assert spread([1.0, 9.0, 5.0], 2.0, 0.0, 10.0) == pytest.approx([1.0, 9.0, 5.0])
    assert spread([10.0, 10.0, 10.0], 1.0, 0.0, 10.0) == pytest.approx([8.0, 9.0, 10.0])


def test_spread_labels_keep_their_order_distance_and_limits():
    values = np.random.default_rng(0).uniform(0, 100, size=(50, 4))
    for row in values:
        placed = np.asarray(spread(row.tolist(), 8.0, 2.0, 98.0))
        assert (np.argsort(placed) == np.argsort(row)).all()
        assert np.diff(np.sort(placed)).min() >= 8.0 - 1e-9
        assert placed.min() >= 2.0 - 1e-9
        assert placed.max() <= 98.0 + 1e-9


# Training curves


def test_training_curves_show_the_history_by_line_style():
    history = [record(1, 2.0, 0.2), record(2, 1.0, 0.4), record(3, 0.5, 0.6)]
    figure = training_curves(history, LIGHT, title="t", total_epochs=200, chance=CHANCE, model="gat")
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines["train accuracy"].x) == [1, 2, 3]
    assert list(lines["train accuracy"].y) == pytest.approx([40, 60, 80])
    assert list(lines["validation accuracy"].y) == pytest.approx([20, 40, 60])
    assert list(lines["test accuracy"].y) == pytest.approx([30, 50, 70])
    assert list(lines["validation loss"].y) == pytest.approx([2.2, 1.2, 0.7])
    assert lines["train loss"].line.dash == PART_DASH["train"] != lines["test loss"].line.dash
    assert {trace.line.color for trace in figure.data} == {model_style("gat", LIGHT).colour}


def test_the_training_picture_does_not_move_while_epochs_come_in():
    history = [record(epoch, 1.9 / epoch, 0.5) for epoch in range(1, 41)]
    early, late = (
        training_curves(history[:count], LIGHT, title="t", total_epochs=200, chance=CHANCE)
        for count in (1, 40)
    )
    for figure in (early, late):
        assert list(figure.layout.xaxis.range) == [0, 200]
        assert list(figure.layout.yaxis.range) == [0, 100]
        assert list(figure.layout.yaxis2.range) == [0, 2.5]
    assert early.data[0].mode == "lines+markers"


def test_an_exploding_loss_stays_in_the_picture_and_an_infinite_one_is_left_out():
    history = [record(1, 1.9), record(2, 41.0), record(3, math.inf)]
    figure = training_curves(history, LIGHT, title="t", total_epochs=9, chance=CHANCE)
    assert list(figure.layout.yaxis2.range) == [0, 50]


def test_the_best_epoch_is_marked_and_named():
    best = BestEpoch(epoch=3, val_acc=0.6, val_loss=0.7, test_acc=0.7)
    history = [record(epoch) for epoch in range(1, 6)]
    figure = training_curves(history, LIGHT, title="t", total_epochs=200, chance=CHANCE, best=best)
    ring = next(trace for trace in figure.data if trace.name == "best epoch")
    assert (ring.x, ring.y) == ((3,), (70.0,))
    label = note(figure, "best: epoch 3")
    assert (label.x, label.xanchor) == (3, "left")
    late = training_curves(history, LIGHT, title="t", total_epochs=5, chance=CHANCE, best=best)
    assert note(late, "best: epoch 3").xanchor == "right"


def test_lines_are_named_at_their_ends_without_overlap():
    figure = training_curves([record(1), record(2)], LIGHT, title="t", total_epochs=200, chance=CHANCE)
    ends = [item for item in figure.layout.annotations if item.text in ("train", "validation", "test")]
    assert len(ends) == 6
    assert {item.x for item in ends} == {2}
    assert np.diff(sorted(item.y for item in ends if item.yref == "y")).min() >= 8.5 - 1e-9
    assert figure.layout.showlegend is False


def test_uniform_guessing_has_its_loss_and_accuracy_drawn():
    figure = training_curves([record(1)], LIGHT, title="t", total_epochs=9, chance=CHANCE)
    heights = {(shape.yref, round(shape.y0, 2)) for shape in figure.layout.shapes}
    assert heights == {("y", 31.9), ("y", 14.29), ("y2", 1.95)}  # ln 7 = 1.9459
    assert "guess uniformly: 1.95" in notes(figure)


def test_training_without_epochs_says_so():
    figure = training_curves([], LIGHT, title="Curves", total_epochs=9, chance=CHANCE)
    assert notes(figure) == ["No epoch is finished yet. The curves<br>appear with the first one."]


# Cosines between nodes


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
