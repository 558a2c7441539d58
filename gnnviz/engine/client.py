"""What the app holds of the engine: `Engine` hands over work, `Answer` is one piece of it.

Imports neither torch nor scikit-learn: whatever computes runs on the cluster, and what comes back
are numpy arrays and our own errors.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, cast

from dask.base import tokenize
from distributed import CancelledError, Future, KilledWorker, TimeoutError, fire_and_forget
from distributed.comm.core import CommClosedError

from gnnviz.config import DeviceType, RunConfig
from gnnviz.engine import tasks
from gnnviz.engine.cluster import Cluster, join_cluster, start_cluster
from gnnviz.errors import EngineError, GnnvizError, RunError
from gnnviz.runs import RunState, RunStore

Value = TypeVar("Value")
_SMALL = 20_000  # bytes of an answer that is kept here: numbers and sentences, not arrays over nodes


class Answer(Generic[Value]):
    """The answer to one question, computed while this is held; equal questions share one computation.

    A large one stays on the cluster and is fetched each time, a small one is fetched once: a page that
    looks at those of a whole sweep would otherwise wait for each, again and again.
    """

    def __init__(self, future: Future) -> None:
        self._future = future
        self._kept: tuple[Value] | None = None

    def done(self) -> bool:
        """Return whether `result` would return or raise at once."""
        return self._future.done()

    def wait(self, seconds: float) -> bool:
        """Return whether the answer is there, after waiting for it `seconds` at most."""
        if not self.done():
            with contextlib.suppress(TimeoutError, CancelledError, CommClosedError):
                self._future.exception(seconds)
        return self.done()

    def result(self, timeout: float | None = None) -> Value:
        """Wait for the answer and return it.

        Args:
            timeout: seconds to wait at most; None waits until the answer is there or the engine ends.

        Raises:
            GnnvizError: what the computation raised; an `EngineError` when there is no answer in time,
                the engine ended, or the worker was killed.
        """
        if self._kept:
            return self._kept[0]
        try:
            error = cast(Exception | None, self._future.exception(timeout))
            if error is None:
                value: Value = self._future.result(timeout)
                self._kept = (value,) if len(pickle.dumps(value)) <= _SMALL else None
                return value
        except TimeoutError:
            raise EngineError(f"no answer within {timeout} seconds; it is still being computed") from None
        except (CancelledError, CommClosedError):
            raise EngineError("the engine ended before it had an answer; reload the page") from None
        raise _in_our_words(error)


class Engine:
    """A cluster and the store it works on; made by `start`.

    Attributes:
        store: the runs, as every process on this folder sees them.
        store_root: their folder, an absolute path, as tasks are given it.
        devices: kinds of device that runs can train on, the preferred one first.
        train_workers: runs that train at a time, 1 or more.
        threads: torch's threads for each of them, 1 or more; part of a run's config.
    """

    def __init__(self, cluster: Cluster, store_root: Path) -> None:
        self.store = RunStore(store_root)
        self.store_root = str(store_root)
        self.devices: tuple[DeviceType, ...] = cluster.offer.devices
        self.train_workers = cluster.offer.train_workers
        self.threads = cluster.offer.threads
        self._cluster = cluster
        self._runs: dict[str, Future] = {}  # submitted from here and not ended

    @classmethod
    def start(cls, store_root: Path) -> Engine:
        """Start a cluster on this machine, or join the one that GNNVIZ_SCHEDULER names.

        A cluster that was started here ends with `close`, and with this process however that ends. One
        that was joined goes on; its machines need gnnviz, and `store_root` under the same path.

        Args:
            store_root: the folder of runs, made if it is missing; the engine's log is kept there.

        Raises:
            EngineError: the cluster does not start or cannot be reached; says why.
        """
        root = store_root.resolve()
        address = os.environ.get("GNNVIZ_SCHEDULER", "")
        return cls(join_cluster(address) if address else start_cluster(root), root)

    def is_alive(self) -> bool:
        """Return whether work can be handed over; if not, `start` makes a new engine."""
        return self._cluster.is_alive()

    def submit(self, config: RunConfig) -> str:
        """Queue a run, unless it is done or somebody alive has it; one that was begun goes on.

        Returns:
            The run_id.

        Raises:
            EngineError: the engine is gone.
            RunError: the run's folder cannot be written.
        """
        self._check_alive()
        if self.store.claim(config, self._cluster.offer.process):
            self._queue(config.run_id, self.store.status(config.run_id).queued_at)
        return config.run_id

    def resume(self, run_id: str) -> str:
        """Queue a run that ended early, to go on from its last state; as `submit` of its config."""
        return self.submit(self.store.config(run_id))

    def cancel(self, run_id: str) -> None:
        """Ask for a run to be stopped: a queued one at once, a running one within a second or a step.

        Raises:
            RunError: there is no such run, or its folder cannot be written.
        """
        self.store.request_cancel(run_id)
        self._withdraw(run_id)

    def pause(self, run_ids: Sequence[str]) -> None:
        """Take the runs that wait out of the queue, until `resume`; what has begun goes on to its end.

        That they are paused is noted in their folders: every server on them sees it, after a restart, too.
        The last ones are taken first, so that none moves up meanwhile. One that begins in that very moment
        stops as if it was cancelled, and goes on from its last state.

        Raises:
            RunError: there is no such run, or its folder cannot be written.
        """
        for run_id in reversed(run_ids):
            if self.store.status(run_id).state is RunState.QUEUED:
                self.store.request_cancel(run_id, pause=True)
                self._withdraw(run_id)

    def ask(
        self, function: Callable[..., Value], *arguments: object, slow: bool = False, urgency: int = 0
    ) -> Answer[Value]:
        """Compute `function(*arguments)` on a worker that never trains.

        Args:
            function: a function of a gnnviz module.
            arguments: JSON values and frozen configs; with the function's name they are the question.
            slow: True for what takes many seconds and must not hold up the quick questions.
            urgency: of questions that wait, the most urgent is computed first; of equals, the first asked.

        Raises:
            EngineError: the engine is gone.
        """
        self._check_alive()
        name = f"{function.__module__}.{function.__qualname__}"
        future = self._cluster.client.submit(
            tasks.answer,
            function,
            arguments,
            key=f"{function.__name__}-{tokenize(name, arguments, ensure_deterministic=True)}",
            resources=self._cluster.resources("slow" if slow else "interactive"),
            priority=urgency,
            fifo_timeout="0 s",
        )
        return Answer(future)

    def close(self) -> None:
        """Let go of the cluster, and end it if it was started here; safe to call twice."""
        self._cluster.close()

    def _check_alive(self) -> None:
        if not self.is_alive():
            raise EngineError("the engine is gone; reload the page to start a new one")

    def _withdraw(self, run_id: str) -> None:
        """Take a run out of the queue after a request to cancel, if it has not begun."""
        owner = self.store.owner(run_id)
        if self.store.status(run_id).state is RunState.CANCELLED and owner is not None:
            self.store.release(run_id, owner)  # a task that begins all the same finds it is not its own
            future = self._runs.pop(run_id, None)
            if future is not None and self.is_alive():
                future.cancel(force=True)

    def _queue(self, run_id: str, queued_at: float) -> None:
        future = self._cluster.client.submit(
            tasks.train_run,
            self.store_root,
            run_id,
            self._cluster.offer.process,
            queued_at,
            key=f"train-{run_id}-{time.time_ns()}",
            resources=self._cluster.resources("train"),
            fifo_timeout="0 s",  # first come, first served; within a timeout dask goes by name
            pure=False,
        )
        fire_and_forget(future)  # a cluster that was joined goes on with it when the app ends
        self._runs[run_id] = future
        future.add_done_callback(partial(self._after, run_id, queued_at))

    def _after(self, run_id: str, queued_at: float, future: Future) -> None:
        """Write down the end of a run whose task could not.

        dask counts a worker's death against every task that waited for that worker as well: one that
        never began is simply queued again.
        """
        if self._runs.get(run_id) is future:
            del self._runs[run_id]
        if future.status != "error" or not self.is_alive():
            return
        with contextlib.suppress(RunError):  # deleted meanwhile, or the disk is full: nothing to add
            status = self.store.status(run_id)
            if not status.state.is_active or status.queued_at != queued_at:
                return
            error = cast(Exception, future.exception())
            if isinstance(error, KilledWorker) and status.state is RunState.QUEUED:
                self._queue(run_id, queued_at)
            else:
                tasks.fail_run(self.store, run_id, self._cluster.offer.process, str(_in_our_words(error)))


def _in_our_words(error: Exception) -> GnnvizError:
    if isinstance(error, GnnvizError):
        return error
    if isinstance(error, KilledWorker):
        return EngineError(
            "its process was killed again and again, perhaps because memory ran out; "
            "choose fewer layers or hidden channels, or a smaller graph"
        )
    return EngineError(f"the engine lost the task ({type(error).__name__}: {error}); try again")
