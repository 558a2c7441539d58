"""The engine in foul weather: killed workers, killed engines, killed apps, two servers on one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import engine_probe
import psutil
import pytest
from engine_probe import PATIENCE, assert_same_run, ended, small_run, undisturbed, wait_until

from gnnviz.engine.client import Engine
from gnnviz.errors import EngineError
from gnnviz.runs import RunState, RunStore

GONE_SECONDS = 10.0
ENDLESS = 10_000  # epochs: no test waits for the last of them


@pytest.fixture(scope="module", autouse=True)
def _one_training_worker() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("GNNVIZ_TRAIN_WORKERS", "1")
        patch.delenv("GNNVIZ_SCHEDULER", raising=False)
        yield


@contextmanager
def started(root: Path) -> Iterator[Engine]:
    engine = Engine.start(root)
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with started(tmp_path_factory.mktemp("runs")) as engine:
        yield engine


@contextmanager
def stand_in(root: Path, action: str = "run", epochs: int = ENDLESS) -> Iterator[subprocess.Popen[str]]:
    """Run an app's server that has started an engine and submitted a run."""
    project = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, engine_probe.__file__, action, str(root), str(epochs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(project)},
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def engine_process(store: RunStore, run_id: str) -> psutil.Process:
    owner = store.owner(run_id)
    assert owner is not None
    return psutil.Process(owner.pid)


def training_process(engine: Engine) -> psutil.Process:
    """Return the process of the worker that trains, which alone has a run."""
    client = engine._cluster.client
    pids = client.run(os.getpid)
    (busy,) = [address for address, keys in client.processing().items() if keys]
    return psutil.Process(pids[busy])


def test_a_killed_worker_delays_its_run_but_changes_nothing(engine: Engine, tmp_path: Path):
    config = small_run(1500)
    run_id = engine.submit(config)
    wait_until(lambda: engine.store.history_size(run_id) > 0)
    worker = training_process(engine)
    wait_until(lambda: engine.store.load_state(run_id) is not None)
    state = engine.store.load_state(run_id)
    assert state is not None
    first_part = engine.store.history(run_id)[: state.epoch]
    wait_until(lambda: len(engine.store.history(run_id)) >= state.epoch + 20)  # 20 epochs are lost
    worker.kill()
    status = ended(engine, run_id)
    assert (status.state, status.epochs_done, status.attempts) == ("done", 1500, 2)
    assert engine.store.history(run_id)[: state.epoch] == first_part  # not trained again
    assert_same_run(engine.store, undisturbed(tmp_path, config), run_id)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_run_whose_disk_is_full_fails_in_words_and_the_next_is_trained(engine: Engine, tmp_path: Path):
    root = Path(engine.store_root)
    full, other = engine.submit(small_run(ENDLESS, seed=7)), engine.submit(small_run(5, seed=7))
    history = root / full / "history.jsonl"
    wait_until(lambda: engine.store.history_size(full) > 0)
    (tmp_path / "full").symlink_to("/dev/full")  # every write is answered with "no space left"
    os.replace(tmp_path / "full", history)
    status = ended(engine, full)
    assert status.state is RunState.FAILED
    assert "full" in status.message or "space" in status.message
    assert ended(engine, other).state is RunState.DONE


