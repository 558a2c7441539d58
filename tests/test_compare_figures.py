"""Several runs in one figure: each line is its run's, named at its end, in the hue of its model."""

import math

import numpy as np
import pytest

from gnnviz.errors import ConfigError
from gnnviz.figures.compare import MOST_CURVES, RunCurve, compare_curves
from gnnviz.figures.layout import Chance
from gnnviz.figures.theme import DARK, FONT_SIZE, LIGHT, PART_DASH, model_style, model_tints
from gnnviz.models import MODELS
from gnnviz.records import BestEpoch, EpochRecord

CHANCE = Chance(majority=0.35, uniform=1 / 7)


def record(epoch, loss=1.0, acc=0.5):
    return EpochRecord(
        epoch, loss, loss, loss + 0.2, loss + 0.1, acc + 0.2, acc, acc + 0.1, (), (), 0.01
    )  # fmt: skip


def run(label="GCN · 2 layers", model="gcn", accuracies=(0.2, 0.6), **fields):
    return RunCurve(label, model, [record(k + 1, acc=acc) for k, acc in enumerate(accuracies)], **fields)


def figure_of(runs, page=LIGHT, part="val", quantity="acc", chance=None):
    return compare_curves(runs, page, title="t", part=part, quantity=quantity, chance=chance)


def names(figure):
    return [note for note in figure.layout.annotations if "\u2501" in note.text]


def test_each_run_has_its_line_of_the_wanted_part_and_quantity():
    runs = [run(), run("GAT · 2 layers", "gat", (0.3, 0.4, 0.5))]
    values = {
        ("val", "acc"): [20, 60],
        ("test", "acc"): [30, 70],
        ("train", "acc"): [40, 80],
        ("val", "loss"): [1.2, 1.2],
        ("test", "loss"): [1.1, 1.1],
    }
    for (part, quantity), expected in values.items():
        lines = figure_of(runs, part=part, quantity=quantity).data
        assert [line.name for line in lines] == ["GCN · 2 layers", "GAT · 2 layers"]
        assert list(lines[0].y) == pytest.approx(expected)
        assert list(lines[1].x) == [1, 2, 3]
        assert {line.line.dash for line in lines} == {PART_DASH[part]}


def test_a_model_has_its_hue_and_its_runs_differ_in_strength():
    figure = figure_of([run("a"), run("b"), run("c"), run("d", "gat")])
    colours = [line.line.color for line in figure.data]
    assert colours[1] == model_style("gcn", LIGHT).colour
    assert colours[3] == model_style("gat", LIGHT).colour
    assert len(set(colours)) == 4


def luminance(colour):
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("model", MODELS)
def test_every_tint_is_seen_and_stronger_than_the_one_before(model, page):
    tints = model_tints(model, MOST_CURVES, page)
    steps = [contrast(tint, page.background) for tint in tints]
    assert min(steps) >= 2.5
    assert steps == sorted(steps)
    assert np.min(np.divide(steps[1:], steps[:-1])) > 1.05
    assert model_tints(model, 1, page) == (model_style(model, page).colour,)


def test_the_best_epoch_is_marked_on_the_curve_that_is_shown_with_the_models_shape():
    best = BestEpoch(epoch=2, val_acc=0.6, val_loss=1.2, test_acc=0.7)
    mark = figure_of([run(model="gat", best=best)], part="test").data[1]
    assert (list(mark.x), list(mark.y)) == ([2], pytest.approx([70]))
    assert mark.marker.symbol == model_style("gat", LIGHT).symbol
    missing = BestEpoch(epoch=9, val_acc=0.6, val_loss=1.2, test_acc=0.7)
    assert len(figure_of([run(best=missing)]).data) == 1


def test_names_stand_in_the_margin_by_height_without_overlap():
    runs = [run(f"GCN · {depth} layers", accuracies=(0.1, 0.5)) for depth in range(1, MOST_CURVES + 1)]
    figure = figure_of(runs)
    heights = [note.y for note in names(figure)]
    assert np.diff(sorted(heights)).min() >= 2 * 4.7 - 1e-9  # two lines of text each
    assert {note.x for note in names(figure)} == {1}
    assert figure.layout.showlegend is False
    assert all(note.text.endswith(f"GCN<br>{depth} layers") for depth, note in enumerate(names(figure), 1))
    assert figure.layout.margin.r <= 110


def test_long_names_take_fewer_lines_where_many_would_not_fit():
    runs = [run(f"GCN · 2 layers · seed {seed} · dropout 0.5") for seed in range(MOST_CURVES)]
    texts = [note.text for note in names(figure_of(runs))]
    assert texts[0].endswith("GCN · 2 layers<br>seed 0 · dropout 0.5")
    assert names(figure_of(runs[:1]))[0].text.count("<br>") == 3


def test_a_pale_line_leads_from_a_short_run_to_its_name():
    figure = figure_of([run(), run("b", accuracies=(0.1, 0.2, 0.3, 0.4))])
    leaders = [(shape.x0, shape.x1, shape.y0) for shape in figure.layout.shapes]
    assert leaders == [(2, 4, pytest.approx(60)), (4, 4, pytest.approx(40))]
    assert list(figure.layout.xaxis.range) == [0, 4]


def test_the_epoch_axis_of_a_growing_run_moves_in_steps_up_to_its_limit():
    ends = [
        figure_of([run(accuracies=[0.5] * epochs, limit=200)]).layout.xaxis.range[1]
        for epochs in (41, 50, 51, 160, 200)
    ]
    assert ends == [50, 50, 75, 200, 200]


def test_an_infinite_loss_leaves_the_axis_and_the_name_in_the_picture():
    history = [record(1, 1.8), record(2, math.inf)]
    figure = compare_curves(
        [RunCurve("a", "gcn", history)], LIGHT, title="t", part="test", quantity="loss"
    )  # fmt: skip
    assert list(figure.layout.yaxis.range) == [0, 2]
    assert names(figure)[0].y == pytest.approx(0.97 * 2)


def test_chance_lines_belong_to_accuracies_only():
    texts = [note.text for note in figure_of([run()], chance=CHANCE).layout.annotations]
    assert any("35.0" in text for text in texts)
    loss = figure_of([run()], quantity="loss", chance=CHANCE)
    assert len(loss.layout.annotations) == 1


def test_more_runs_than_can_be_told_apart_are_refused_in_words():
    with pytest.raises(ConfigError, match="9 runs cannot be told apart in one figure; choose 8 or fewer"):
        figure_of([run(str(number)) for number in range(MOST_CURVES + 1)])


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_the_picture_is_readable_and_told_in_words(page):
    figure = figure_of([run(best=BestEpoch(1, 0.2, 1.2, 0.3))], page, chance=CHANCE)
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert min(note.font.size or FONT_SIZE for note in figure.layout.annotations) >= 14
    assert min(trace.line.width for trace in figure.data if "lines" in trace.mode) >= 2
    assert figure.layout.meta["alt"].replace("\u202f", " ") == (
        "t Validation accuracy at the last epoch: GCN · 2 layers 60.0 % after 2."
    )


def test_without_runs_the_figure_says_so():
    figure = figure_of([])
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text.startswith("No run here has finished an epoch")
