"""What a real server does when it is ended, loses its engine, or is visited by many at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from conftest import Server, Visit, start_server, wait_until
from playwright.sync_api import expect

from gnnviz.runs import RunState, RunStore

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
SESSIONS = 8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = start_server(tmp_path / "runs")
    yield server
    server.stop(signal.SIGKILL)


def states(server: Server) -> set[RunState]:
    store = RunStore(server.runs)
    return {store.status(run_id).state for run_id in store.run_ids()}


def begin_training(server: Server, visit: Visits) -> Visit:
    """Open the overview and wait until the opening sweep is under way."""
    here = visit(server.url)
    here.open("/")
    wait_until(lambda: RunState.RUNNING in states(server), "a run is being trained", timeout=120)
    return here


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_leaves_no_process_and_its_runs_go_on_at_the_next_start(
    server: Server, visit: Visits, end: signal.Signals
) -> None:
    begin_training(server, visit)
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert len(family) > 3, "the engine and its workers"
    server.stop(end)
    wait_until(
        lambda: not any(process.is_running() for process in family), "every process is gone", timeout=30
    )
    assert RunState.RUNNING not in states(server)
    assert RunState.INTERRUPTED in states(server)

    again = start_server(server.runs)
    try:
        begin_training(again, visit)
        assert RunState.INTERRUPTED not in states(again)
    finally:
        again.stop()


def test_a_page_whose_engine_is_killed_recovers_by_itself(server: Server, visit: Visits) -> None:
    here = begin_training(server, visit)
    engine = next(
        child
        for child in psutil.Process(server.process.pid).children()
        if "gnnviz.engine" in " ".join(child.cmdline())
    )
    engine.kill()
    wait_until(
        lambda: RunState.RUNNING in states(server) and not engine.is_running(),
        "another engine goes on with the runs",
        timeout=120,
    )
    expect(here.page.locator("h2").first).to_be_visible()
    here.assert_clean()


def test_many_visitors_see_the_same_sweep_and_train_it_once(server: Server, visit: Visits) -> None:
    visits = [visit(server.url) for _ in range(SESSIONS)]
    for here in visits:
        here.page.goto(server.url)
    for here in visits:
        expect(here.page.locator("h2").first).to_be_visible(timeout=120_000)
    store = RunStore(server.runs)
    assert len(store.run_ids()) == 5
    wait_until(lambda: RunState.RUNNING in states(server), "a run is being trained", timeout=120)
    assert all(store.status(run_id).attempts <= 1 for run_id in store.run_ids())
    for here in visits:
        here.assert_clean()