def test_a_run_whose_worker_is_killed_again_and_again_fails_and_the_next_is_trained(engine: Engine):
    doomed, innocent = engine.submit(small_run(ENDLESS)), engine.submit(small_run(5))
    for attempt in (1, 2, 3):
        wait_until(lambda attempt=attempt: engine.store.status(doomed).attempts == attempt)
        training_process(engine).kill()
    status = ended(engine, doomed)
    assert status.state is RunState.FAILED
    assert "was killed again and again" in status.message
    wait_until(lambda: engine.store.owner(doomed) is None)
    assert ended(engine, innocent).state is RunState.DONE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_app_ends_nothing_is_left_and_its_run_goes_on_when_asked(
    tmp_path: Path, number: signal.Signals
):
    store, run_id = RunStore(tmp_path), small_run(ENDLESS).run_id
    with stand_in(tmp_path) as app:
        assert app.stdout is not None
        assert app.stdout.readline() == "submitted\n"
        wait_until(lambda: store.load_state(run_id) is not None)
        engine = engine_process(store, run_id)
        ours = [engine, *engine.children(recursive=True)]
        assert len(ours) > 3  # its three workers, and what multiprocessing adds
        app.send_signal(number)
        app.wait(GONE_SECONDS)
        _, left = psutil.wait_procs(ours, GONE_SECONDS)
        assert left == []
    assert store.status(run_id).state is RunState.INTERRUPTED
    state = store.load_state(run_id)
    assert state is not None
    first_part = store.history(run_id)[: state.epoch]
    assert len(first_part) == state.epoch
    if number is signal.SIGKILL:  # once is enough: the folder knows nothing of signals
        goes_on_after(tmp_path, run_id, state.epoch)
        assert store.history(run_id)[: state.epoch] == first_part  # not trained again


def goes_on_after(root: Path, run_id: str, epoch: int) -> None:
    with started(root) as engine:
        engine.resume(run_id)
        wait_until(lambda: engine.store.status(run_id).epochs_done > epoch)
        engine.cancel(run_id)
        assert ended(engine, run_id).state is RunState.CANCELLED
        epochs = [record.epoch for record in engine.store.history(run_id)]
        assert epochs == list(range(1, engine.store.status(run_id).epochs_done + 1))


def test_a_killed_engine_is_noticed_and_a_new_one_goes_on(tmp_path: Path):
    with started(tmp_path) as engine:
        run_id = engine.submit(small_run(ENDLESS))
        unanswered = engine.ask(time.sleep, 600)
        wait_until(lambda: engine.store.load_state(run_id) is not None)
        process = engine_process(engine.store, run_id)
        workers = process.children(recursive=True)
        process.kill()
        wait_until(lambda: not engine.is_alive())
        assert psutil.wait_procs(workers, GONE_SECONDS)[1] == []
        with pytest.raises(EngineError, match=r"the engine ended before it had an answer"):
            unanswered.result(PATIENCE)
        for late in (lambda: engine.ask(abs, -1), lambda: engine.submit(small_run(3))):
            with pytest.raises(EngineError, match=r"the engine is gone; reload the page"):
                late()
        assert engine.store.status(run_id).state is RunState.INTERRUPTED
        state = engine.store.load_state(run_id)
        assert state is not None
        goes_on_after(tmp_path, run_id, state.epoch)


def test_two_servers_that_ask_for_one_run_train_it_once(tmp_path: Path):
    config, store = small_run(200), RunStore(tmp_path)
    with stand_in(tmp_path, epochs=200) as one, stand_in(tmp_path, epochs=200) as other:
        for app in (one, other):
            assert app.stdout is not None
            assert app.stdout.readline() == "submitted\n"
        wait_until(lambda: store.status(config.run_id).state is RunState.DONE)
        for app in (one, other):
            app.communicate()
            assert app.returncode == 0
    assert store.status(config.run_id).attempts == 1
    assert [record.epoch for record in store.history(config.run_id)] == list(range(1, 201))


def test_an_error_of_torch_does_not_bring_torch_into_the_app(tmp_path: Path):
    with stand_in(tmp_path, "fail") as app:
        told, _ = app.communicate(timeout=PATIENCE)
    error, imported = told.splitlines()
    assert error.startswith("RunError: memory ran out (no room for a tensor); choose fewer layers")
    assert imported == "[]"


def test_an_engine_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GNNVIZ_TRAIN_WORKERS", "many")
    with pytest.raises(EngineError, match=r"GNNVIZ_TRAIN_WORKERS is 'many'; choose a whole number from 1"):
        Engine.start(tmp_path)
    monkeypatch.setenv("GNNVIZ_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setattr("gnnviz.engine.cluster._CONNECT_SECONDS", 0.5)
    with pytest.raises(EngineError, match=r"the scheduler at tcp://127\.0\.0\.1:1 cannot be reached"):
        Engine.start(tmp_path)
