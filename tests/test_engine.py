"""The engine in fair weather: runs, queue, cancelling, answers and analyses, on one real cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import engine_probe
import numpy as np
import psutil
import pytest
import torch
from distributed import Client
from distributed.security import Security
from engine_probe import PATIENCE, assert_same_run, ended, small_run, undisturbed, wait_until

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine import analyses, tasks
from gnnviz.engine.client import Engine
from gnnviz.errors import DatasetError, EngineError, GnnvizError, RunError
from gnnviz.models import ModelConfig
from gnnviz.projection import project
from gnnviz.runs import Owner, RunState, RunStatus, RunStore

ENDLESS = 10_000  # epochs: longer than any test looks at the run


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("GNNVIZ_TRAIN_WORKERS", "2")
        patch.delenv("GNNVIZ_SCHEDULER", raising=False)
        started = Engine.start(tmp_path_factory.mktemp("runs"))
    yield started
    started.close()


def test_a_run_in_the_background_equals_one_in_this_process_to_the_bit(engine: Engine, tmp_path: Path):
    config = small_run(40)
    run_id = engine.submit(config)
    status = ended(engine, run_id)
    assert (status.state, status.message, status.epochs_done, status.attempts) == ("done", "", 40, 1)
    assert status.started_at is not None
    assert status.finished_at is not None
    assert status.queued_at <= status.started_at <= status.finished_at
    assert 0 < status.seconds <= status.finished_at - status.started_at + 0.1
    assert status.versions["torch"] == torch.__version__
    wait_until(lambda: engine.store.owner(run_id) is None)
    assert_same_run(engine.store, undisturbed(tmp_path, config), run_id)


def test_checkpoints_are_kept_of_the_first_the_best_and_the_last_epoch(engine: Engine):
    run_id = engine.submit(small_run(40))
    status = ended(engine, run_id)
    assert status.best is not None
    assert {0, 1, status.best.epoch, 40} <= set(engine.store.checkpoints(run_id))
    records = engine.store.history(run_id)
    best = max(records, key=lambda record: (record.val_acc, -record.val_loss))
    assert (status.best.epoch, status.best.test_acc) == (best.epoch, best.test_acc)


def test_asking_twice_for_a_run_trains_it_once(engine: Engine):
    config = small_run(300, seed=1)
    assert engine.submit(config) == engine.submit(config) == config.run_id
    assert ended(engine, config.run_id).attempts == 1
    assert [record.epoch for record in engine.store.history(config.run_id)] == list(range(1, 301))
    before = engine.store.status(config.run_id)
    engine.submit(config)  # it is done: nothing is queued
    assert engine.store.status(config.run_id) == before


def test_two_runs_train_at_once_a_third_waits_and_answers_wait_for_none(engine: Engine):
    running = [engine.submit(small_run(ENDLESS, seed=seed)) for seed in (10, 11)]
    waiting = engine.submit(small_run(ENDLESS, seed=12))
    for run_id in running:
        wait_until(lambda run_id=run_id: engine.store.history_size(run_id) > 0)
    assert engine.store.status(waiting).state is RunState.QUEUED
    assert engine.ask(abs, -7).result(PATIENCE) == 7
    assert engine.ask(abs, -8, slow=True).result(PATIENCE) == 8
    assert [engine.store.status(run_id).state for run_id in running] == [RunState.RUNNING] * 2

    engine.cancel(waiting)
    assert engine.store.status(waiting).state is RunState.CANCELLED  # at once
    engine.resume(waiting)
    assert engine.store.status(waiting).state is RunState.QUEUED

    for run_id in running:
        engine.cancel(run_id)
        status = ended(engine, run_id)
        assert status.state is RunState.CANCELLED
        assert status.message == f"cancelled after epoch {status.epochs_done}"
    wait_until(lambda: engine.store.history_size(waiting) > 0)  # there is room for it now
    engine.cancel(waiting)
    assert ended(engine, waiting).state is RunState.CANCELLED
    assert engine.store.status(waiting).attempts == 1  # the first request was never begun


def test_a_long_run_holds_up_none_that_was_queued_after_it(engine: Engine):
    endless = engine.submit(small_run(ENDLESS, seed=20))
    short = [engine.submit(small_run(3, seed=seed)) for seed in range(21, 26)]
    for run_id in short:  # those that dask had put behind the long one are moved to the idle worker
        assert ended(engine, run_id).state is RunState.DONE
    assert engine.store.status(endless).state.is_active
    engine.cancel(endless)
    assert ended(engine, endless).state is RunState.CANCELLED


def test_a_cancelled_run_goes_on_where_it_stopped_and_ends_as_if_it_never_had(engine: Engine, tmp_path: Path):
    config = small_run(800, seed=2)
    run_id = engine.submit(config)
    wait_until(lambda: engine.store.history_size(run_id) > 0)
    engine.cancel(run_id)
    stopped = ended(engine, run_id)
    assert stopped.state is RunState.CANCELLED
    assert 0 < stopped.epochs_done < 800
    first_part = engine.store.history(run_id)
    assert len(first_part) == stopped.epochs_done
    assert stopped.epochs_done in engine.store.checkpoints(run_id)

    engine.resume(run_id)
    assert ended(engine, run_id).state is RunState.DONE
    assert engine.store.status(run_id).seconds > stopped.seconds
    kept = engine.store.history(run_id)[: len(first_part)]
    assert kept == first_part  # their wall-clock times, too: no epoch was trained again
    assert_same_run(engine.store, undisturbed(tmp_path, config), run_id)


def test_a_run_that_cannot_begin_fails_with_the_reason(engine: Engine):
    config = replace(small_run(5), dataset=DatasetSpec("own:not_there", "random"))
    run_id = engine.submit(config)
    status = ended(engine, run_id)
    assert status.state is RunState.FAILED
    with pytest.raises(DatasetError) as told:
        load_spec(config.dataset)
    assert status.message == str(told.value)
    wait_until(lambda: engine.store.owner(run_id) is None)
    assert engine.store.claim(config, Owner.current())  # and it may be tried again


def test_errors_of_other_packages_become_ours_and_leave_their_trace_in_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("gnnviz.training.initial_model", broken)
    store = undisturbed(tmp_path, small_run(5))
    status = store.status(small_run(5).run_id)
    assert (status.state, status.message) == ("failed", "unexpected ZeroDivisionError: by nought")
    assert "ZeroDivisionError: by nought" in (tmp_path / small_run(5).run_id / "error.txt").read_text()


def test_a_request_that_was_overtaken_trains_nothing(tmp_path: Path):
    store, config, owner = RunStore(tmp_path), small_run(5), Owner.current()
    store.claim(config, owner)
    queued_at = store.status(config.run_id).queued_at
    tasks.train_run(str(tmp_path), config.run_id, owner, queued_at - 1)
    tasks.train_run(str(tmp_path), config.run_id, replace(owner, pid=owner.pid + 1), queued_at)
    assert store.status(config.run_id).state is RunState.QUEUED
    assert store.history(config.run_id) == ()


def test_out_of_memory_is_told_in_words():
    with pytest.raises(RunError, match=r"memory ran out.*choose fewer layers") as told:
        tasks.answer(engine_probe.raise_torch_error, ())
    assert told.value.__context__ is None
    assert told.value.__cause__ is None


def test_equal_questions_are_computed_once_while_an_answer_is_held(engine: Engine, tmp_path: Path):
    path = tmp_path / "calls"
    first = engine.ask(engine_probe.note_call, str(path))
    second = engine.ask(engine_probe.note_call, str(path))
    assert first.result(PATIENCE) == second.result(PATIENCE) == str(path)
    assert first.done()
    assert second.done()
    assert path.read_text() == "called\n"
    third = engine.ask(engine_probe.note_call, str(path))
    assert third.result(PATIENCE) == str(path)
    assert path.read_text() == "called\n"


def test_a_small_answer_is_fetched_once_and_a_large_one_is_left_on_the_cluster(engine: Engine):
    small, large = engine.ask(tuple, (1, 2)), engine.ask(bytes, 10**6)
    assert small.result(PATIENCE) is small.result(PATIENCE)
    first, second = large.result(PATIENCE), large.result(PATIENCE)
    assert first == second == bytes(10**6)
    assert first is not second


def test_an_answer_that_takes_too_long_says_so(engine: Engine):
    answer = engine.ask(time.sleep, 2.5)
    with pytest.raises(EngineError, match=r"no answer within 0.05 seconds; it is still being computed"):
        answer.result(0.05)
    assert not answer.done()
    assert answer.result(PATIENCE) is None


def test_an_error_of_ours_arrives_as_it_was_raised(engine: Engine):
    with pytest.raises(RunError, match=r"^unknown run 0123456789abcdef; it may have been deleted$"):
        engine.ask(analyses.predictions, engine.store_root, "0123456789abcdef", 0).result(PATIENCE)


@pytest.fixture(scope="module")
def trained(engine: Engine) -> tuple[RunConfig, RunStatus]:
    model = ModelConfig("gat", num_layers=3, hidden_channels=8, heads=2)
    config = RunConfig(DatasetSpec("karate", "leaders"), model, TrainConfig(epochs=30))
    return config, ended(engine, engine.submit(config))


def test_predictions_give_the_accuracy_that_training_measured(
    engine: Engine, trained: tuple[RunConfig, RunStatus]
):
    config, status = trained
    graph = load_spec(config.dataset)
    assert status.best is not None
    assert graph.y is not None
    question = (engine.store_root, config.run_id, status.best.epoch)
    probabilities = engine.ask(analyses.predictions, *question).result(PATIENCE)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    right = probabilities.argmax(axis=1) == graph.y
    assert right[graph.test_mask].mean() == status.best.test_acc
    assert right[graph.val_mask].mean() == status.best.val_acc


def test_hidden_states_end_in_the_logits_and_layer_0_is_the_features(
    engine: Engine, trained: tuple[RunConfig, RunStatus]
):
    config, _ = trained
    question = (engine.store_root, config.run_id, 30)
    states = engine.ask(analyses.hidden_states, *question).result(PATIENCE)
    assert [state.shape for state in states] == [(34, 8), (34, 8), (34, 2)]
    assert (states[0] >= 0).all()  # after ReLU
    exponentials = np.exp(states[-1].astype(np.float64))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    probabilities = engine.ask(analyses.predictions, *question).result(PATIENCE)
    np.testing.assert_allclose(probabilities, softmax, rtol=1e-5)

    layers = [engine.ask(analyses.layer_state, *question, layer).result(PATIENCE) for layer in (0, 1, 2, 3)]
    np.testing.assert_array_equal(layers[0], np.eye(34))  # karate: a name for each node
    for layer, state in zip(layers[1:], states, strict=True):
        np.testing.assert_array_equal(layer, state)


def test_attention_of_each_node_sums_to_1(engine: Engine, trained: tuple[RunConfig, RunStatus]):
    config, _ = trained
    layers = engine.ask(analyses.attention, engine.store_root, config.run_id, 30).result(PATIENCE)
    assert [alpha.shape for _, alpha in layers] == [(156 + 34, 2), (156 + 34, 2), (156 + 34, 1)]
    for edge_index, alpha in layers:
        sums = np.zeros((34, alpha.shape[1]))
        np.add.at(sums, edge_index[1], alpha)
        np.testing.assert_allclose(sums, 1, rtol=1e-5)


def test_a_projection_on_the_engine_is_that_of_the_layer(
    engine: Engine, trained: tuple[RunConfig, RunStatus]
):
    config, _ = trained
    question = (engine.store_root, config.run_id, 30, 2)
    state = engine.ask(analyses.layer_state, *question).result(PATIENCE)
    pca = engine.ask(analyses.project_layer, *question, "pca").result(PATIENCE)
    np.testing.assert_allclose(pca.coordinates, project("pca", state).coordinates, atol=1e-6)
    tsne = engine.ask(analyses.project_layer, *question, "tsne", slow=True).result(PATIENCE)
    assert tsne.coordinates.shape == (34, 2)


def test_what_was_not_kept_is_refused_with_what_there_is(
    engine: Engine, trained: tuple[RunConfig, RunStatus]
):
    config, _ = trained
    with pytest.raises(RunError, match=r"no checkpoint of epoch 31; choose from 0, 1, "):
        engine.ask(analyses.hidden_states, engine.store_root, config.run_id, 31).result(PATIENCE)
    with pytest.raises(RunError, match=r"no layer 4; choose from 0 to 3"):
        engine.ask(analyses.layer_state, engine.store_root, config.run_id, 30, 4).result(PATIENCE)


def test_the_engine_tells_what_it_offers(engine: Engine):
    assert engine.train_workers == 2
    assert engine.threads >= 1
    assert engine.devices == (("cuda", "cpu") if torch.cuda.is_available() else ("cpu",))
    assert engine.is_alive()


def test_only_who_has_the_credentials_gets_in(engine: Engine):
    process_folder = engine._cluster.process[1]
    assert process_folder.stat().st_mode & 0o777 == 0o700
    assert not (process_folder / "cluster.json").exists()  # read once, kept nowhere
    address = engine._cluster.client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises(OSError, match=r"TLS certificate does not match"):
        Client(address, security=Security.temporary(), timeout=1, set_as_default=False)


def test_what_is_asked_of_no_run_is_refused(engine: Engine):
    for refused in (engine.resume, engine.cancel):
        with pytest.raises(GnnvizError, match=r"unknown run 00000000000000ff"):
            refused("00000000000000ff")


def test_workers_for_long_tasks_yield_to_pages_and_quick_answers(engine: Engine):
    own = psutil.Process().children(recursive=True)
    workers = [process for process in own if "spawn_main" in " ".join(process.cmdline())]
    assert len(workers) == 4  # two that train, one for quick answers, one for slow ones
    wait_until(lambda: sum(process.nice() > 0 for process in workers) == 3)
    assert engine.is_alive()
    autogroup = Path("/proc/self/autogroup")
    if not autogroup.exists() or not autogroup.read_text():
        return
    # The kernel shares the cores among sessions: each has a session of its own, with that niceness.
    yielding = [process.pid for process in workers if process.nice() > 0]
    assert [os.getsid(pid) for pid in yielding] == yielding
    shared = [Path(f"/proc/{pid}/autogroup") for pid in yielding]
    wait_until(lambda: all(path.read_text().split()[-1] == "10" for path in shared))
