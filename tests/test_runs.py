"""The run store in good times: what is written comes back, and who may claim, release and delete."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import RunError
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch, EpochRecord, TrainState
from gnnviz.runs import Owner, RunState, RunStatus, RunStore, checkpoint_epochs


def config_of(seed: int) -> RunConfig:
    return RunConfig(DatasetSpec(), ModelConfig(), TrainConfig(seed=seed))


def record_of(epoch: int, layers: int = 2) -> EpochRecord:
    norms = tuple(0.1 * layer + epoch for layer in range(layers))
    return EpochRecord(epoch, 1.9, 1.8, 1.7, 1.6, 0.1 + 0.2, 1 / 3, 0.5, norms, norms, 0.004)


CONFIG = config_of(0)
RUN = CONFIG.run_id
ME = Owner.current()
DEAD = replace(ME, started=ME.started - 60)  # a process that had our number a minute before us
BEST = BestEpoch(epoch=3, val_acc=1 / 3, val_loss=1.7, test_acc=0.5)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def claimed(store: RunStore) -> RunStore:
    assert store.claim(CONFIG, ME)
    return store


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, (0, 1)),
        (4, (0, 1, 2, 3, 4)),
        (2**15, (0, *(2**power for power in range(16)))),  # 16 steps of ratio 2
    ],
)
def test_checkpoints_are_epoch_0_and_equal_ratios_up_to_the_last(epochs, expected):
    assert checkpoint_epochs(epochs) == expected


@pytest.mark.parametrize("epochs", [1, 2, 7, 50, 200, 999, 10_000])
def test_checkpoints_are_17_at_most_ascending_and_hold_first_and_last(epochs):
    chosen = checkpoint_epochs(epochs)
    assert len(chosen) <= 17
    assert list(chosen) == sorted(set(chosen))
    assert chosen[0] == 0
    assert chosen[-1] == epochs


def test_claim_makes_a_queued_run_with_its_config_and_owner(claimed):
    status = claimed.status(RUN)
    assert claimed.run_ids() == (RUN,)
    assert claimed.problems() == {}
    assert claimed.config(RUN) == CONFIG
    assert claimed.owner(RUN) == ME
    assert (status.state, status.epochs_done, status.best, status.attempts) == (RunState.QUEUED, 0, None, 0)
    assert (status.started_at, status.finished_at, status.message, status.versions) == (None, None, "", {})


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING])
def test_an_active_run_of_a_living_owner_is_not_claimed_again(claimed, state):
    claimed.write_status(RUN, RunStatus(state))
    assert not claimed.claim(CONFIG, replace(ME, started=ME.started + 60))
    assert not claimed.claim(CONFIG, ME)
    assert claimed.owner(RUN) == ME


def test_a_finished_run_is_never_claimed_again(claimed):
    claimed.write_status(RUN, RunStatus(RunState.DONE))
    claimed.release(RUN, ME)
    assert claimed.owner(RUN) is None
    assert not claimed.claim(CONFIG, ME)
    assert claimed.status(RUN).state is RunState.DONE


@pytest.mark.parametrize("state", [RunState.CANCELLED, RunState.FAILED])
def test_a_run_that_ended_early_is_claimed_and_keeps_what_it_reached(claimed, state):
    ended = RunStatus(state, "why", 7, BEST, 1.0, 2.0, 3.0, 4.5, 3, {"torch": "2"})
    claimed.write_status(RUN, ended)
    claimed.append(RUN, record_of(1))
    claimed.request_cancel(RUN)
    assert claimed.claim(CONFIG, ME)
    status = claimed.status(RUN)
    assert status == replace(
        ended,
        state=RunState.QUEUED,
        message="",
        queued_at=status.queued_at,
        started_at=None,
        finished_at=None,
        attempts=0,
    )
    assert status.queued_at > 3.0
    assert not claimed.cancel_requested(RUN)
    assert claimed.history(RUN) == (record_of(1),)


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING])
def test_an_active_run_of_a_dead_owner_reads_interrupted_and_can_be_claimed(store, state):
    store.claim(CONFIG, DEAD)
    store.write_status(RUN, RunStatus(state, epochs_done=12))
    assert store.status(RUN).state is RunState.INTERRUPTED
    assert "epoch 12" in store.status(RUN).message
    assert store.claim(CONFIG, ME)
    assert store.status(RUN).state is RunState.QUEUED


def test_an_active_run_that_was_released_reads_interrupted(claimed):
    claimed.release(RUN, DEAD)
    assert claimed.status(RUN).state is RunState.QUEUED
    claimed.release(RUN, ME)
    assert claimed.status(RUN).state is RunState.INTERRUPTED


def test_an_owner_is_alive_only_as_the_same_process():
    assert ME.is_alive()
    assert replace(ME, started=ME.started + 1).is_alive()  # two readers may differ by a second
    assert not DEAD.is_alive()
    assert not replace(ME, pid=2**22 + 1).is_alive()  # beyond the largest number Linux gives
    assert replace(DEAD, host="another").is_alive()  # cannot be looked up


def test_an_owner_that_was_killed_but_not_yet_collected_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process = psutil.Process(child.pid)
    owner = Owner(socket.gethostname(), child.pid, process.create_time())
    assert owner.is_alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and left as a zombie
    assert process.status() == psutil.STATUS_ZOMBIE
    assert not owner.is_alive()
    child.wait()


def test_a_queued_run_with_a_request_to_cancel_reads_cancelled(claimed):
    assert not claimed.cancel_requested(RUN)
    claimed.request_cancel(RUN)
    assert claimed.cancel_requested(RUN)
    assert claimed.status(RUN).state is RunState.CANCELLED
    claimed.write_status(RUN, RunStatus(RunState.RUNNING))
    assert claimed.status(RUN).state is RunState.RUNNING  # until its worker has looked


def test_many_statuses_are_what_each_is_alone_without_those_that_are_gone(store):
    configs = [config_of(seed) for seed in range(6)]
    for config, owner in zip(configs, (ME, ME, ME, DEAD, ME, ME), strict=True):
        store.claim(config, owner)
    ids = [config.run_id for config in configs]
    store.write_status(ids[1], RunStatus(RunState.DONE, epochs_done=7, best=BEST))
    store.request_cancel(ids[2])
    (store._root / ids[4] / "status.json").write_text("{")
    found = store.statuses([*ids[:5], config_of(9).run_id, "no run"])
    assert list(found) == ids[:4]
    states = [RunState.QUEUED, RunState.DONE, RunState.CANCELLED, RunState.INTERRUPTED]
    assert [status.state for status in found.values()] == states
    assert found == {run_id: store.status(run_id) for run_id in ids[:4]}


def test_what_another_process_wrote_is_seen_at_once_by_a_store_that_has_read_before(claimed, tmp_path):
    elsewhere = RunStore(tmp_path / "runs")
    for epochs in range(1, 60):
        elsewhere.write_status(RUN, RunStatus(RunState.RUNNING, epochs_done=epochs))
        assert claimed.status(RUN).epochs_done == epochs
    elsewhere.write_status(RUN, RunStatus(RunState.DONE, epochs_done=60))
    assert claimed.status(RUN).state is RunState.DONE
    elsewhere.delete(RUN)
    with pytest.raises(RunError, match="unknown run"):
        claimed.status(RUN)
    assert claimed.configs() == {}


def test_status_comes_back_as_it_was_written(claimed):
    status = RunStatus(RunState.DONE, "ü", 7, BEST, 1.1, 2.2, 3.3, 4.4, 5, {"torch": "2.13"})
    claimed.write_status(RUN, status)
    assert claimed.status(RUN) == status


def test_history_comes_back_and_its_size_is_that_of_the_file(claimed, tmp_path):
    assert claimed.history(RUN) == ()
    assert claimed.history_size(RUN) == 0
    for epoch in (1, 2, 3):
        claimed.append(RUN, record_of(epoch))
    assert claimed.history(RUN) == (record_of(1), record_of(2), record_of(3))
    lines = (tmp_path / "runs" / RUN / "history.jsonl").read_text().splitlines()
    assert claimed.history_size(RUN) == sum(len(line) + 1 for line in lines)


def test_truncating_cuts_the_epochs_after_the_given_one(claimed):
    claimed.truncate_history(RUN, 0)
    for epoch in (1, 2, 3):
        claimed.append(RUN, record_of(epoch))
    claimed.truncate_history(RUN, 3)
    assert len(claimed.history(RUN)) == 3
    claimed.truncate_history(RUN, 1)
    claimed.append(RUN, record_of(2))
    assert claimed.history(RUN) == (record_of(1), record_of(2))
    claimed.truncate_history(RUN, 0)
    assert claimed.history(RUN) == ()


def test_checkpoints_come_back_to_the_bit_with_their_shapes_and_types(claimed):
    weights = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not in C order
        "b": np.array(1 / 3, dtype=np.float64),  # no dimensions
        "c": np.zeros((0, 4), dtype=np.float32),
        "d": np.array([1, 255], dtype=np.uint8),
    }
    assert claimed.checkpoints(RUN) == ()
    claimed.save_checkpoint(RUN, 10, weights)
    claimed.save_checkpoint(RUN, 9, {})
    assert claimed.checkpoints(RUN) == (9, 10)
    loaded = claimed.load_checkpoint(RUN, 10)
    assert loaded.keys() == weights.keys()
    for name, array in weights.items():
        assert (loaded[name].shape, loaded[name].dtype) == (array.shape, array.dtype)
        np.testing.assert_array_equal(loaded[name], array)


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(claimed):
    with pytest.raises(RunError, match="no checkpoint of epoch 4; it has none yet"):
        claimed.load_checkpoint(RUN, 4)
    claimed.save_checkpoint(RUN, 0, {})
    claimed.save_checkpoint(RUN, 8, {})
    with pytest.raises(RunError, match="no checkpoint of epoch 4; choose from 0, 8"):
        claimed.load_checkpoint(RUN, 4)


@pytest.mark.parametrize(("best", "loss"), [(None, math.inf), (BEST, 1.7)])
def test_state_comes_back_and_the_last_one_counts(claimed, best, loss):
    assert claimed.load_state(RUN) is None
    claimed.save_state(RUN, TrainState(1, {}, None, math.inf, 0))
    claimed.save_state(RUN, TrainState(3, {"model.w": np.ones(2)}, best, loss, 5))
    state = claimed.load_state(RUN)
    assert state is not None
    assert (state.epoch, state.best, state.best_val_loss, state.stale_epochs) == (3, best, loss, 5)
    np.testing.assert_array_equal(state.tensors["model.w"], np.ones(2))


def test_runs_are_listed_with_the_last_queued_first(store):
    configs = [config_of(seed) for seed in range(3)]
    for config, queued_at in zip(configs, (2.0, 3.0, 1.0), strict=True):
        store.claim(config, ME)
        store.write_status(config.run_id, RunStatus(RunState.DONE, queued_at=queued_at))
    assert store.run_ids() == tuple(configs[index].run_id for index in (1, 0, 2))


def test_configs_are_those_of_the_listed_runs_in_their_order(store):
    for seed in (3, 1, 2):
        store.claim(config_of(seed), ME)
        status = store.status(config_of(seed).run_id)
        store.write_status(config_of(seed).run_id, replace(status, queued_at=float(seed)))
    assert list(store.configs()) == list(store.run_ids()) == [config_of(seed).run_id for seed in (3, 2, 1)]
    assert list(store.configs().values()) == [config_of(seed) for seed in (3, 2, 1)]


def test_a_store_without_a_folder_is_empty(store):
    assert store.run_ids() == ()
    assert store.problems() == {}


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING])
def test_a_run_is_not_deleted_while_a_living_owner_has_it(claimed, state):
    claimed.write_status(RUN, RunStatus(state))
    with pytest.raises(RunError, match=f"process {os.getpid()} on .*; cancel it, then delete it"):
        claimed.delete(RUN)
    assert claimed.run_ids() == (RUN,)


def test_a_deleted_run_is_gone_and_can_be_trained_anew(claimed, tmp_path):
    claimed.write_status(RUN, RunStatus(RunState.DONE, epochs_done=9))
    claimed.append(RUN, record_of(1))
    claimed.save_checkpoint(RUN, 0, {})
    claimed.delete(RUN)
    assert list((tmp_path / "runs").iterdir()) == []
    with pytest.raises(RunError, match=f"unknown run {RUN}; it may have been deleted"):
        claimed.append(RUN, record_of(2))
    assert claimed.claim(CONFIG, ME)
    assert claimed.history(RUN) == ()
    assert claimed.status(RUN).epochs_done == 0


def test_a_run_of_a_dead_owner_can_be_deleted(store):
    store.claim(CONFIG, DEAD)
    store.delete(RUN)
    assert store.run_ids() == ()


def test_size_is_the_sum_of_all_files(claimed, tmp_path):
    claimed.save_checkpoint(RUN, 0, {"w": np.zeros(1000)})
    expected = sum(path.stat().st_size for path in (tmp_path / "runs" / RUN).rglob("*") if path.is_file())
    assert claimed.size(RUN) == expected > 8000


def test_200_epochs_of_64_layers_are_read_quickly(claimed):
    for epoch in range(1, 201):
        claimed.append(RUN, record_of(epoch, layers=64))
    times = []
    for _ in range(5):
        start = perf_counter()
        assert len(claimed.history(RUN)) == 200
        times.append(perf_counter() - start)
    assert min(times) < 0.1  # measured: 0.015 s


def test_the_store_is_used_without_torch():
    code = "import sys, gnnviz.runs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
