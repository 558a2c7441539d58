"""The table of runs: rows, filters, ranking, the sentences on top, names, and what is exported."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.graph import Graph
from gnnviz.models import MODELS, ModelConfig
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.run_exports import config_json, history_csv
from gnnviz.run_names import curve_labels, file_stem, named_runs, short_id, task_name
from gnnviz.run_ranking import (
    comparable,
    in_order_of_depth,
    ranked,
    ranking_note,
    runs_finding,
    share_task,
    table_order,
    validation_nodes,
)
from gnnviz.run_table import (
    COLUMNS,
    EVERYTHING,
    FILTERS,
    RunRow,
    RunTable,
    filter_options,
    in_megabytes,
    matching,
    total_size,
)
from gnnviz.runs import Owner, RunState, RunStatus, RunStore

KARATE = DatasetSpec("karate", "leaders")


def config_of(
    model: str = "gcn", depth: int = 2, seed: int = 0, data: DatasetSpec | None = None
) -> RunConfig:
    heads = 8 if MODELS[model].has_heads else 1
    return RunConfig(data or DatasetSpec(), ModelConfig(model, depth, heads=heads), TrainConfig(seed=seed))


def row(
    val: float | None = 0.8,
    test: float = 0.8,
    *,
    loss: float = 1.0,
    state: RunState = RunState.DONE,
    config: RunConfig | None = None,
    size: int = 1_000_000,
) -> RunRow:
    config = config or config_of()
    best = None if val is None else BestEpoch(7, val, loss, test)
    return RunRow(config.run_id, config, RunStatus(state, best=best, epochs_done=9 if best else 0), size)


def record(epoch: int, layers: int = 2) -> EpochRecord:
    grads = tuple(0.1 * (layer + 1) for layer in range(layers))
    weights = tuple(10.0 * (layer + 1) for layer in range(layers))
    return EpochRecord(epoch, 1.9, 1.8, 1.7, 1.6, 0.1 + 0.2, 1 / 3, 0.5, grads, weights, 0.004)


# Ranking


def test_validation_accuracy_ranks_and_a_better_test_accuracy_does_not():
    lucky, best = row(0.7, 0.9), row(0.8, 0.6)
    assert ranked([lucky, best]) == (best, lucky)


def test_equal_validation_accuracy_is_decided_by_the_lower_validation_loss():
    high, low = row(0.8, loss=0.735), row(0.8, loss=0.641)
    assert ranked([high, low]) == (low, high)


def test_a_run_without_an_epoch_ranks_last():
    nothing, bad = row(None, state=RunState.FAILED), row(0.1)
    assert ranked([nothing, bad]) == (bad, nothing)


def test_only_finished_runs_on_the_commonest_task_are_compared():
    cora = [row(0.5), row(0.6)]
    others = [row(0.99, config=config_of(data=KARATE)), row(0.9, state=RunState.CANCELLED)]
    assert comparable([*others, *cora]) == (cora[1], cora[0])
    assert not share_task([*others, *cora])
    assert share_task(cora)


def test_another_split_seed_is_another_task_but_other_features_are_not():
    first, second = (DatasetSpec("cora", "random", seed) for seed in (0, 1))
    assert not share_task([row(config=config_of(data=spec)) for spec in (first, second)])
    scaled = replace(first, normalisation="l1")
    assert share_task([row(config=config_of(data=spec)) for spec in (first, scaled)])
    edited = [replace(DatasetSpec("own:mine", "random"), fingerprint=digits * 8) for digits in ("ab", "cd")]
    assert task_name(edited[0]) == "mine (random, seed 0, files abab)"
    assert not share_task([row(config=config_of(data=spec)) for spec in edited])


def test_the_table_has_what_is_active_on_top_and_then_the_best_first():
    running = row(0.1, state=RunState.RUNNING)
    queued = row(None, state=RunState.QUEUED)
    good, poor = row(0.9), row(0.2)
    assert table_order([poor, running, good, queued]) == (running, queued, good, poor)


def test_curves_come_by_model_then_depth_then_seed():
    rows = [
        row(config=config_of(*key)) for key in (("gat", 2, 0), ("gcn", 16, 0), ("gcn", 2, 1), ("gcn", 2, 0))
    ]
    assert in_order_of_depth(rows) == tuple(reversed(rows))


# Sentences


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("rows", "total", "sentence"),
    [
        ([row(0.8, 0.841)], 1, "1 run: GCN with 2 layers gets 84.1 % of the test nodes right"),
        (
            [row(0.7, 0.9), row(0.8, 0.841, config=config_of("gat", 3))],
            2,
            "2 runs: GAT with 3 layers is best on the validation nodes "
            "and gets 84.1 % of the test nodes right",
        ),
        (
            [row(0.9, 0.5), row(0.8, 0.841), row(1.0, 1.0, config=config_of(data=KARATE))],
            1200,
            "3 of 1,200 runs: on Cora (kipf), GCN with 2 layers is best on the validation nodes "
            "and gets 50.0 % of the test nodes right",
        ),
        ([row(0.3, state=RunState.RUNNING)], 1, "1 run, not finished yet"),
        ([row(0.3, state=RunState.RUNNING)] * 2, 2, "2 runs, none of them finished yet"),
        ([], 5, "None of the 5 runs matches the filters"),
    ],
)
def test_the_finding_says_how_many_and_which_is_best(rows, total, sentence):
    assert plain(runs_finding(rows, total)) == sentence


def test_the_note_gives_the_standard_error_of_the_winning_accuracy():
    note = plain(ranking_note([row(0.9), row(0.5)], 100))
    assert "here 90.0 %." in note
    assert "about 3.0 percentage points" in note  # sqrt(0.9 * 0.1 / 100) = 0.03
    assert "standard error" not in ranking_note([row(0.9), row(0.5)], 0)
    assert ranking_note([row(0.9)], 100) == ""


def test_the_note_names_who_shares_the_best_accuracy():
    twin = row(0.9, loss=2.0, config=config_of("gat", 3))
    assert "GAT with 3 layers reaches the same, and the lower validation loss decides" in ranking_note(
        [row(0.9), twin], 0
    )
    assert "2 others reach the same" in ranking_note([row(0.9), twin, twin], 0)
    assert "the same" not in ranking_note([row(0.9), row(0.8)], 0)


def test_validation_nodes_are_counted_on_the_graph(karate: Graph):
    assert validation_nodes(karate) == 8
    assert validation_nodes(replace(karate, train_mask=None, val_mask=None, test_mask=None)) == 0


@pytest.fixture
def karate() -> Graph:
    from gnnviz.datasets import load_spec

    return load_spec(KARATE)


# Filters and columns


def test_filters_offer_what_occurs_in_order_and_narrow_down_together():
    rows = [row(config=config_of(model, depth)) for model, depth in (("gcn", 16), ("gcn", 2), ("gat", 2))]
    assert filter_options(rows, "in_depth") == [EVERYTHING, "2", "16"]
    assert filter_options(rows, "in_model") == [EVERYTHING, "gat", "gcn"]
    wanted = dict.fromkeys(FILTERS, EVERYTHING)
    assert matching(rows, wanted) == tuple(rows)
    assert matching(rows, {**wanted, "in_depth": "2"}) == tuple(rows[1:])
    assert matching(rows, {**wanted, "in_depth": "2", "in_model": "gcn"}) == (rows[1],)
    assert matching(rows, {**wanted, "in_state": "failed"}) == ()


def test_columns_hold_numbers_to_sort_by_and_words_to_read():
    config, best = config_of("gat", 3, seed=5), BestEpoch(187, 0.8433, 0.64, 0.841)
    status = RunStatus(RunState.DONE, epochs_done=200, best=best, queued_at=86400.0, seconds=83.4)
    shown = RunRow(config.run_id, config, status, 7_835_389)
    values = {name: column.value(shown) for name, column in COLUMNS.items()}
    assert values["validation"] == 0.8433
    assert values["asked"] == datetime(1970, 1, 2, tzinfo=UTC)
    assert (values["layers"], values["seed"], values["heads"], values["best"]) == (3, 5, 8, 187)
    words = {name: plain(column.words(values[name])) for name, column in COLUMNS.items() if column.words}
    assert words["validation"] == "84.3 %"
    assert words["time"] == "1 min 23 s"
    assert words["size"] == "7.8 MB"
    assert (words["heads"], words["rate"]) == ("8", "0.01")


def test_a_run_without_a_result_has_empty_cells():
    queued = row(None, state=RunState.QUEUED)
    values = {name: column.value(queued) for name, column in COLUMNS.items()}
    assert [name for name, value in values.items() if value is None] == [
        "validation",
        "test",
        "heads",
        "best",
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_fills_every_column_and_filter(model):
    shown = row(config=config_of(model))
    assert all(column.label and column.help for column in COLUMNS.values())
    assert COLUMNS["model"].value(shown) == MODELS[model].label
    assert FILTERS["in_model"].words(FILTERS["in_model"].value(shown)) == MODELS[model].label


def test_sizes_add_up_and_read_as_megabytes():
    assert total_size([row(size=1), row(size=2_000_000)]) == 2_000_001
    assert plain(in_megabytes(1_234_560_000)) == "1,234.6 MB"


# Reading the store


ME = Owner.current()


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore(tmp_path / "runs")
    for seed in (0, 1):
        assert store.claim(config_of(seed=seed), ME)
    return store


def end(store: RunStore, run_id: str, state: RunState = RunState.DONE, epochs: int = 3) -> None:
    store.write_status(run_id, replace(store.status(run_id), state=state, epochs_done=epochs))


def test_rows_are_what_the_store_says(store: RunStore):
    rows = RunTable(store).rows()
    assert [shown.run_id for shown in rows] == list(store.run_ids())
    for shown in rows:
        run_id = shown.run_id
        assert shown == RunRow(run_id, store.config(run_id), store.status(run_id), store.size(run_id))


def test_a_run_that_has_ended_is_measured_once_until_it_goes_on(store: RunStore, monkeypatch):
    measured = []
    size = RunStore.size
    monkeypatch.setattr(RunStore, "size", lambda self, run_id: measured.append(run_id) or size(self, run_id))
    table = RunTable(store)
    run_id = config_of().run_id
    end(store, run_id, RunState.CANCELLED)
    table.rows()
    measured.clear()
    table.rows()
    assert measured == [config_of(seed=1).run_id]  # that one is queued still
    assert store.claim(config_of(), ME)
    end(store, run_id, epochs=5)
    (again,) = (shown for shown in table.rows() if shown.run_id == run_id)
    assert (again.status.state, again.status.epochs_done) == (RunState.DONE, 5)


def test_refreshing_reads_the_active_ones_and_drops_the_deleted(store: RunStore):
    table = RunTable(store)
    gone, ended = config_of().run_id, config_of(seed=1).run_id
    rows = table.rows()
    end(store, gone)
    end(store, ended)
    store.delete(gone)
    assert [(shown.run_id, shown.status.state) for shown in table.refreshed(rows)] == [(ended, RunState.DONE)]
    assert table.refreshed(table.rows()) == table.rows()


# Names


def test_curves_are_told_apart_by_depth_and_only_where_needed_by_settings():
    twins = [config_of(seed=0), config_of(seed=3)]
    wide = replace(config_of(depth=4), model=replace(config_of(depth=4).model, hidden_channels=128))
    assert curve_labels([*twins, wide]) == (
        "GCN · 2 layers · seed 0",
        "GCN · 2 layers · seed 3",
        "GCN · 4 layers",
    )
    assert curve_labels([config_of(depth=4), wide]) == (
        "GCN · 4 layers · 64 channels",
        "GCN · 4 layers · 128 channels",
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(config_of(), threads=2),
        replace(config_of(), dataset=DatasetSpec("cora", "random")),
        replace(config_of(), model=ModelConfig(dropout_on="between")),
        replace(config_of(), training=TrainConfig(patience=10)),
    ],
    ids=["threads", "split", "dropout_on", "patience"],
)
def test_whatever_differs_makes_two_labels(other):
    first, second = curve_labels([config_of(), other])
    assert first != second


def test_ids_are_shortened_as_far_as_they_stay_unique():
    ids = ["aaaaaaaa11111111", "aaaaaaaa12222222", "bbbbbbbb00000000"]
    assert [short_id(run_id, ids) for run_id in ids] == ["aaaaaaaa11", "aaaaaaaa12", "bbbbbbbb"]
    text = ".".join(short_id(run_id, ids) for run_id in ids)
    assert named_runs(text, ids) == (tuple(ids), ())


def test_names_that_fit_no_run_or_several_are_said_in_sentences():
    ids = ["aaaa000000000000", "aaaa111111111111", "bbbb000000000000"]
    found, sentences = named_runs("bbbb.aaaa.bbbb.bb.<b>", ids)
    assert found == ("bbbb000000000000",)
    assert sentences == (
        "2 runs begin with 'aaaa'; give more digits of the id.",
        "There are no runs 'bb' and '<b>' here; they may have been deleted.",
    )
    assert named_runs("cccc", ids)[1] == ("There is no run 'cccc' here; it may have been deleted.",)
    assert named_runs("c.d.e.f.g.h", ids)[1][0].startswith(
        "There are no runs 'c', 'd', 'e', 'f' and 2 more here"
    )


def test_a_files_name_tells_the_run_and_has_no_odd_characters():
    config = config_of()
    assert file_stem(config) == f"gcn-2-layers-cora-kipf-seed-0-{config.run_id[:8]}"
    own = config_of("sage", 1, data=DatasetSpec("own:My_Graph", "random", 4))
    assert file_stem(own).startswith("sage-1-layer-own-my-graph-random-seed-0-")


# Exports


def test_the_history_is_one_line_an_epoch_with_exact_numbers():
    history = [record(1), record(2)]
    rows = list(csv.DictReader(history_csv(history).splitlines()))
    assert [int(line["epoch"]) for line in rows] == [1, 2]
    assert float(rows[0]["train_acc"]) == 0.1 + 0.2
    assert float(rows[0]["val_acc"]) == 1 / 3
    assert [float(rows[1][f"grad_norm_{layer}"]) for layer in (1, 2)] == [0.1, 0.2]
    assert [float(rows[1][f"weight_norm_{layer}"]) for layer in (1, 2)] == [10.0, 20.0]
    assert history_csv(history).startswith("epoch,objective,train_loss,")
    assert list(rows[0])[-1] == "seconds"
    assert len(rows[0]) == 9 + 2 * 2


def test_a_run_without_epochs_exports_its_heads_only():
    assert (
        history_csv([])
        == "epoch,objective,train_loss,val_loss,test_loss,train_acc,val_acc,test_acc,seconds\n"
    )


def test_the_configuration_comes_back_equal():
    config = config_of("gat", 3, seed=7)
    assert RunConfig.from_json(json.loads(config_json(config))) == config
