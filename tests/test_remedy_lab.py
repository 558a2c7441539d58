"""The remedies lab: which runs it compares, what it says of them, and the picture with a ghost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_graph import plain

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.figures.compare import RunCurve
from gnnviz.figures.ghost import GHOST_DASH, ghost_curves
from gnnviz.figures.layout import Chance
from gnnviz.figures.theme import DARK, LIGHT, model_style
from gnnviz.models import MODELS, ModelConfig
from gnnviz.profiles import Measurement
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.remedies import REMEDIES, Remedies, compatible, fitting
from gnnviz.remedy_lab import (
    Outcome,
    as_it_is,
    by_validation,
    differences,
    epoch_time,
    outcome,
    remedy_finding,
    remedy_runs,
    undefined_measures,
    usable_remedies,
    with_remedies,
)
from gnnviz.runs import RunState, RunStatus

BASE = RunConfig(DatasetSpec("karate", "leaders"), ModelConfig("gcn", 32), TrainConfig(epochs=10, seed=3))


def reached(val, test, state=RunState.DONE, **fields):
    return Outcome(state, 200, BestEpoch(50, val, 1.0, test), **fields)


# Which runs


def test_only_the_remedies_change_and_those_of_the_run_do_not_stay():
    found = with_remedies(BASE, ("residual", "pair_norm"))
    assert found.model.remedies == Remedies(residual="plain", norm="pair")
    assert replace(found, model=BASE.model) == BASE
    assert replace(found.model, remedies=Remedies()) == BASE.model
    assert with_remedies(found, ("batch_norm",)).model.remedies == Remedies(norm="batch")
    assert with_remedies(found, ()) == BASE


def test_the_table_is_no_remedy_and_each_usable_one_alone():
    runs = remedy_runs(BASE)
    assert [run.remedy for run in runs] == ["", *REMEDIES]
    assert [run.config.model.remedies for run in runs[1:]] == [spec.remedies for spec in REMEDIES.values()]
    assert len({run.run_id for run in runs}) == len(runs)
    assert (runs[0].run_id, runs[0].label) == (BASE.run_id, "No remedy")
    assert runs[1].label == "Residual"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("depth", [1, 2, 8])
def test_every_offered_remedy_can_be_trained(model, depth):
    base = replace(BASE, model=ModelConfig(model, depth))
    assert len(remedy_runs(base)) == 1 + len(usable_remedies(base))


def test_what_does_not_fit_the_depth_or_the_model_is_not_offered():
    assert "jumping_max" not in fitting(MODELS["gcn"].remedies, 1)
    assert "residual" not in fitting(MODELS["gcn"].remedies, 2)
    assert fitting(MODELS["sgc"].remedies, 8) == ("drop_edge", "he_init", "glorot_init")
    names = fitting(MODELS["gcn"].remedies, 8)
    assert set(names) - set(compatible(names, ["pair_norm"])) == {"pair_norm_si", "batch_norm", "layer_norm"}


def test_embeddings_that_are_trained_without_labels_keep_their_linear_head():
    model = ModelConfig("sage", 4, remedies=Remedies(post_layers=1))
    base = RunConfig(BASE.dataset, model, TrainConfig(objective="unsupervised"))
    assert with_remedies(base, ()) == base
    assert with_remedies(base, ("residual",)).model.remedies == Remedies(residual="plain", post_layers=1)
    assert with_remedies(base, ("jumping_max",)).model.remedies.post_layers == 0  # it has a head of its own
    assert "post_mlp" not in usable_remedies(base)
    assert len(remedy_runs(base)) == 1 + len(usable_remedies(base))


def test_nothing_came_of_a_run_that_was_never_asked_for():
    assert outcome(None, None, None) == Outcome()


# What came of them


def test_an_epoch_takes_the_mean_of_all():
    status = RunStatus(RunState.DONE, epochs_done=200, seconds=3.0)
    assert outcome(status, None, None).epoch_seconds == 0.015
    assert outcome(RunStatus(RunState.QUEUED), None, None).epoch_seconds is None
    assert [plain(epoch_time(seconds)) for seconds in (0.015, 0.00123, 1.25)] == ["15 ms", "1.23 ms", "1.2 s"]


def test_the_table_is_sorted_by_validation_and_never_by_test():
    runs = remedy_runs(BASE)[:4]
    outcomes = [reached(0.3, 0.9), Outcome(), reached(0.7, 0.1), reached(0.3, 0.2)]
    assert [run.remedy for run, _ in by_validation(runs, outcomes)] == [
        runs[2].remedy, runs[0].remedy, runs[3].remedy, runs[1].remedy,
    ]  # fmt: skip


def test_differences_are_points_and_factors():
    before = reached(0.2, 0.25, epoch_seconds=0.01, energy=Measurement(0.001), rank=Measurement(2.0))
    after = reached(0.7, 0.15, epoch_seconds=0.015, energy=Measurement(0.05), rank=Measurement(1.0))
    found = differences(before, after, BASE.model)
    assert [(each.label, plain(each.value), plain(each.change)) for each in found] == [
        ("Validation accuracy", "70.0 %", "+50.0 points"),
        ("Test accuracy", "15.0 %", "\u221210.0 points"),
        ("Normalised energy (GCN)", "0.0500", "50.0 times"),
        ("Effective rank", "1.00", "0.500 times"),
        ("Time per epoch", "15 ms", "1.50 times"),
    ]


def test_a_difference_to_zero_or_to_nothing_is_no_factor():
    dead = Measurement(None, "the signal is dead")
    before = reached(0.2, 0.2, energy=Measurement(0.0), rank=dead)
    after = reached(0.2, 0.2, energy=Measurement(0.5), rank=Measurement(3.0))
    assert [each.change for each in differences(before, after, BASE.model)][2:] == ["from exactly 0"]
    assert undefined_measures(before, after, BASE.model) == (
        "Effective rank without the remedies has no value: the signal is dead.",
    )
    assert differences(before, Outcome(), BASE.model) == ()


@pytest.mark.parametrize(
    ("test_acc", "verdict"), [(0.8, "helps"), (0.24, "makes little difference to"), (0.1, "harms")]
)
def test_the_finding_says_what_a_remedy_did(test_acc, verdict):
    found = remedy_finding(BASE, ["residual"], reached(0.2, 0.2), reached(0.2, test_acc))
    assert plain(found) == (
        f"Residual {verdict} GCN with 32 layers: {100 * test_acc:.1f} % of the test nodes right "
        "instead of 20.0 %"
    )


def test_to_be_better_off_without_is_not_told_as_if_no_remedy_helped():
    found = remedy_finding(BASE, [], reached(0.2, 0.2), reached(0.2, 0.8))
    assert found.startswith("Leaving out every remedy helps GCN with 32 layers: ")


def test_without_a_remedy_the_question_is_asked():
    assert as_it_is(BASE, reached(0.2, 0.25)) == "Which remedy helps GCN with 32 layers?"
    assert as_it_is(BASE, Outcome(RunState.QUEUED)).startswith("GCN with 32 layers has not finished")


def test_the_finding_claims_nothing_before_there_is_something():
    before = reached(0.2, 0.2)
    known = "GCN with 32 layers: 20.0 % of the test nodes right as it is; with "
    assert plain(remedy_finding(BASE, ["residual"], before, Outcome())) == (
        f"{known}Residual it has not been trained yet"
    )
    waiting = Outcome(RunState.QUEUED)
    assert plain(remedy_finding(BASE, [], before, waiting)) == f"{known}no remedy it is being trained"
    half = reached(0.2, 0.8, RunState.RUNNING)
    assert remedy_finding(BASE, ["residual"], before, half).startswith("After 200 epochs: Residual helps")


# The picture


def curve(label, accuracies, **fields):
    history = [
        EpochRecord(k + 1, 1.0, 1.0, 1.2, 1.1, acc + 0.2, acc, acc + 0.1, (), (), 0.01)
        for k, acc in enumerate(accuracies)
    ]  # fmt: skip
    return RunCurve(label, "gcn", history, **fields)


GHOST = curve("no remedy", [0.1, 0.2, 0.3])
NEW = curve("residual + PairNorm", [0.2, 0.6], best=BestEpoch(2, 0.6, 1.2, 0.7), limit=200)


def lines(figure, name):
    return [trace for trace in figure.data if trace.name == name]


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_the_ghost_is_faint_and_dashed_and_the_new_run_is_not(page):
    figure = ghost_curves(GHOST, NEW, page, title="t", part="val")
    hue = model_style("gcn", page).colour
    (old, old_loss), (new, new_loss) = lines(figure, "no remedy"), lines(figure, NEW.label)
    assert {old.line.dash, old_loss.line.dash} == {GHOST_DASH}
    assert {new.line.dash, new_loss.line.dash} == {"solid"}
    assert new.line.color == hue
    assert old.line.color.startswith("rgba(")
    assert (list(old.y), list(new.y)) == (pytest.approx([10, 20, 30]), pytest.approx([20, 60]))
    assert list(new_loss.y) == pytest.approx([1.2, 1.2])
    assert (old.yaxis, old_loss.yaxis) == ("y", "y2")


def test_curves_are_those_of_the_chosen_nodes():
    figure = ghost_curves(GHOST, NEW, LIGHT, title="t", part="train")
    assert list(lines(figure, "no remedy")[0].y) == pytest.approx([30, 40, 50])
    assert figure.layout.yaxis.title.text == "train accuracy"


def test_both_runs_are_named_at_the_right_without_overlap():
    figure = ghost_curves(GHOST, curve("residual + PairNorm", [0.1, 0.2, 0.3]), LIGHT, title="t", part="val")
    notes = [note for note in figure.layout.annotations if note.yref == "y"]
    assert [note.text.split("</span> ")[1] for note in notes] == ["no remedy", "residual +<br>PairNorm"]
    assert abs(notes[0].y - notes[1].y) >= 10
    assert figure.layout.showlegend is False


def test_the_epoch_axis_reaches_what_a_running_run_may_take():
    assert list(ghost_curves(GHOST, NEW, LIGHT, title="", part="val").layout.xaxis.range) == [0, 200]
    assert list(ghost_curves(GHOST, None, LIGHT, title="", part="val").layout.xaxis.range) == [0, 3]


def test_the_best_epoch_is_marked_and_chance_is_drawn_on_the_accuracy_only():
    figure = ghost_curves(GHOST, NEW, LIGHT, title="", part="val", chance=Chance(0.4, 0.25))
    (mark,) = lines(figure, f"best epoch, {NEW.label}")
    assert (list(mark.x), list(mark.y), mark.yaxis) == ([2], pytest.approx([60]), "y")
    assert {shape.y0 for shape in figure.layout.shapes} == {40, 25}


def test_the_picture_is_told_in_words_and_says_when_it_is_empty():
    figure = ghost_curves(GHOST, None, LIGHT, title="t", part="test")
    assert plain(figure.layout.meta["alt"]) == (
        "t no remedy: test accuracy 40.0 %, loss 1.10 after 3 epochs."
    )
    empty = ghost_curves(None, None, LIGHT, title="t", part="test")
    assert len(empty.data) == 0
    assert empty.layout.annotations[0].text.startswith("No epoch is finished yet.")
