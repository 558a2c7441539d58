"""What a local worker does when it starts: yield to the pages, and load what its first task needs.

Named as a preload to dask, which calls `dask_setup` in every worker, restarted ones included.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from distributed import Status, Worker

_NICENESS = 10  # of workers whose tasks take long, so that pages and quick answers come first
_AUTOGROUP = Path("/proc/self/autogroup")
_TRIES, _BETWEEN_TRIES = 50, 0.13
_LATER = 8.0  # seconds that the slow worker leaves the cores to those that train and answer first


def dask_setup(worker: Worker) -> None:
    """Lower the priority of a worker for long tasks and start its warm-up in the background."""
    if "interactive" not in worker.state.total_resources:
        worker.loop.add_callback(_step_back)
    worker.loop.add_callback(_warm_up, worker)


async def _step_back() -> None:
    """Let pages and quick answers go first, also where the kernel shares the cores among sessions.

    There a niceness only counts among the processes of one session, so this one gets a session of its own,
    and that session the niceness.

    Reference: sched(7), "The autogroup feature".
    """
    os.nice(_NICENESS)
    if not _AUTOGROUP.exists():
        return
    with contextlib.suppress(PermissionError):  # it leads its session already
        os.setsid()
    for _ in range(_TRIES):
        try:
            _AUTOGROUP.write_text(str(_NICENESS))
            return
        except BlockingIOError:  # the kernel takes one such wish in a tenth of a second
            await asyncio.sleep(_BETWEEN_TRIES)
        except OSError:
            return  # it is not shared so here


async def _warm_up(worker: Worker) -> None:
    """Run the warm-up where tasks run, once the scheduler knows the worker."""
    while worker.status is Status.init:
        await asyncio.sleep(0.05)
    is_slow = "slow" in worker.state.total_resources
    if is_slow:
        await asyncio.sleep(_LATER)
    load = _load_projections if is_slow else _load_training
    await asyncio.get_running_loop().run_in_executor(worker.executors["default"], load)


def _load_projections() -> None:
    """Import what projections compute with, which takes a second or two."""
    import sklearn.manifold  # noqa: F401


def _load_training() -> None:
    """Train a tiny graph for an epoch: the first step of an optimiser takes longer than its import."""
    from gnnviz.engine import tasks

    tasks.warm_up()
