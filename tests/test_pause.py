"""A paused sweep: what waits is held, what runs goes on, and every server on the folder knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_probe import ended, small_run, wait_until

from gnnviz.engine.client import Engine
from gnnviz.runs import Owner, RunState, RunStore
from gnnviz.sweeps import sweep_plan

ENDLESS = 10_000


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNNVIZ_TRAIN_WORKERS", "1")
        patch.delenv("GNNVIZ_SCHEDULER", raising=False)
        started = Engine.start(tmp_path_factory.mktemp("runs"))
    yield started
    started.close()


def test_waiting_runs_are_held_and_go_on_in_their_order(engine: Engine):
    long, *short = [small_run(ENDLESS), *(small_run(5, seed=seed) for seed in (3, 1, 2))]
    ids = [engine.submit(config) for config in (long, *short)]
    wait_until(lambda: engine.store.history_size(ids[0]) > 0)
    engine.pause(ids)
    assert engine.store.status(ids[0]).state is RunState.RUNNING  # it goes on
    assert [engine.store.status(run_id).state for run_id in ids[1:]] == [RunState.CANCELLED] * 3
    assert engine.store.status(ids[1]).message == "paused before it began"
    assert [engine.store.status(run_id).word for run_id in ids[:2]] == ["running", "paused"]
    assert not engine.store.is_paused(ids[0])

    seen_elsewhere = RunStore(Path(engine.store_root))
    plan = sweep_plan(seen_elsewhere.look(), [*reversed(short), long])
    assert plan.paused == tuple(short)
    assert plan.missing == tuple(reversed(short))  # a sweep asked for again continues them

    engine.cancel(ids[0])
    assert ended(engine, ids[0]).state is RunState.CANCELLED
    engine.submit(small_run(3, seed=9))
    assert ended(engine, small_run(3, seed=9).run_id).state is RunState.DONE  # the worker is free, they wait
    assert all(engine.store.is_paused(run_id) for run_id in ids[1:])
    for config in sweep_plan(engine.store.look(), short).paused:
        engine.resume(config.run_id)
    assert sweep_plan(engine.store.look(), short).paused == ()
    statuses = [ended(engine, run_id) for run_id in ids[1:]]
    assert [status.state for status in statuses] == [RunState.DONE] * 3
    starts = [status.started_at for status in statuses]
    assert starts == sorted(starts, key=lambda start: start or 0.0)


def test_what_is_cancelled_is_not_paused_any_more(engine: Engine):
    blocking, waiting = engine.submit(small_run(ENDLESS, seed=20)), engine.submit(small_run(5, seed=21))
    wait_until(lambda: engine.store.history_size(blocking) > 0)
    engine.pause([waiting])
    assert engine.store.is_paused(waiting)
    engine.cancel(waiting)
    assert not engine.store.is_paused(waiting)
    assert engine.store.status(waiting).message == "cancelled before it began"
    assert engine.store.status(waiting).word == "cancelled"
    engine.cancel(blocking)
    assert ended(engine, blocking).state is RunState.CANCELLED
    assert not engine.store.is_paused(blocking)


def test_a_pause_outlives_the_engine_and_a_new_one_goes_on(tmp_path: Path):
    store, config, dead = RunStore(tmp_path), small_run(4, seed=5), Owner("elsewhere", 1, 1.0)
    assert store.claim(config, dead)
    store.request_cancel(config.run_id, pause=True)
    store.release(config.run_id, dead)
    assert store.is_paused(config.run_id)
    assert store.claim(config, Owner.current())  # as an engine does that is asked to continue it
    assert not store.is_paused(config.run_id)
    assert store.status(config.run_id).state is RunState.QUEUED


def test_a_run_that_began_in_the_moment_of_the_pause_is_found_and_goes_on(engine: Engine):
    run_id = engine.submit(small_run(ENDLESS, seed=30))
    wait_until(lambda: engine.store.status(run_id).epochs_done > 0)
    engine.store.request_cancel(run_id, pause=True)  # too late: it has begun
    stopped = ended(engine, run_id)
    assert engine.store.is_paused(run_id)
    assert stopped.message.startswith("paused after epoch ")
    engine.store.request_cancel(run_id)  # whoever cancels it now takes it out of the pause
    assert engine.store.status(run_id).message.startswith("cancelled after epoch ")
    assert not engine.store.is_paused(run_id)
    wait_until(lambda: engine.store.owner(run_id) is None)
    engine.resume(run_id)
    wait_until(lambda: engine.store.status(run_id).epochs_done > stopped.epochs_done)
    engine.cancel(run_id)
    ended(engine, run_id)
    epochs = [record.epoch for record in engine.store.history(run_id)]
    assert epochs == list(range(1, len(epochs) + 1))
