"""The engine on a cluster that others started: a plain dask scheduler with one plain worker."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from engine_probe import PATIENCE, assert_same_run, ended, small_run, undisturbed, wait_until

from gnnviz.engine.client import Engine
from gnnviz.errors import EngineError


@contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    project = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(["dask", *arguments], env={**os.environ, "PYTHONPATH": str(project)})
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    file = folder / "scheduler.json"
    quiet = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    with dask("scheduler", "--host", "127.0.0.1", "--port", "0", *quiet, "--scheduler-file", str(file)):
        wait_until(file.exists)
        yield json.loads(file.read_text())["address"]


def worker_options(folder: Path, threads: int) -> tuple[str, ...]:
    options = ("--no-nanny", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    return (*options, "--nthreads", str(threads), "--local-directory", str(folder))


def joined(root: Path) -> Engine:
    """Join the cluster once its worker is there."""
    engines: list[Engine] = []

    def has_joined() -> bool:
        try:
            engines.append(Engine.start(root))
        except EngineError as error:
            if "has no workers; start some" not in str(error):  # yet
                raise
        return bool(engines)

    wait_until(has_joined)
    return engines[0]


def test_a_cluster_without_our_resources_trains_and_answers_and_outlives_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config, root = small_run(40), tmp_path / "runs"
    with scheduler(tmp_path) as address:
        monkeypatch.setenv("GNNVIZ_SCHEDULER", address)
        with dask("worker", address, *worker_options(tmp_path, 1)) as worker:
            engine = joined(root)
            assert engine.train_workers == 1
            assert engine.ask(abs, -2).result(PATIENCE) == 2
            run_id = engine.submit(config)
            assert ended(engine, run_id).state == "done"
            engine.close()
            assert not engine.is_alive()
            assert worker.poll() is None
            again = joined(root)
            assert again.ask(abs, -3).result(PATIENCE) == 3
            again.close()
    assert_same_run(engine.store, undisturbed(tmp_path / "undisturbed", config), run_id)


def test_workers_that_would_mix_their_random_numbers_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with scheduler(tmp_path) as address, dask("worker", address, *worker_options(tmp_path, 2)):
        monkeypatch.setenv("GNNVIZ_SCHEDULER", address)
        with pytest.raises(EngineError, match=r"start every worker with --nthreads 1"):
            joined(tmp_path / "runs")
